package post

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/sql"
)

// WatchConflicts looks, until ctx ends, for what could not be seen when it was booked: identities that came with
// different contents, and orders that several events place. The ledger's key folds the copies of one event, but not a
// till whose counter was reset: other data is another content, and another order or month is stored far away. The
// first recorded stays in the books, the others become dead letters. Checks come about every second while little
// arrives, and take at most a tenth of the time under load, a minute apart at most.
func (p *Projector) WatchConflicts(ctx context.Context) error {
	const idle, most = time.Second, time.Minute
	wait := idle
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		start := p.config.Now()
		_, err := p.SettleConflicts(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			p.config.Logger.Warn("waiting to check for conflicts", "error", p.withRemedy(ctx, err))
		}
		wait = every(idle, p.config.Now().Sub(start), most)
	}
}

const conflictsCheckpoint = "conflicts"

// mostChecked is how many places of a partition one check looks at: bounds its memory.
const mostChecked = 500_000

// catchUp waits until the store has what was written before, into some tables or into any, see Config.CatchUp.
func (p *Projector) catchUp(ctx context.Context, tables ...string) error {
	if p.config.CatchUp == nil {
		return nil
	}
	return p.config.CatchUp(ctx, tables...)
}

// SettleConflicts checks what is booked and has not been checked yet, place by place, and returns how many rows it
// wrote again. No clock has a say in it: what the consumer group has committed is there, and what was checked is noted
// by partition and offset.
func (p *Projector) SettleConflicts(ctx context.Context) (int, error) {
	if p.config.Log == nil {
		if err := p.catchUp(ctx); err != nil {
			return 0, err
		}
		return p.settleWhere(ctx, "true") // nobody knows what is booked: all that is there
	}
	committed, err := p.config.Log.Committed(ctx)
	if err != nil {
		return 0, fmt.Errorf("ask what is booked: %w", err)
	}
	if err := p.catchUp(ctx); err != nil {
		return 0, err
	}
	checked, err := Checked(ctx, p.db)
	if err != nil {
		return 0, err
	}
	settled := 0
	for {
		upto := map[domain.Partition]int64{}
		var conditions []string
		for _, of := range sortedPartitions(committed) {
			if from, to := checked[of], committed[of]; from < to {
				upto[of] = min(to, from+mostChecked)
				conditions = append(conditions, within(of, from, upto[of]))
			}
		}
		if len(conditions) == 0 {
			return settled, nil
		}
		n, err := p.settleWhere(ctx, strings.Join(conditions, " OR "))
		settled += n
		if err != nil {
			return settled, err
		}
		if err := p.noteChecked(ctx, upto); err != nil {
			return settled, err
		}
		maps.Copy(checked, upto)
	}
}

// settleWhere settles the conflicts of the identities and orders that were seen at some places, and what came there
// after a later copy of it.
func (p *Projector) settleWhere(ctx context.Context, places string) (int, error) {
	settled, err := p.settleAmong(ctx, seenAt(places))
	if err != nil {
		return settled, err
	}
	n, err := p.settleCopies(ctx, places)
	return settled + n, err
}

// settleAmong settles the conflicts among what a statement gives: identities and orders, as identities calls them.
func (p *Projector) settleAmong(ctx context.Context, some string) (int, error) {
	type found struct {
		Identity uint64   `ch:"identity"`
		Months   []uint32 `ch:"months"`
	}
	var conflicts []found
	if err := p.db.Select(ctx, &conflicts, `
SELECT identity, groupUniqArray(month) AS months FROM identities
WHERE identity IN (`+some+`)
GROUP BY identity HAVING min(content) != max(content) ORDER BY identity`); err != nil {
		return 0, fmt.Errorf("look for conflicts: %w", err)
	}
	settled := 0
	const most = 1000
	for part := range slices.Chunk(conflicts, most) {
		var identities []uint64
		var months []uint32
		for _, c := range part {
			identities, months = append(identities, c.Identity), append(months, c.Months...)
		}
		ids, err := identityTable("conflicts", identities)
		if err != nil {
			return settled, err
		}
		slices.Sort(months)
		n, err := p.settleConflicts(clickhouse.Context(ctx, clickhouse.WithExternalTable(ids)), slices.Compact(months))
		settled += n
		if err != nil {
			return settled, err
		}
	}
	return settled, nil
}

// every is how long a background check waits: at least idle, and nine times as long as it took.
func every(idle time.Duration, took time.Duration, most time.Duration) time.Duration {
	return min(max(idle, 9*took), most)
}

func (p *Projector) settleConflicts(ctx context.Context, months []uint32) (int, error) {
	// What a rebuild posts for units is no other event than the rebuild's own.
	rows, err := ledger.Read(ctx, p.db, `ledger FINAL WHERE toYYYYMM(occurred_at) IN (?)
        AND cityHash64(source, event_id) IN (SELECT identity FROM conflicts)
        AND NOT (event_type = `+sql.Event("books.rebuilt")+` AND (order_id != '' OR error_id != ''))`, months)
	if err == nil {
		// Who wrote them may know more of the books stream than this process does.
		err = p.terms.CatchUp(ctx)
	}
	if err != nil {
		return 0, err
	}
	byIdentity := map[domain.Identity][]*ledger.Stored{}
	p.terms.Use(func(terms *domain.Terms) {
		for i := range rows {
			r := &rows[i]
			// Which of them came first may have been told otherwise before a close became known that they follow.
			r.RecordedAt = terms.Periods.RecordedSince(r.RecordedAt, r.Position)
			byIdentity[r.Identity()] = append(byIdentity[r.Identity()], r)
		}
	})
	d := decided{units: ledger.NewUnits(), after: newFollowUp(), back: map[domain.Identity]bool{}}
	for _, copies := range byIdentity {
		p.decide(&d, copies)
	}
	// First the dead letter, then out of the books: a crash in between does both again, and loses nothing.
	if len(d.refused) > 0 {
		if err := p.keepRefused(ctx, d.refused, "conflict"); err != nil {
			return 0, err
		}
	}
	if err := p.rewrite(ctx, d.changed); err != nil {
		return 0, err
	}
	if err := p.markWhere(ctx, &d.units,
		`toYYYYMM(occurred_at) IN (`+monthList(months)+`) AND event_type = `+sql.Event("order.placed")+`
        AND `+placedIdentity+` IN (SELECT identity FROM conflicts)`); err != nil {
		return 0, fmt.Errorf("find the orders placed twice: %w", err)
	}
	settled, err := p.settleHeld(ctx, &d.units, d.back, d.after)
	if err != nil {
		return 0, err
	}
	return len(d.changed) + settled, p.finish(ctx, d.after)
}

// decided is what came out of some conflicts.
type decided struct {
	refused []ledger.Stored // as they were
	changed []*ledger.Row
	units   ledger.Units
	after   *followUp
	back    map[domain.Identity]bool // whose rows are in the books again
}

// decide lets the first of an event's copies count, and no other one.
func (p *Projector) decide(d *decided, copies []*ledger.Stored) {
	slices.SortFunc(copies, (*ledger.Stored).Earlier)
	for _, c := range copies[1:] {
		// Also what was refused before: whoever did that may have ended before its unit was settled.
		d.units.AddStored(c)
		d.after.units[c.Unit()] = true
		if c.Refused != "" {
			continue
		}
		if p.config.SameButHidden != nil && p.config.SameButHidden(copies[0], c) {
			c.Refuse("again") // with another key, say, or before there was one: no conflict, and no dead letter
			d.changed = append(d.changed, &c.Row)
			continue
		}
		d.refused = append(d.refused, *c)
		c.Refuse("conflict")
		d.changed = append(d.changed, &c.Row)
	}
	first := copies[0]
	if first.Refused == "conflict" || first.Refused == "again" {
		first.Restore() // it was taken for the later one
		d.changed = append(d.changed, &first.Row)
		d.back[first.Identity()] = true
	}
	if len(copies) > 1 {
		d.units.AddStored(first) // it may have been taken for the copy
	}
}

func monthList(months []uint32) string {
	text := "0"
	for _, m := range months {
		text += fmt.Sprintf(", %d", m)
	}
	return text
}
