package post

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/sql"
)

// SettleAsOf settles the units that have events recorded by a time and events recorded after it, from those recorded by
// then, and gives the rows that stand otherwise in the books of today: those of one order, or of all where it is "".
// Rows as of a close need no such thing: what comes later has a later epoch.
func (t *Terms) SettleAsOf(ctx context.Context, db driver.Conn, at time.Time, order string) ([]*ledger.Row,
	error) {
	orders, cases := []string{order}, []string(nil)
	if order == "" {
		var err error
		if orders, cases, err = straddling(ctx, db, at); err != nil {
			return nil, err
		}
	}
	if err := t.CatchUp(ctx); err != nil {
		return nil, err
	}
	var all []*ledger.Row
	seen := map[ledger.Ref]bool{}
	for len(orders)+len(cases) > 0 {
		o, c := orders[:min(mostUnits, len(orders))], cases[:min(mostUnits, len(cases))]
		orders, cases = orders[len(o):], cases[len(c):]
		rows, err := ledger.ReadUnits(ctx, db, o, c, t.Decisions())
		if err != nil {
			return nil, err
		}
		// A unit that is found by two names is read twice, and comes out the same both times.
		for _, r := range t.settleKnown(rows, at) {
			if ref := (ledger.Ref{Order: r.Event.OrderID, Source: r.Event.Source, ID: r.Event.ID}); !seen[ref] {
				seen[ref] = true
				all = append(all, r)
			}
		}
	}
	return all, nil
}

// settleKnown settles what was recorded by a time, where something of its unit was recorded later.
func (t *Terms) settleKnown(rows []ledger.Stored, at time.Time) (all []*ledger.Row) {
	later := func(r *ledger.Stored) bool { return r.RecordedAt.After(at) }
	if !slices.ContainsFunc(rows, func(r ledger.Stored) bool { return later(&r) }) {
		return nil
	}
	rows = slices.DeleteFunc(rows, func(r ledger.Stored) bool { return later(&r) })
	t.settling.Lock() // of the decoders
	defer t.settling.Unlock()
	t.Use(func(terms *domain.Terms) {
		settler := Settler{New: t.settler.New, readers: t.settler.readers}
		for _, r := range t.settler.Rebuilds {
			if !r.Mark.Time.After(at) {
				settler.Rebuilds = append(settler.Rebuilds, r)
			}
		}
		for _, unit := range Components(rows, t.decisions) {
			// What can't be read stays as it is, as it does for the projector.
			changed, refused, _ := settler.Settle(terms, unit)
			for _, r := range refused {
				r.Refuse("out_of_range")
				changed = append(changed, &r.Row)
			}
			all = append(all, changed...)
		}
		t.settler.readers = settler.readers
	})
	return all
}

// straddling finds the orders and cases that have events recorded by a time and events recorded after it. Orders are
// looked for among those of which anything was settled with other events; orders that name the same case are settled
// together, and so is what was decided on another's events.
func straddling(ctx context.Context, db driver.Conn, at time.Time) (orders, cases []string, err error) {
	const having = "HAVING min(recorded_at) <= toDateTime64(@at, 3, 'UTC') " +
		"AND max(recorded_at) > toDateTime64(@at, 3, 'UTC')"
	rows, err := db.Query(ctx, `
SELECT order_id AS name, true AS is_order FROM ledger
WHERE order_id IN (SELECT order_id FROM failures WHERE order_id != '') GROUP BY order_id `+having+`
UNION ALL
SELECT error_id AS name, false AS is_order FROM failures WHERE error_id != '' GROUP BY error_id `+having+`
UNION ALL
SELECT unit AS name, arrayJoin([true, false]) AS is_order FROM failures WHERE unit != '' GROUP BY unit `+having,
		sql.Named("at", at.UTC().Format("2006-01-02 15:04:05.000")))
	if err != nil {
		return nil, nil, fmt.Errorf("find the units that straddle a time: %w", err)
	}
	defer rows.Close()
	ofOrders, ofCases := map[string]bool{}, map[string]bool{}
	for rows.Next() {
		var name string
		var isOrder bool
		if err := rows.Scan(&name, &isOrder); err != nil {
			return nil, nil, fmt.Errorf("find the units that straddle a time: %w", err)
		}
		if isOrder {
			ofOrders[name] = true
		} else {
			ofCases[name] = true
		}
	}
	if err := rows.Err(); err != nil {
		return nil, nil, fmt.Errorf("find the units that straddle a time: %w", err)
	}
	return slices.Sorted(maps.Keys(ofOrders)), slices.Sorted(maps.Keys(ofCases)), nil
}
