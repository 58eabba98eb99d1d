package projections

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
)

// swapped are the tables that a rebuild changes: the ledger and what is kept from it.
var swapped = []string{"ledger", "failures", "unpriced", "leakage_daily"}

// shadowTable is the table that stands in for one of them. Its name is the rebuild's own, so that a process that doesn't
// know yet that its rebuild was given up can spoil no other.
func shadowTable(table, id string) string { return "rebuilt_" + table + "_" + id }

// replaced names the table of the rows that the shadow's were made of. It is for the report alone.
const replaced = "replaced"

// dropShadow drops what is left of a rebuild.
func dropShadow(ctx context.Context, db driver.Conn, id string) error {
	if !rebuildID.MatchString(id) {
		return nil // it never had any
	}
	for _, table := range append([]string{replaced}, swapped...) {
		if err := db.Exec(ctx, "DROP TABLE IF EXISTS "+shadowTable(table, id)+" SYNC"); err != nil {
			return fmt.Errorf("drop the shadow of rebuild %s: %w", id, err)
		}
	}
	return nil
}

// shadow is one rebuild being computed.
type shadow struct {
	db       driver.Conn
	config   *RebuildConfig
	rebuild  *Rebuild
	envelope Decode
	terms    *domain.Terms // with the rebuild as the last of its records
	at       domain.Position
	mark     domain.Mark
	done     atomic.Uint64 // rows looked at
	total    atomic.Uint64

	mu   sync.Mutex
	sums balances // of the books as they are
	left map[domain.Period]*LeftPeriod
	kept []NotPosted // the first of them
	bad  uint64
}

func newShadow(b *Rebuilder, r *Rebuild, terms *domain.Terms) *shadow {
	all := terms.Rebuilds.All()
	mark := all[len(all)-1].Mark
	return &shadow{db: b.config.DB, config: &b.config, rebuild: r, envelope: b.config.Envelope(), terms: terms, mark: mark, sums: balances{}, left: map[domain.Period]*LeftPeriod{},
		at: domain.Position{Stream: domain.Books, Offset: mark.Offset, Time: mark.Time}}
}

func (s *shadow) table(of string) string { return shadowTable(of, s.rebuild.ID) }

// compute fills the shadow and reports what it changes.
func (s *shadow) compute(ctx context.Context) error {
	if err := s.exec(ctx, "make the shadow", "CREATE TABLE "+s.table(replaced)+" AS ledger"); err != nil {
		return err
	}
	for _, table := range swapped {
		if err := s.exec(ctx, "make the shadow of "+table, "CREATE TABLE "+s.table(table)+" AS "+table); err != nil {
			return err
		}
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"post", s.postAll}, {"voids", s.takeVoidsAlong}, {"feed", s.feed}, {"mend", s.mend}, {"roll up", s.rollUp}, {"compact", s.compact},
		{"report", func(ctx context.Context) (err error) {
			s.rebuild.Report, err = s.report(ctx)
			return err
		}},
	} {
		start := time.Now()
		if err := step.do(ctx); err != nil {
			return err
		}
		s.config.Logger.Info("a step of a rebuild is done", "rebuild", s.rebuild.ID, "step", step.name, "took", time.Since(start).Round(time.Millisecond))
	}
	return nil
}

func (s *shadow) exec(ctx context.Context, doing, query string, args ...any) error {
	if err := s.db.Exec(ctx, query, args...); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// shadowRows is how many rows a worker gathers before it writes them: one part of the shadow for each month in them.
const shadowRows = 100_000

// postAll posts every row of the ledger anew, month by month, and writes those that come out otherwise to the shadow.
func (s *shadow) postAll(ctx context.Context) error {
	var months []struct {
		Month uint32 `ch:"month"`
		Rows  uint64 `ch:"n"`
	}
	if err := s.db.Select(ctx, &months, `
SELECT toUInt32(partition_id) AS month, sum(rows) AS n FROM system.parts
WHERE database = currentDatabase() AND table = 'ledger' AND active GROUP BY month ORDER BY month`); err != nil {
		return fmt.Errorf("list the months of the ledger: %w", err)
	}
	for _, m := range months {
		s.total.Add(m.Rows)
	}
	orphans, err := orphanVoids(ctx, s.db)
	if err != nil {
		return err
	}
	writer, old := s.config.Shadow(s.table("ledger")), s.config.Shadow(s.table(replaced))
	workers := make([]*shadowWorker, 2)
	take := make([]func(*Row) error, len(workers))
	for i := range workers {
		workers[i] = &shadowWorker{shadow: s, ctx: ctx, batch: writer.Batch(), was: old.Batch(), sums: balances{}, reposter: reposter{decode: s.config.Decode(), orphans: orphans}}
		take[i] = workers[i].take
	}
	for _, m := range months {
		err = s.config.Ledger.ReadLedger(ctx, fmt.Sprintf("refused = '' AND toYYYYMM(occurred_at) = %d", m.Month), take...)
		for _, w := range workers {
			if err == nil {
				err = w.flush()
			}
		}
		if err != nil {
			break
		}
	}
	for _, w := range workers {
		s.sums.addAll(w.sums)
	}
	return errors.Join(err, writer.Close(), old.Close())
}

// shadowWorker is one of those who post.
type shadowWorker struct {
	*shadow
	reposter
	ctx   context.Context //nolint:containedctx // that of the computation
	batch WriterBatch
	was   WriterBatch // the rows that those in batch are made of
	sums  balances
}

func (w *shadowWorker) take(r *Row) error {
	w.done.Add(1)
	w.sums.add(r)
	was := *r
	if w.mark.Precedes(r.Position) {
		return nil // recorded later: not the rebuild's
	}
	changed, err := w.repost(r, w.terms, w.at)
	var period domain.Period
	var frozen bool
	if changed {
		period, frozen = w.terms.FrozenBy(r.Event.Time, r.Position)
	}
	var not *NotPostedError
	switch {
	case errors.As(err, &not):
		w.note(func() {
			if w.bad++; len(w.kept) < maxNamed {
				w.kept = append(w.kept, NotPosted{Source: not.Source, ID: not.ID, Why: not.Err.Error()})
			}
		})
		return nil
	case err != nil:
		return err
	case !changed:
		return nil
	case frozen:
		w.note(func() {
			l := w.left[period]
			if l == nil {
				l = &LeftPeriod{Period: period.String()}
				w.left[period] = l
			}
			if l.Events++; len(l.Named) < maxNamed {
				l.Named = append(l.Named, NamedEvent{Source: strings.Clone(r.Event.Source), ID: strings.Clone(r.Event.ID)})
			}
		})
		return nil
	}
	if err := r.check(); err != nil {
		return err
	}
	r.revise(byRebuild)
	w.batch.Append(r)
	w.was.Append(&was)
	if w.batch.Rows() >= shadowRows {
		return w.flush()
	}
	return nil
}

func (w *shadowWorker) note(what func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	what()
}

func (w *shadowWorker) flush() error {
	if w.batch.Rows() == 0 {
		return nil
	}
	err := w.batch.Insert(w.ctx)
	if err == nil {
		err = w.was.Insert(w.ctx)
	}
	w.batch.Reset()
	w.was.Reset()
	return err
}

// takeVoidsAlong gives the voids of what changed its exact negation, and leaves both as they are where the rebuild doesn't
// cover one of them.
func (s *shadow) takeVoidsAlong(ctx context.Context) error {
	const voided = `(order_id, source, event_id) IN (SELECT order_id, voids_source, voids_id FROM voids FINAL WHERE refused = '')`
	var n uint64
	if err := s.db.QueryRow(ctx, "SELECT count() FROM "+s.table("ledger")+" WHERE "+voided).Scan(&n); err != nil {
		return fmt.Errorf("count what changed and is voided: %w", err)
	}
	if n == 0 {
		return nil
	}
	const most = 20_000
	parts := n/most + 1
	writer, old := s.config.Shadow(s.table("ledger")), s.config.Shadow(s.table(replaced))
	batch, was := writer.Batch(), old.Batch()
	var err error
	for part := uint64(0); part < parts && err == nil; part++ {
		var roots []stored
		if roots, err = readRows(ctx, s.db, s.table("ledger")+" FINAL WHERE "+voided+fmt.Sprintf(" AND cityHash64(order_id) %% %d = %d", parts, part)); err == nil {
			err = s.takeFamiliesAlong(ctx, roots, batch, was)
		}
		for _, b := range []WriterBatch{batch, was} {
			if err == nil && b.Rows() > 0 {
				err = b.Insert(ctx)
			}
			b.Reset()
		}
	}
	return errors.Join(err, writer.Close(), old.Close())
}

func (s *shadow) takeFamiliesAlong(ctx context.Context, roots []stored, batch, was WriterBatch) error {
	voids := map[voidRef][]*stored{}
	var targets []voidRef
	for i := range roots {
		targets = append(targets, roots[i].ref())
	}
	for len(targets) > 0 {
		named, err := withTargets(ctx, targets)
		if err != nil {
			return err
		}
		rows, err := readRows(named, s.db, `ledger FINAL WHERE refused = '' AND order_id IN (SELECT order_id FROM targets)
        AND (order_id, voids_source, voids_id) IN (SELECT order_id, source, event_id FROM targets)`)
		if err != nil {
			return err
		}
		targets = targets[:0]
		for i := range rows {
			v := &rows[i]
			if voids[v.voidTarget] == nil {
				targets = append(targets, v.ref())
			}
			voids[v.voidTarget] = append(voids[v.voidTarget], v)
		}
	}
	for _, all := range voids {
		slices.SortFunc(all, (*stored).earlier)
	}
	for i := range roots {
		root := &roots[i]
		family := chain(root.ref(), voids)
		revision := root.Revision
		changed, err := repostFamily(root, family, root.voidsType != "", s.envelope, s.terms)
		if err != nil {
			return err
		}
		if changed {
			root.Revision = revision // it takes the place of the row that is in the shadow: of two alike the later stays
			batch.Append(&root.Row)
		}
		for original := root; len(family) > 0; family = family[1:] {
			void := family[0]
			old := void.Row
			if !negateAs(void, original) {
				break
			}
			was.Append(&old)
			void.revise(byRebuild)
			batch.Append(&void.Row)
			original = void
		}
	}
	return nil
}

// The feeds of the ledger are materialized views. What they make of a row of the ledger they would make of the shadow's.
var fromLedger = regexp.MustCompile(`FROM\s+\S*\bledger\b`)

// feedOf is the query of a feed, over other rows.
func (s *shadow) feedOf(ctx context.Context, view, from string) (string, error) {
	var query string
	if err := s.db.QueryRow(ctx, "SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = ?", view).Scan(&query); err != nil {
		return "", fmt.Errorf("read the view %s: %w", view, err)
	}
	if len(fromLedger.FindAllString(query, -1)) != 1 {
		return "", fmt.Errorf("the view %s is not fed from the ledger alone: %s", view, query)
	}
	return fromLedger.ReplaceAllLiteralString(query, "FROM "+from), nil
}

// feed makes of the shadow's ledger what is kept from a ledger.
func (s *shadow) feed(ctx context.Context) error {
	for _, table := range []string{"failures", "unpriced"} {
		query, err := s.feedOf(ctx, table+"_feed", "(SELECT * FROM "+s.table("ledger")+" FINAL)")
		if err != nil {
			return err
		}
		if err := s.exec(ctx, "feed the shadow of "+table, "INSERT INTO "+s.table(table)+" "+query); err != nil {
			return err
		}
	}
	return nil
}

// mend puts into the shadow what the tables kept from the ledger lack of it or have otherwise: where ClickHouse and the
// projector are killed between an insert and its feeds, nobody else notices.
func (s *shadow) mend(ctx context.Context) error {
	const key = `error_id, order_id, source, event_id, content`
	const row = key + `, event_type, store_id, currency, day, posting_period, recorded_at, account, element, basis, amount`
	const bears = `refused = '' AND (error_id != '' OR arrayExists(e -> e != '', element))`
	if err := s.mendFrom(ctx, "failures", `
    SELECT order_id, source, event_id, content FROM (
        SELECT `+row+`, 1 AS in_ledger, 0 AS in_failures FROM ledger FINAL WHERE `+bears+`
        UNION ALL
        SELECT `+row+`, 0 AS in_ledger, 1 AS in_failures FROM failures FINAL WHERE `+bears+`)
    GROUP BY `+row+` HAVING sum(in_ledger) > sum(in_failures)`); err != nil {
		return err
	}
	return s.mendFrom(ctx, "unpriced", `
    SELECT order_id, source, event_id, content FROM (
        SELECT order_id, source, event_id, content, unpriced AS missing, 1 AS in_ledger, 0 AS in_list FROM ledger FINAL WHERE refused = '' AND notEmpty(unpriced)
        UNION ALL
        SELECT order_id, source, event_id, content, missing, 0 AS in_ledger, 1 AS in_list FROM unpriced FINAL WHERE notEmpty(missing))
    GROUP BY order_id, source, event_id, content, missing HAVING sum(in_ledger) != sum(in_list)`)
}

// mendFrom feeds a table of the shadow with rows of the ledger that are not in the shadow anyway.
func (s *shadow) mendFrom(ctx context.Context, table, rows string) error {
	// Of two versions alike the later insert stays; a table that has a higher one than the ledger would keep that.
	const key = "order_id, source, event_id, content"
	from := "(SELECT l.* REPLACE (greatest(l.version, t.known) AS version) FROM ledger AS l FINAL LEFT JOIN (SELECT " + key + ", max(version) AS known FROM " + table +
		" GROUP BY " + key + ") AS t USING (" + key + ") WHERE (" + key + ") IN (" + rows + ") AND (" + key + ") NOT IN (SELECT " + key + " FROM " + s.table("ledger") + "))"
	query, err := s.feedOf(ctx, table+"_feed", from)
	if err != nil {
		return err
	}
	return s.exec(ctx, "mend "+table, "INSERT INTO "+s.table(table)+" "+query)
}

// rollUp recomputes the roll-up of all cases as it will be, part by part, and keeps the buckets that differ from those that
// are.
func (s *shadow) rollUp(ctx context.Context) error {
	var n uint64
	if err := s.db.QueryRow(ctx, "SELECT count() FROM failures").Scan(&n); err != nil {
		return fmt.Errorf("count what bears on a fix: %w", err)
	}
	const most = 1_000_000
	parts := n/most + 1
	const key = "(error_id, order_id, source, event_id, content)"
	for part := range parts {
		mine := fmt.Sprintf("cityHash64(error_id) %% %d = %d", parts, part)
		failures := fmt.Sprintf(`(SELECT * FROM failures FINAL WHERE %[1]s AND %[2]s NOT IN (SELECT %[2]s FROM %[3]s)
        UNION ALL SELECT * FROM %[3]s FINAL WHERE %[1]s)`, mine, key, s.table("failures"))
		if err := s.exec(ctx, "recompute the roll-up", fmt.Sprintf(`
INSERT INTO %[4]s (%[1]s, %[2]s, amount, lines, version)
SELECT %[1]s, facts.1, facts.2, facts.3, facts.4, facts.5, facts.6, facts.7, facts.8, new_amount, new_lines, toUnixTimestamp64Nano(now64(9)) AS version FROM (
    SELECT %[1]s, argMax((%[2]s), fresh) AS facts, sumIf(amount, fresh) AS new_amount, sumIf(lines, fresh) AS new_lines,
           sumIf(amount, NOT fresh) AS old_amount, sumIf(lines, NOT fresh) AS old_lines, argMin((%[2]s), fresh) AS old_facts
    FROM (
        SELECT %[1]s, %[2]s, amount, lines, true AS fresh FROM (%[3]s) WHERE lines > 0
        UNION ALL
        SELECT %[1]s, %[2]s, amount, lines, false AS fresh FROM leakage_daily FINAL WHERE lines > 0 AND %[5]s)
    GROUP BY %[1]s)
WHERE new_amount != old_amount OR new_lines != old_lines OR facts != old_facts
SETTINGS max_partitions_per_insert_block = 0`, leakageKey, leakageFacts, failureLinesOf(failures, "true"), s.table("leakage_daily"), mine)); err != nil {
			return err
		}
	}
	return nil
}

// compact merges a month of the shadow that is in many parts: they become parts of the ledger, which bounds how many there
// may be.
func (s *shadow) compact(ctx context.Context) error {
	const many = 30
	for _, table := range swapped {
		parts, err := partitions(ctx, s.db, s.table(table), many)
		if err != nil {
			return err
		}
		for _, id := range parts {
			if err := s.exec(ctx, "merge the shadow", fmt.Sprintf("OPTIMIZE TABLE %s PARTITION ID '%s' FINAL", s.table(table), id)); err != nil {
				return err
			}
		}
	}
	return nil
}

// partitions are those of a table that are in so many parts at least.
func partitions(ctx context.Context, db driver.Conn, table string, least int) ([]string, error) {
	var ids []string
	if err := db.QueryRow(ctx, `
SELECT groupArray(partition_id) FROM (
    SELECT partition_id FROM system.parts WHERE database = currentDatabase() AND table = ? AND active
    GROUP BY partition_id HAVING count() >= ? ORDER BY partition_id)`, table, least).Scan(&ids); err != nil {
		return nil, fmt.Errorf("list the partitions of %s: %w", table, err)
	}
	return ids, nil
}
