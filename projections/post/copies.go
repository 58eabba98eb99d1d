package post

import (
	"context"
	"embed"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/sql"
)

//go:embed sql/*.sql
var files embed.FS

// statements are the .sql files of this room.
var statements = sql.Parse(files, "sql")

// Of the copies of an event the first recorded counts (see ledger.Row.Version), and mostly it comes first. Where the
// copies were sent with different keys it may come after one that was settled. The ledger then holds the first, but a
// table that is fed from the ledger goes on holding the other, unless it is fed the first too: failures holds what was
// settled, unpriced what had no price. Such an event is settled again, and its row written in any case, which feeds
// both.

// heldCopies are the events seen at some places of which failures or unpriced hold another copy than the ledger, where
// the ledger's row was not fed to them. It marks their units.
func (p *Projector) heldCopies(ctx context.Context, places string,
	units *ledger.Units) (map[domain.Identity]bool, error) {
	var may uint64
	if err := p.db.QueryRow(ctx, `SELECT (SELECT count() FROM failures WHERE error_id = '') +
        (SELECT count() FROM unpriced WHERE notEmpty(missing))`).Scan(&may); err != nil {
		return nil, fmt.Errorf("look for copies that came before others: %w", err)
	}
	if may == 0 { // so it is mostly, and nothing else is read
		return nil, nil
	}
	found, err := p.heldCandidates(ctx, places)
	if err != nil || found == nil {
		return nil, err
	}
	rows, err := ledger.Read(clickhouse.Context(ctx, clickhouse.WithExternalTable(found)), p.db,
		statements.Text("held_copies", nil))
	if err != nil {
		return nil, fmt.Errorf("look for copies that came before others: %w", err)
	}
	held := map[domain.Identity]bool{}
	for i := range rows {
		held[rows[i].Identity()] = true
		units.AddStored(&rows[i])
	}
	return held, nil
}

// heldCandidates are the keys of events that heldCopies looks for; nil where there are none.
func (p *Projector) heldCandidates(ctx context.Context, places string) (*ext.Table, error) {
	found, err := ext.NewTable("candidates", ext.Column("order_id", "String"), ext.Column("source", "String"),
		ext.Column("event_id", "String"), ext.Column("content", "UInt64"), ext.Column("of_failures", "Bool"))
	if err != nil {
		return nil, fmt.Errorf("name copies that came before others: %w", err)
	}
	rows, err := p.db.Query(ctx, statements.Text("held_candidates", struct{ Places string }{places}))
	if err != nil {
		return nil, fmt.Errorf("look for copies that came before others: %w", err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var order, source, id string
		var content uint64
		var ofFailures bool
		err := rows.Scan(&order, &source, &id, &content, &ofFailures)
		if err == nil {
			err = found.Append(order, source, id, content, ofFailures)
		}
		if err != nil {
			return nil, fmt.Errorf("look for copies that came before others: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("look for copies that came before others: %w", err)
	}
	if n == 0 {
		return nil, nil
	}
	return found, nil
}

// settleCopies settles the units of copies that were recorded first and came after others.
func (p *Projector) settleCopies(ctx context.Context, places string) (int, error) {
	units, after := ledger.NewUnits(), newFollowUp()
	held, err := p.heldCopies(ctx, places, &units)
	if err != nil || len(held) == 0 {
		return 0, err
	}
	settled, err := p.settleHeld(ctx, &units, held, after)
	if err != nil {
		return settled, err
	}
	return settled, p.finish(ctx, after)
}
