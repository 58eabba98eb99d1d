package insight

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/insight/estimate"
	"github.com/makegood/makegood/projections/sql"
)

// sources asks which tills and stores fell silent. It reads the orders of the 56 days before the end of the time, or
// before now where that is earlier.
var sources = Question{
	Name:  "sources",
	About: "Tills and stores that fell silent: how many orders were to be expected since the last one.",
	Method: "What is expected since the last order is the sum, over the hours since, of the mean orders of that hour " +
		"of the week in the 56 days before. A source is silent where 12 or more were expected and none came: by chance " +
		"that happens to one of 200 sources that are looked at every hour once a month at most, if orders don't crowd.",
	Heading: "Silent tills and stores",
	Columns: []Column{
		{Name: "what", Unit: Text, About: "till (the source of its events) or store."},
		{Name: "name", Unit: Text, About: "Its name."},
		{Name: "store", Unit: Text, About: "The store."},
		{Name: "orders", Unit: Count, About: "Orders in the 56 days."},
		{Name: "last", Unit: Text, About: "When the last order was placed (RFC 3339)."},
		{Name: "silent_for", Unit: Hours, About: "Since then."},
		{Name: "expected", Unit: Text, About: "Orders to be expected since then; null where too little is known."},
		{Name: "silent", Unit: YesNo, About: "Whether it fell silent; null where too little is known."},
		link("Its orders of the 56 days."),
	},
	Plain: true,
	Read:  readSources,
}

const (
	// leastOrders and leastDays are what a source's habits are known from.
	leastOrders = 50
	leastDays   = 14
)

// end is the end of the time, or now where that is earlier.
func (q *Query) end() time.Time {
	y, m, d := q.To.Date()
	until := time.Date(y, m, d, 0, 0, 0, 0, q.Now.Location())
	if until.After(q.Now) {
		return q.Now
	}
	return until
}

// untilNow is that end as statements take it.
func (q *Query) untilNow() string { return q.end().UTC().Format("2006-01-02 15:04:05.000000") }

func readSources(ctx context.Context, db driver.Conn, q *Query) ([]Row, map[string][]Row, error) {
	until := q.end()
	var rows []Row
	for _, what := range []string{"store", "till"} {
		found, err := q.makeWith("sources", what,
			sql.Named("until", q.untilNow())).Rows(ctx, db)
		if err != nil {
			return nil, nil, fmt.Errorf("count what each %s sent: %w", what, err)
		}
		for found.Next() {
			var s struct {
				name, store string
				orders      uint64
				first, last time.Time
			}
			var at, n []uint64
			if err := found.Scan(&s.name, &s.store, &s.orders, &s.first, &s.last, &at, &n); err != nil {
				return nil, nil, fmt.Errorf("count what each %s sent: %w", what, err)
			}
			habits := estimate.Habits{First: s.first, Last: s.last}
			for i := range at {
				habits.Orders[at[i]] = n[i]
			}
			row := Row{"what": what, "name": s.name, "store": s.store, "orders": s.orders,
				"last": s.last.UTC().Format(time.RFC3339), "silent_for": hours(until.Sub(s.last).Seconds()),
				"expected": nil, "silent": nil, "link": q.listLink("sources/orders", what, s.name)}
			if s.orders >= leastOrders && s.last.Sub(s.first) >= leastDays*24*time.Hour {
				expected := habits.ExpectedSince(until)
				row["expected"], row["silent"] = *estimate.Text(expected, 2), expected >= estimate.SilentFrom
			}
			rows = append(rows, row)
		}
		if err := found.Err(); err != nil {
			return nil, nil, fmt.Errorf("count what each %s sent: %w", what, err)
		}
		if err := found.Close(); err != nil {
			return nil, nil, err
		}
	}
	return rows, nil, nil
}
