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
)

// Until is what the books of a moment may know: what was recorded by Time, or, where there is a Close, what stood
// before it in the log.
type Until struct {
	Time  time.Time
	Close *domain.Mark
}

// later reports whether the row came after the moment.
func (u Until) later(r *ledger.Stored) bool {
	if u.Close != nil {
		return u.Close.Precedes(r.Position)
	}
	return r.RecordedAt.After(u.Time)
}

// passed reports whether a record of the books stream came after the moment.
func (u Until) passed(m *domain.Mark) bool {
	if u.Close != nil {
		return m.Offset > u.Close.Offset
	}
	return m.Time.After(u.Time)
}

// known is the condition on rows that came by then.
func (u Until) known() string {
	if u.Close != nil {
		return ledger.StoodBefore(u.Close)
	}
	return fmt.Sprintf("recorded_at <= toDateTime64('%s', 3, 'UTC')", u.Time.UTC().Format("2006-01-02 15:04:05.000"))
}

// SettleAsOf settles what has events of both sides of a moment, from those that came by then and with what the books
// stream said by then, and gives the rows that stand otherwise in the books of today: those of one order, or of all
// where it is "".
//
// What comes after a close has entries of its own and changes no line that the close saw. But whether an event counts,
// what of it can't be right and who sold it is said of the newest books.
func (t *Terms) SettleAsOf(ctx context.Context, db driver.Conn, until Until, order string) ([]*ledger.Row, error) {
	if err := t.CatchUp(ctx); err != nil {
		return nil, err
	}
	known := t.as(until)
	all := settledRows{seen: map[ledger.Ref]bool{}}
	orders, cases := []string{order}, []string(nil)
	if order == "" {
		var err error
		if orders, cases, err = straddling(ctx, db, until, known.repriced); err != nil {
			return nil, err
		}
		spends, err := straddlingSpends(ctx, db, until, t.Decisions())
		if err != nil {
			return nil, err
		}
		all.add(t.settleKnown(spends, known))
	}
	for len(orders)+len(cases) > 0 {
		o, c := orders[:min(mostUnits, len(orders))], cases[:min(mostUnits, len(cases))]
		orders, cases = orders[len(o):], cases[len(c):]
		rows, err := ledger.ReadUnits(ctx, db, o, c, t.Decisions())
		if err != nil {
			return nil, err
		}
		all.add(t.settleKnown(rows, known))
	}
	return all.rows, nil
}

// settledRows are rows that stand otherwise. A unit that is found by two names is read twice, and comes out the same
// both times.
type settledRows struct {
	rows []*ledger.Row
	seen map[ledger.Ref]bool
}

func (s *settledRows) add(rows []*ledger.Row) {
	for _, r := range rows {
		if ref := (ledger.Ref{Order: r.Event.OrderID, Source: r.Event.Source, ID: r.Event.ID}); !s.seen[ref] {
			s.seen[ref] = true
			s.rows = append(s.rows, r)
		}
	}
}

// knownBy is what the books stream said by a moment.
type knownBy struct {
	Until
	terms    *domain.Terms
	rebuilds []RebuildEvent // that price closed epochs
	// Epochs whose events rebuilds that came later price with rates of their own place, with the offset of the first.
	repriced map[int]int64
}

// as is what the books stream said by a moment. Rates and closes need not be sorted out: they say nothing of what
// stands before them in the log. But a rebuild that came later lets events look for rates at its own place.
func (t *Terms) as(until Until) (known knownBy) {
	known.Until, known.repriced = until, map[int]int64{}
	t.Use(func(terms *domain.Terms) {
		known.terms = terms.RebuiltBy(func(r *domain.Rebuild) bool { return !until.passed(&r.Mark) })
		for _, r := range terms.Rebuilds.All() {
			if until.passed(&r.Mark) {
				epoch := terms.Periods.Epoch(domain.Position{Stream: domain.Books, Offset: r.Mark.Offset, Time: r.Mark.Time})
				if first, is := known.repriced[epoch]; !is || r.Mark.Offset < first {
					known.repriced[epoch] = r.Mark.Offset
				}
			}
		}
		for _, r := range t.settler.Rebuilds {
			if !until.passed(&r.Mark) {
				known.rebuilds = append(known.rebuilds, r)
			}
		}
	})
	return known
}

// settleKnown settles what was known at a moment, where something of its unit, or a rebuild, came later.
func (t *Terms) settleKnown(rows []ledger.Stored, known knownBy) (all []*ledger.Row) {
	later := func(r ledger.Stored) bool { return known.later(&r) }
	if len(known.repriced) == 0 && !slices.ContainsFunc(rows, later) {
		return nil
	}
	rows = slices.DeleteFunc(rows, later)
	t.settling.Lock() // of the decoders
	defer t.settling.Unlock()
	t.Use(func(*domain.Terms) { // which known.terms share
		settler := Settler{New: t.settler.New, readers: t.settler.readers, Rebuilds: known.rebuilds}
		units := Components(rows, t.decisions)
		all = unsettled(rows, units)
		for _, unit := range units {
			// What can't be read stays as it is, as it does for the projector.
			changed, refused, _ := settler.Settle(known.terms, unit)
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

// unsettled are the rows of no unit that were settled once, as they were before that. What they are about came later:
// a decision can come before the event that it is about, and a void before the decision that it takes back.
func unsettled(rows []ledger.Stored, units [][]*ledger.Stored) (all []*ledger.Row) {
	of := map[*ledger.Stored]bool{}
	for _, unit := range units {
		for _, r := range unit {
			of[r] = true
		}
	}
	for i := range rows {
		if r := &rows[i]; r.Settled && !of[r] {
			r.Unsettle()
			all = append(all, &r.Row)
		}
	}
	return all
}

// straddling finds the orders and cases that have events of both sides of a moment, and those with events that ask for
// rates in an epoch that was priced again later. Orders are looked for among those of which anything was settled with
// other events; orders that name the same case are settled together, and so is what was decided on another's events. A
// row that was posted before such a rebuild was known, and never written again, is priced as it was.
func straddling(ctx context.Context, db driver.Conn, until Until, repriced map[int]int64) (orders, cases []string,
	err error) {
	having := "HAVING min(" + until.known() + ") = 0 AND max(" + until.known() + ") = 1"
	query := `
SELECT order_id AS name, true AS is_order FROM ledger
WHERE order_id IN (SELECT order_id FROM failures WHERE order_id != '') GROUP BY order_id ` + having + `
UNION ALL
SELECT error_id AS name, false AS is_order FROM failures WHERE error_id != '' GROUP BY error_id ` + having + `
UNION ALL
SELECT unit AS name, arrayJoin([true, false]) AS is_order FROM failures WHERE unit != '' GROUP BY unit ` + having
	for epoch, rebuilt := range repriced {
		query += fmt.Sprintf(`
UNION ALL
SELECT DISTINCT if(order_id != '', order_id, error_id) AS name, order_id != '' AS is_order FROM ledger
WHERE rated AND epoch = %d AND (version %% 256 != 0 OR terms > %d) AND `, epoch, rebuilt) + until.known()
	}
	rows, err := db.Query(ctx, query)
	if err != nil {
		return nil, nil, fmt.Errorf("find the units that straddle a moment: %w", err)
	}
	defer rows.Close()
	ofOrders, ofCases := map[string]bool{}, map[string]bool{}
	for rows.Next() {
		var name string
		var isOrder bool
		if err := rows.Scan(&name, &isOrder); err != nil {
			return nil, nil, fmt.Errorf("find the units that straddle a moment: %w", err)
		}
		if isOrder {
			ofOrders[name] = true
		} else {
			ofCases[name] = true
		}
	}
	if err := rows.Err(); err != nil {
		return nil, nil, fmt.Errorf("find the units that straddle a moment: %w", err)
	}
	return slices.Sorted(maps.Keys(ofOrders)), slices.Sorted(maps.Keys(ofCases)), nil
}

// straddlingSpends reads what was spent on quality, and what voids take back of it, where anything of that came later.
func straddlingSpends(ctx context.Context, db driver.Conn, until Until, decisions ledger.Decisions) ([]ledger.Stored,
	error) {
	var ids []string
	if err := db.QueryRow(ctx,
		"SELECT groupUniqArray("+ledger.SpendID+") FROM ledger WHERE "+ledger.AboutSpend).Scan(&ids); err != nil {
		return nil, fmt.Errorf("find what was spent on quality: %w", err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := ledger.ReadSpends(ctx, db, ids, decisions)
	if err != nil || !slices.ContainsFunc(rows, func(r ledger.Stored) bool { return until.later(&r) }) {
		return nil, err
	}
	return rows, nil
}
