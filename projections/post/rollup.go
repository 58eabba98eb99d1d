package post

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/makegood/makegood/projections/ledger"
)

// followUp is what settling leaves to do.
type followUp struct {
	units map[string]bool // whose roll-ups are to be recomputed
	// Orders and originals that were waited for and came. That is noted last: a process that ends before leaves them
	// waited for, so whoever books them again settles them again.
	came map[string]bool
}

func newFollowUp() *followUp { return &followUp{units: map[string]bool{}, came: map[string]bool{}} }

func (f *followUp) clear() {
	clear(f.units)
	clear(f.came)
}

// finish does what settling left to do.
func (p *Projector) finish(ctx context.Context, after *followUp) error {
	if err := p.rollUp(ctx, after.units); err != nil {
		return err
	}
	return p.noteAwaited(ctx, after.came, true)
}

// rollUp recomputes leakage_daily for units.
func (p *Projector) rollUp(ctx context.Context, units map[string]bool) error {
	const most = 20_000 // units a statement: bounds its memory
	for part := range slices.Chunk(slices.Sorted(maps.Keys(units)), most) {
		if err := p.inHalves(ctx, "recompute the leakage", part, func(ctx context.Context, part []string) error {
			with, err := ledger.Texts(ctx, "settled_units", "unit", part)
			if err != nil {
				return err
			}
			const filter = "unit IN (SELECT unit FROM settled_units)"
			from := filter
			if len(part) < len(units) { // what is settled together may be in another part
				from += " OR unit IN (" + ledger.SharedUnits + ")"
			}
			if err := p.rollUpWhere(with, filter, from); err != nil {
				return fmt.Errorf("recompute the leakage of %d units: %w", len(part), err)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// rollUpWhere recomputes the leakage of the units of a condition, filter, from the rows of units of another: what is of
// one may stand with an event of another that is settled with it.
//
// Whoever inserts rows recounts afterwards, with a version above, and overwrites with nothing the buckets that it finds
// and the rows don't fill. It can't find those of a recount that has read before the insert, and writes after it. So a
// recount is done again until nothing has come meanwhile: whoever inserts later finds all that it wrote. Where the
// books are on several servers, one may have got a later block before an earlier one, and of two recounts the one
// with the lower version may have seen more: that is mended the same way.
func (p *Projector) rollUpWhere(ctx context.Context, filter, from string) error {
	for range mostRounds {
		before, err := p.failuresOf(ctx, from)
		if err == nil {
			err = p.rollUpOnce(ctx, filter, from)
		}
		if err == nil {
			err = p.catchUp(ctx, "failures")
		}
		if err != nil {
			return err
		}
		after, err := p.failuresOf(ctx, from)
		if err != nil || after == before {
			return err
		}
	}
	return nil
}

// rollUpOnce overwrites a bucket that the rows no longer fill (its event left the books, or posts otherwise now) with
// nothing. A row stands above the one that it takes the place of.
func (p *Projector) rollUpOnce(ctx context.Context, filter, from string) error {
	known, err := ledger.RollUpVersion(ctx, p.db)
	if err != nil {
		return err
	}
	return p.db.Exec(ctx, statements.Text("roll_up", struct {
		Key, Facts, Fresh, Where string
		Known                    uint64
	}{ledger.LeakageKey, ledger.LeakageFacts, ledger.FailureLines("(" + from + ")"), filter, known}))
}

// failuresOf is a hash of what failures holds of the units of a condition.
func (p *Projector) failuresOf(ctx context.Context, from string) (sum uint64, err error) {
	if err := p.db.QueryRow(ctx, statements.Text("failures_of", struct{ Where string }{from})).Scan(&sum); err != nil {
		return 0, fmt.Errorf("look whether more failures came: %w", err)
	}
	return sum, nil
}
