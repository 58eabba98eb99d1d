package insight

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/insight/estimate"
)

var rightFirstTime = Part{"right_first_time", "Weeks of the time, and whether the share right first " +
	"time is outside of what the year before lets expect.", []Column{
	{Name: "store", Unit: Text, About: "The store that placed the orders; all where they are taken together."},
	{Name: "week", Unit: Day, About: "Its first day."},
	{Name: "delivered", Unit: Count, About: "Orders whose last delivery falls in the week."},
	{Name: "right", Unit: Count, About: "Of them, those right first time."},
	{Name: "share", Unit: Share, About: "right ÷ delivered; null without deliveries."},
	{Name: "usual", Unit: Share, About: "The share of the year before."},
	{Name: "low", Unit: Share, About: "Lower limit."},
	{Name: "high", Unit: Share, About: "Upper limit."},
	{Name: "signal", Unit: YesNo, About: "Outside of them; null where the baseline doesn't let tell."},
	{Name: "why_not", Unit: Text, About: "What would be needed."},
	link("The orders of the week."),
}}

// rightWeeks are a store's weeks: delivered, and right first time.
type rightWeeks struct {
	store            string
	delivered, right []float64
}

// readRightWeeks reads the whole weeks from since to end: of all stores together first, then of each. A company of one
// store has that alone.
func (q *Query) readRightWeeks(ctx context.Context, db driver.Conn, since, end time.Time) ([]rightWeeks, error) {
	var found []struct {
		Store     string `ch:"store"`
		Week      uint32 `ch:"week"`
		Delivered uint64 `ch:"delivered"`
		Right     uint64 `ch:"right"`
	}
	from := *q
	from.From = since
	if err := from.make("right_weeks").Select(ctx, db, &found); err != nil {
		return nil, fmt.Errorf("count what was right first time: %w", err)
	}
	weeks := max(0, int(end.Sub(since).Hours()/24)/7)
	all := []rightWeeks{{allStores, make([]float64, weeks), make([]float64, weeks)}}
	for _, f := range found {
		if int(f.Week) >= weeks {
			continue // not whole yet
		}
		if last := len(all) - 1; last == 0 || all[last].store != f.Store {
			all = append(all, rightWeeks{f.Store, make([]float64, weeks), make([]float64, weeks)})
		}
		for _, s := range []*rightWeeks{&all[0], &all[len(all)-1]} {
			s.delivered[f.Week] += float64(f.Delivered)
			s.right[f.Week] += float64(f.Right)
		}
	}
	if len(all) == 2 {
		all = all[1:]
	}
	return all, nil
}

// rows are the weeks of the time on a p′ chart of those before it.
func (s *rightWeeks) rows(since time.Time, budget estimate.Budget) []Row {
	var rows []Row
	start := min(baselineDays/7, len(s.delivered))
	first := 0
	for first < start && s.delivered[first] == 0 {
		first++
	}
	chart, err := estimate.NewPPrime(estimate.Shares{Right: s.right[first:start], Of: s.delivered[first:start]})
	for w := start; w < len(s.delivered); w++ {
		n := s.delivered[w]
		row := Row{"store": storeNamed(s.store), "week": since.AddDate(0, 0, 7*w).Format(time.DateOnly),
			"delivered": uint64(n), "right": uint64(s.right[w]), "share": nil, "usual": nil, "low": nil, "high": nil,
			"signal": nil, "why_not": nil}
		if n > 0 {
			row["share"] = *estimate.Text(s.right[w]/n, 6)
			if err != nil {
				row["why_not"] = err.Error()
			} else {
				limits := chart.Limits(n, budget.PerPeriod(7))
				row["usual"], row["signal"] = *estimate.Text(limits.Centre, 6), limits.Outside(s.right[w]/n) != 0
				row["low"], row["high"] = *estimate.Text(limits.Low, 6), *estimate.Text(limits.High, 6)
			}
		}
		rows = append(rows, row)
	}
	return rows
}
