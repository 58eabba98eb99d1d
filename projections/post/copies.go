package post

import (
	"context"
	"embed"
	"fmt"

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
	rows, err := ledger.Read(ctx, p.db, statements.Text("held_copies", struct{ Places string }{places}))
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
