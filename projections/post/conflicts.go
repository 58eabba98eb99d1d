package post

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// WatchConflicts looks, until ctx ends, for what could not be seen when it was booked: identities that came with different
// contents, and orders that several events place. The ledger's key folds the copies of one event, but not a till whose counter was reset: other data is another content, and another order or
// month is stored far away. The first recorded stays in the books, the others become dead letters. Checks come about
// every second while little arrives, and take at most a tenth of the time under load, a minute apart at most.
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
			p.config.Logger.Warn("waiting to check for conflicts", "error", err)
		}
		wait = every(idle, p.config.Now().Sub(start), most)
	}
}

const conflictsCheckpoint = "conflicts"

// overlap is how far a check looks back behind the one before: an insert is stamped before it can be seen.
const overlap = 15 * time.Second

// SettleConflicts checks what has arrived since the last check and returns how many rows it wrote again.
func (p *Projector) SettleConflicts(ctx context.Context) (int, error) {
	now, since, err := p.checkpoint(ctx, conflictsCheckpoint)
	if err != nil {
		return 0, err
	}
	type found struct {
		Identity uint64   `ch:"identity"`
		Months   []uint32 `ch:"months"`
	}
	var conflicts []found
	if err := p.db.Select(ctx, &conflicts, `
SELECT identity, groupUniqArray(month) AS months FROM identities
WHERE identity IN (SELECT identity FROM identities WHERE arrived_at > ?)
GROUP BY identity HAVING min(content) != max(content) ORDER BY identity`, since.Add(-overlap)); err != nil {
		return 0, fmt.Errorf("look for conflicts: %w", err)
	}
	settled := 0
	const most = 1000
	for part := range slices.Chunk(conflicts, most) {
		ids, err := ext.NewTable("conflicts", ext.Column("identity", "UInt64"))
		if err != nil {
			return settled, fmt.Errorf("name the conflicts: %w", err)
		}
		var months []uint32
		for _, c := range part {
			if err := ids.Append(c.Identity); err != nil {
				return settled, fmt.Errorf("name the conflicts: %w", err)
			}
			months = append(months, c.Months...)
		}
		slices.Sort(months)
		n, err := p.settleConflicts(clickhouse.Context(ctx, clickhouse.WithExternalTable(ids)), slices.Compact(months))
		settled += n
		if err != nil {
			return settled, err
		}
	}
	return settled, p.reach(ctx, conflictsCheckpoint, len(conflicts) > 0, now, since)
}

// checkpoint is the time by ClickHouse's clock, and the time from which a background check looked last.
func (p *Projector) checkpoint(ctx context.Context, name string) (now, since time.Time, err error) {
	if err := p.db.QueryRow(ctx, `SELECT now64(3, 'UTC'), max(at) FROM checkpoints WHERE name = ?`, name).Scan(&now, &since); err != nil {
		return now, since, fmt.Errorf("read the checkpoint of the %s: %w", name, err)
	}
	return now, since, nil
}

// reach notes that a background check has looked at what arrived until now.
func (p *Projector) reach(ctx context.Context, name string, found bool, now, since time.Time) error {
	if !found && now.Sub(since) < overlap/2 {
		return nil // the checkpoint may lag by less than the overlap: no row per second
	}
	if err := p.db.Exec(ctx, `INSERT INTO checkpoints (name, at) VALUES (?, ?)`, name, now); err != nil {
		return fmt.Errorf("keep the checkpoint of the %s: %w", name, err)
	}
	return nil
}

// every is how long a background check waits: at least idle, and nine times as long as it took.
func every(idle time.Duration, took time.Duration, most time.Duration) time.Duration {
	return min(max(idle, 9*took), most)
}

func (p *Projector) settleConflicts(ctx context.Context, months []uint32) (int, error) {
	rows, err := ledger.Read(ctx, p.db, `ledger FINAL WHERE toYYYYMM(occurred_at) IN (?)
        AND cityHash64(source, event_id) IN (SELECT identity FROM conflicts)`, months)
	if err != nil {
		return 0, err
	}
	byIdentity := map[domain.Identity][]*ledger.Stored{}
	for i := range rows {
		k := domain.Identity{Source: rows[i].Event.Source, ID: rows[i].Event.ID}
		byIdentity[k] = append(byIdentity[k], &rows[i])
	}
	var refused []ledger.Stored
	var changed []*ledger.Row
	units, rollUps := ledger.NewUnits(), map[string]bool{}
	for _, copies := range byIdentity {
		slices.SortFunc(copies, (*ledger.Stored).Earlier)
		for _, c := range copies[1:] {
			// Also what was refused before: whoever did that may have ended before its unit was settled.
			units.AddStored(c)
			rollUps[c.Unit()] = true
			if c.Refused != "" {
				continue
			}
			if p.config.SameButHidden != nil && p.config.SameButHidden(copies[0], c) {
				c.Refuse("again") // with another key, say, or before there was one: no conflict, and no dead letter
				changed = append(changed, &c.Row)
				continue
			}
			refused = append(refused, *c)
			c.Refuse("conflict")
			changed = append(changed, &c.Row)
		}
		if len(copies) > 1 {
			units.AddStored(copies[0]) // it may have been taken for the copy
		}
	}
	// First the dead letter, then out of the books: a crash in between does both again, and loses nothing.
	if len(refused) > 0 {
		if err := p.keepRefused(ctx, refused, "conflict"); err != nil {
			return 0, err
		}
	}
	if err := p.rewrite(ctx, changed); err != nil {
		return 0, err
	}
	if err := p.markWhere(ctx, &units, `toYYYYMM(occurred_at) IN (`+monthList(months)+`) AND event_type = 'makegood.order.placed.v1'
        AND cityHash64('order.placed', order_id) IN (SELECT identity FROM conflicts)`); err != nil {
		return 0, fmt.Errorf("find the orders placed twice: %w", err)
	}
	settled, err := p.settleUnits(ctx, &units, rollUps)
	if err != nil {
		return 0, err
	}
	return len(changed) + settled, rollUp(ctx, p.db, rollUps)
}

func monthList(months []uint32) string {
	text := "0"
	for _, m := range months {
		text += fmt.Sprintf(", %d", m)
	}
	return text
}
