package main

import (
	"fmt"
	"testing"

	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
)

// holdSettled holds rows of the ledger against what comes out where they are settled once more: the same. A row that
// stays otherwise is stale, or says what the ledger doesn't keep, and would be written again for ever.
func holdSettled(t *testing.T, known *post.Known, rows []ledger.Stored) {
	t.Helper()
	settler := post.Settler{New: decode.Stored, Rebuilds: known.Rebuilds}
	units, stale := post.Components(rows, known.Decisions), 0
	for _, unit := range units {
		if len(unit) == 1 && unit[0].PostsAlone() && !unit[0].Settled {
			continue // it needs no other event, and was posted without
		}
		was := map[*ledger.Row]ledger.Row{}
		for _, r := range unit {
			was[&r.Row] = r.Row
		}
		changed, refused, not := settler.Settle(known.Terms, unit)
		for _, r := range changed {
			before := was[r]
			stale++
			t.Errorf("event %s of %s (%s, order %q, case %q, terms %d) is stale:\n has %s\nwant %s", r.Event.ID, r.Event.Source,
				r.Event.Type, r.Event.OrderID, r.Event.ErrorID, r.Terms, booked(&before), booked(r))
		}
		for _, r := range refused {
			t.Errorf("event %s of %s should have left the books", r.Event.ID, r.Event.Source)
		}
		for _, n := range not {
			t.Error(n)
		}
	}
	t.Logf("%d units of %d rows are settled once more, %d rows come out otherwise", len(units), len(rows), stale)
}

// booked is what a row says to the books.
func booked(r *ledger.Row) string {
	return fmt.Sprintf("%v of %v, epoch %d, posted %v, facts %+v, flags %+v, sold by %q, lines %+v", r.Standing, r.Of,
		r.Epoch, r.Posting, r.Facts, r.Flags, r.SoldBy, r.Lines)
}
