package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// counter asks how orders go at each counter, by who took them. It reads the orders that were placed in the time, their
// cases and their deliveries.
var counter = Question{
	Name: "counter",
	About: "How orders go at each counter, by who took them: right first time, who stands apart, and what the " +
		"best do differently.",
	Method: "The share right first time is drawn towards the counter's as far as somebody's orders are few " +
		"(beta-binomial), and is given from 100 orders on. Somebody stands above or below only where, among " +
		"equals, chance would name anybody in 5 of 100 companies (exact test against the others of the counter).",
	Heading: "The counter",
	Columns: []Column{
		{Name: "store", Unit: Text, About: "The store that placed the orders."},
		{Name: "employee", Unit: Text, About: "Who took them, as the hash that the books keep; empty: nobody is named."},
		{Name: "orders", Unit: Count, About: "Orders that were placed in the time.", Sum: true},
		{Name: "failed", Unit: Count, About: "Of them, those that this person's work made fail.", Sum: true},
		{Name: "caught", Unit: Count, About: "Of the failed ones, those found before the customer met them.", Sum: true},
		{Name: "right", Unit: Share, About: "Share right first time, shrunk.", Estimate: true},
		{Name: "funnel_low", Unit: Share, About: "Lower limit of the share that chance explains."},
		{Name: "funnel_high", Unit: Share, About: "Upper limit."},
		{Name: "stands", Unit: Text, About: "above, below, or within what chance explains."},
		{Name: "avoided", Unit: Ratio, About: "Failures that the others' share lets expect, less those that came."},
		{Name: "promised", Unit: Count, About: "Orders with a promise that is due.", Sum: true},
		{Name: "kept", Unit: Share, About: "Promises kept, as a share.", Estimate: true},
		{Name: "kept_difference", Unit: Share, About: "That, less the share of the others of the counter.", Estimate: true},
		link("Their orders."),
	},
	Plain:  true,
	People: true,
	Read:   readCounter,
}

// leastHandled is the least of orders by which somebody is judged.
const leastHandled = 100

// handled is what one person took.
type handled struct {
	Store    string `ch:"store"`
	Employee string `ch:"employee"`
	Orders   uint64 `ch:"orders"`
	Failed   uint64 `ch:"failed"`
	Caught   uint64 `ch:"caught"`
	Promised uint64 `ch:"promised"`
	Kept     uint64 `ch:"kept"`
}

func readCounter(ctx context.Context, db driver.Conn, q *Query) ([]Row, map[string][]Row, error) {
	var found []handled
	if err := q.makeWith("counter", "placed").Select(ctx, db, &found); err != nil {
		return nil, nil, fmt.Errorf("count who took which orders: %w", err)
	}
	var rows []Row
	stores := map[string][]handled{}
	var names []string
	for _, h := range found {
		if stores[h.Store] == nil {
			names = append(names, h.Store)
		}
		stores[h.Store] = append(stores[h.Store], h)
	}
	for _, name := range names {
		for i, row := range counterRows(stores[name], len(names)) {
			row["link"] = q.listLink("counter/orders", "store", name, "employee", stores[name][i].Employee)
			rows = append(rows, row)
		}
	}
	return rows, nil, nil
}

// counterRows are those of one store: who stands above first, everybody else by name, and the orders of nobody last.
// No cost is in it: it is the work that is compared, and what a failure costs isn't decided at the counter.
func counterRows(all []handled, counters int) []Row {
	people := make([]estimate.Handled, 0, len(all))
	var whole handled // of those who are named
	for _, h := range all {
		if h.Employee != "" {
			people = append(people, estimate.Handled{Who: h.Employee, Orders: int(h.Orders), Failed: int(h.Failed)})
			whole.Orders, whole.Failed = whole.Orders+h.Orders, whole.Failed+h.Failed
			whole.Promised, whole.Kept = whole.Promised+h.Promised, whole.Kept+h.Kept
		}
	}
	standings := map[string]estimate.Standing{}
	for _, s := range estimate.Counter(people, leastHandled, estimate.Level95, counters) {
		standings[s.Who] = s
	}
	slices.SortStableFunc(all, func(a, b handled) int {
		rank := func(h handled) int {
			switch {
			case h.Employee == "":
				return 2
			case standings[h.Employee].Apart > 0:
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Employee, b.Employee))
	})
	rows := make([]Row, 0, len(all))
	for _, h := range all {
		s, named := standings[h.Employee]
		if !named {
			s = estimate.Standing{WhyNot: "nobody is named on these orders",
				Right: estimate.Estimated{N: int(h.Orders), Level: estimate.Level95, WhyNot: "nobody is named on these orders"}}
		}
		rows = append(rows, h.row(&s, &whole))
	}
	return rows
}

func (h *handled) row(s *estimate.Standing, whole *handled) Row {
	kept := estimate.Wilson(h.Kept, h.Promised, leastOfAShare, 1)
	row := Row{"store": h.Store, "employee": h.Employee, "orders": h.Orders, "failed": h.Failed, "caught": h.Caught,
		"right": s.Right.Estimate("beta_binomial", 6), "funnel_low": nil, "funnel_high": nil, "stands": nil, "avoided": nil,
		"promised": h.Promised, "kept": kept, "kept_difference": nil}
	others := estimate.Arm{}
	if h.Employee != "" {
		others = estimate.Arm{N: whole.Promised - h.Promised, Back: whole.Kept - h.Kept}
	}
	difference := estimate.Estimated{N: int(h.Promised), Level: estimate.Level95,
		WhyNot: fmt.Sprintf("%d promises are due here and %d of the others; %d of each are needed", h.Promised, others.N,
			leastOfAShare)}
	if h.Employee == "" {
		difference = s.Right
	} else if h.Promised >= leastOfAShare && others.N >= leastOfAShare {
		difference = estimate.Difference(estimate.Arm{N: h.Promised, Back: h.Kept}, others, estimate.Level95)
	}
	row["kept_difference"] = difference.Estimate("newcombe", 6)
	if s.WhyNot != "" {
		return row
	}
	row["funnel_low"], row["funnel_high"] = *estimate.Text(s.FunnelLow, 6), *estimate.Text(s.FunnelHigh, 6)
	row["stands"] = map[int]string{-1: "below", 0: "within", 1: "above"}[s.Apart]
	if rest := whole.Orders - h.Orders; rest > 0 {
		usual := float64(whole.Failed-h.Failed) / float64(rest)
		row["avoided"] = *estimate.Text(usual*float64(h.Orders)-float64(h.Failed), 2)
	}
	return row
}
