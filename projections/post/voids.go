package post

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
)

// voidSettler makes every void the exact negation of what its original booked. The projector posts a void from the
// original that it carries, with the rates of its own moment, since the original may come later or never; once both are
// in the ledger, the original's own lines decide, or the void's where a month was closed between them (see family). Of several
// voids of one event the first recorded counts.
type voidSettler struct {
	db      driver.Conn
	terms   *Terms
	rewrite func(context.Context, []ledger.Stored) error
	logger  *slog.Logger
	pending []ledger.Ref // targets that haven't come yet
}

// load finds the voids whose originals haven't come.
func (v *voidSettler) load(ctx context.Context) error {
	rows, err := v.db.Query(ctx, `
SELECT order_id, voids_source, voids_id FROM voids FINAL
WHERE refused = '' AND (order_id, voids_source, voids_id) NOT IN (
    SELECT order_id, source, event_id FROM ledger
    WHERE (order_id, source, event_id) IN (SELECT order_id, voids_source, voids_id FROM voids))`)
	if err != nil {
		return fmt.Errorf("find the voids without an original: %w", err)
	}
	if v.pending, err = ledger.ScanRefs(rows); err != nil {
		return fmt.Errorf("find the voids without an original: %w", err)
	}
	return nil
}

// came reports whether any of the pending targets is in the ledger by now. Mostly none is, landing after landing.
func (v *voidSettler) came(ctx context.Context) (bool, error) {
	ctx, err := ledger.WithTargets(ctx, v.pending)
	if err != nil {
		return false, err
	}
	var n uint64
	if err := v.db.QueryRow(ctx, `
SELECT count() FROM (SELECT 1 FROM ledger WHERE (order_id, source, event_id) IN (SELECT order_id, source, event_id FROM targets) LIMIT 1)`).Scan(&n); err != nil {
		return false, fmt.Errorf("look for events that were voided before they came: %w", err)
	}
	return n > 0, nil
}

// settle looks at the voids of these targets and of the pending ones. It returns how many rows it wrote anew, and the
// rows of what is settled now: also those that were settled before, for whoever did it may have ended before the roll-ups
// knew.
//
// Others may write the same rows meanwhile, and of two who don't know of each other the later insert stays. So it reads again
// after it has written, until there is nothing to change: whoever writes last sees what all have written.
func (v *voidSettler) settle(ctx context.Context, fresh []ledger.Ref, keep func(context.Context, []ledger.Stored, string) error) (n int, settled []*ledger.Stored, err error) {
	targets := append(slices.Clone(v.pending), fresh...)
	if len(targets) == 0 {
		return 0, nil, nil
	}
	if len(fresh) == 0 {
		if came, err := v.came(ctx); err != nil || !came {
			return 0, nil, err
		}
	}
	for range mostRounds {
		written, more, err := v.settleOnce(ctx, targets, fresh, keep)
		n, settled = n+written, append(settled, more...)
		if err != nil || written == 0 {
			return n, settled, err
		}
	}
	return n, settled, nil
}

// mostRounds bounds how often rows are read again after they were written. More than two are rare; two processes of different
// versions may not agree at all, and neither may wait for the other.
const mostRounds = 10

// settleOnce reads, and writes what isn't as it should be.
func (v *voidSettler) settleOnce(ctx context.Context, targets, fresh []ledger.Ref, keep func(context.Context, []ledger.Stored, string) error) (n int, settled []*ledger.Stored, err error) {
	s, err := v.plan(ctx, targets, fresh)
	if err != nil {
		return 0, nil, err
	}
	if len(s.refused) > 0 {
		if err := keep(ctx, s.refused, "already_voided"); err != nil {
			return 0, nil, err
		}
	}
	if err := v.rewrite(ctx, s.anew); err != nil {
		return 0, nil, err
	}
	// Only now, that all is written, is it settled.
	v.pending = slices.DeleteFunc(s.targets, func(t ledger.Ref) bool { return s.kin.rows[t] != nil })
	slices.SortFunc(v.pending, func(a, b ledger.Ref) int {
		return slices.Compare([]string{a.Order, a.Source, a.ID}, []string{b.Order, b.Source, b.ID})
	})
	v.pending = slices.Compact(v.pending)
	return len(s.anew), s.settled, nil
}

// settlement is what there is to do for some voids.
type settlement struct {
	targets []ledger.Ref // also those that were found on the way
	kin     *kin
	settled []*ledger.Stored // whose roll-ups are to be looked at
	refused []ledger.Stored  // that leave the books, as they were
	anew    []ledger.Stored  // to be written, those included
}

// plan reads, and says what to write so that all is as it should be.
func (v *voidSettler) plan(ctx context.Context, targets, fresh []ledger.Ref) (*settlement, error) {
	isFresh := make(map[ledger.Ref]bool, len(fresh))
	for _, t := range fresh {
		isFresh[t] = true
	}
	rows, targets, err := v.read(ctx, targets)
	if err != nil {
		return nil, err
	}
	k := KinOf(rows)
	s := &settlement{targets: targets, kin: k, settled: append(k.refused, k.again...)}
	for _, again := range k.again {
		s.refused = append(s.refused, *again)
		again.Refuse("already_voided")
		s.anew = append(s.anew, *again)
	}
	for i, f := range k.Families {
		if len(f) == 1 && (f[0].VoidsType == "" || !isFresh[f[0].Voids]) {
			continue
		}
		changed, err := v.terms.settle(f, k.several[i])
		not, err := NotPosted(err)
		if err != nil {
			return nil, err
		}
		if not != nil {
			v.logger.Warn("an event and what voids it stay as they were posted", "error", not)
			continue
		}
		for _, r := range changed {
			r.Revise(ledger.ByEvents)
			s.anew = append(s.anew, *r)
		}
		if len(f) > 1 || len(changed) > 0 {
			s.settled = append(s.settled, f...)
		}
	}
	return s, nil
}

// read reads the targets' rows and what bears on them, and knows all of the books stream that they may have been posted with: a
// process that has just begun, or was slow, would else post them as they were before a close that others know of.
func (v *voidSettler) read(ctx context.Context, targets []ledger.Ref) ([]ledger.Stored, []ledger.Ref, error) {
	for {
		// Where there are closes or rebuilds, what any of them posts depends on all that are bound to it.
		whole := v.terms.bind()
		rows, all, err := ReadKin(ctx, v.db, slices.Clone(targets), whole)
		if err == nil {
			err = v.terms.CatchUp(ctx)
		}
		if err != nil || whole == v.terms.bind() {
			return rows, all, err
		}
	}
}

// rewrite writes rows again, at their new revision, and doesn't give up: an insert that fails half-way may have reached the
// ledger and not the tables that are fed from it. Whoever looked at the ledger again would find the row as it should be, and
// leave the others as they are.
func (p *Projector) rewrite(ctx context.Context, rows []ledger.Stored) error {
	if len(rows) == 0 {
		return nil
	}
	b := p.writer.Batch()
	for i := range rows {
		if err := rows[i].Check(); err != nil {
			return err
		}
		b.Append(&rows[i].Row)
	}
	return p.insist(ctx, fmt.Sprintf("write %d rows anew", len(rows)), b.Insert)
}

func (p *Projector) settleVoids(ctx context.Context, b *batch) error {
	_, settled, err := p.voids.settle(ctx, b.voids, p.keepRefused)
	if err != nil {
		return err
	}
	for _, r := range settled {
		b.touched.addRefused(&r.Row)
	}
	return nil
}

const voidsCheckpoint = "voids"

// SettleVoids settles the voids of which they or their originals have arrived since the last check, and returns how many
// rows it wrote anew. A batch settles what it brings itself; but a void and its original may be booked by two projectors,
// since a rebalance came between or their producers choose partitions in different ways, and a projector that dies
// between booking an original and settling its void leaves an original that is no news any more.
func (p *Projector) SettleVoids(ctx context.Context) (int, error) {
	now, since, err := p.checkpoint(ctx, voidsCheckpoint)
	if err != nil {
		return 0, err
	}
	targets, err := arrivedVoids(ctx, p.db, since)
	if err != nil {
		return 0, err
	}
	anew := 0
	for part := range slices.Chunk(targets, mostVoids) {
		one := &voidSettler{db: p.db, terms: p.terms, rewrite: p.rewrite, logger: p.config.Logger}
		n, settled, err := one.settle(ctx, part, p.keepRefused)
		anew += n
		if err != nil {
			return anew, err
		}
		touched := newTouched()
		for _, r := range settled {
			touched.addRefused(&r.Row)
		}
		if err := rollUp(ctx, p.db, &touched); err != nil {
			return anew, err
		}
	}
	return anew, p.reach(ctx, voidsCheckpoint, len(targets) > 0, now, since)
}

// mostVoids is how many are looked at in one go.
const mostVoids = 1000

// arrivedVoids are what voids take back of which they, or what they take back, arrived since a check.
func arrivedVoids(ctx context.Context, db driver.Conn, since time.Time) ([]ledger.Ref, error) {
	rows, err := db.Query(ctx, `
WITH arrived AS (SELECT identity FROM identities WHERE arrived_at > ?)
SELECT DISTINCT order_id, voids_source, voids_id FROM voids FINAL
WHERE refused = '' AND (cityHash64(voids_source, voids_id) IN arrived OR cityHash64(source, event_id) IN arrived)`, since.Add(-overlap))
	if err != nil {
		return nil, fmt.Errorf("find the voids that arrived: %w", err)
	}
	targets, err := ledger.ScanRefs(rows)
	if err != nil {
		return nil, fmt.Errorf("find the voids that arrived: %w", err)
	}
	return targets, nil
}

// keepRefused makes dead letters of rows that are about to leave the books.
func (p *Projector) keepRefused(ctx context.Context, rows []ledger.Stored, reason string) error {
	letters := make([]deadletter.Letter, len(rows))
	for i := range rows {
		r := &rows[i]
		original, err := p.originalOf(ctx, r)
		if err != nil {
			return err
		}
		letters[i] = deadletter.Letter{
			Topic: p.config.Topics[r.Position.Stream], Partition: r.Position.Partition, Offset: r.Position.Offset,
			Reason: reason, Detail: deadletter.Refusals[reason], Source: r.Event.Source, EventID: r.Event.ID,
			FirstSeen: r.RecordedAt, LastSeen: r.RecordedAt, Key: original.Key, Payload: original.Payload, Headers: original.Headers,
		}
		letters[i].Identify()
	}
	if err := p.publishLetters(letters); err != nil {
		return fmt.Errorf("publish dead letters: %w", err)
	}
	if err := deadletter.Keep(ctx, p.db, letters); err != nil {
		return err
	}
	p.stats.DeadLetters.Add(int64(len(letters)))
	return nil
}

// every is how long a background check waits: at least idle, and nine times as long as it took.
func every(idle time.Duration, took time.Duration, most time.Duration) time.Duration {
	return min(max(idle, 9*took), most)
}
