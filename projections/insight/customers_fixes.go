package insight

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/insight/estimate"
)

var customerFixes = Part{"fixes", "Of failed orders, by how and how fast they were made good: who came back.", []Column{
	{Name: "by", Unit: Text, About: "remedy, or speed: from the report to the first remedy."},
	{Name: "of", Unit: Text, About: "Which one."},
	{Name: "failed", Unit: Count, About: "Failed orders that were made good so."},
	{Name: "back", Unit: Share, About: "Share whose customer came back within 90 days.", Estimate: true},
	{Name: "against_others", Unit: Share, About: "That, less the share of failed orders like them that were made good " +
		"otherwise: first order or later, third of the basket, store, kind of case.", Estimate: true},
	{Name: "against_unfailed", Unit: Share, About: "That, less the share of orders like them that didn't fail: above 0 " +
		"with its whole interval is the paradox.", Estimate: true},
	{Name: "e_value_bound", Unit: Ratio, About: "How strongly something that isn't measured would have to go with both " +
		"to explain away the bound nearer to none, against others."},
	link("The failed orders."),
}}

var customerExperiments = Part{"experiments", "Of customers who were assigned at random: who came back, by arm.",
	[]Column{
		{Name: "experiment", Unit: Text, About: "Its name."},
		{Name: "arm", Unit: Text, About: "holdout is what the others are held against."},
		{Name: "customers", Unit: Count, About: "Who was assigned to it, 90 days ago or more."},
		{Name: "orders_before", Unit: Ratio, About: "Their mean orders before: chance makes the arms alike."},
		{Name: "back", Unit: Share, About: "Share that came back within 90 days.", Estimate: true},
		{Name: "difference", Unit: Share, About: "That, less the share of the holdout; null for the holdout itself.",
			Estimate: true},
		link("The orders by which they came into it."),
	}}

// fixedCell is a cell, and of failed orders how they were made good and what they are alike in among one another.
type fixedCell struct {
	estimate.Cell
	among, remedy, speed string
}

// fixRows compares the ways to make a failure good with one another, and with no failure. Their intervals hold
// together: each has its part of the risk.
func (q *Query) fixRows(cells []fixedCell) []Row {
	ways := map[[2]string]bool{}
	for i := range cells {
		if c := &cells[i]; c.Failed {
			ways[[2]string{"remedy", c.remedy}], ways[[2]string{"speed", c.speed}] = true, true
		}
	}
	level := 1 - (1-estimate.Level95)/float64(max(1, len(ways)))
	rows := make([]Row, 0, len(ways))
	byName := func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }
	for _, way := range slices.SortedFunc(maps.Keys(ways), byName) {
		var others, unfailed []estimate.Cell
		var all estimate.Tally
		for i := range cells {
			c := cells[i]
			is := way[0] == "remedy" && c.remedy == way[1] || way[0] == "speed" && c.speed == way[1]
			if c.Failed {
				one := c.Cell
				one.Stratum, one.Failed = c.among, is
				others = append(others, one)
			}
			if !c.Failed || is {
				unfailed = append(unfailed, c.Cell)
			}
			if c.Failed && is {
				all.N, all.Back = all.N+c.N, all.Back+c.Back
			}
		}
		m := estimate.Match(others, level)
		row := Row{"by": way[0], "of": way[1], "failed": uint64(all.N),
			"back":             estimate.Wilson(uint64(all.Back), uint64(all.N), leastOfAShare, 1),
			"against_others":   m.Back.Estimate("matched_strata", 6),
			"against_unfailed": estimate.Match(unfailed, level).Back.Estimate("matched_strata", 6), "e_value_bound": nil,
			"link": q.listLink("customers/orders", way[0], way[1])}
		if m.Back.Enough() {
			if text := estimate.Text(m.EBound, 4); text != nil {
				row["e_value_bound"] = *text
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func readExperiments(ctx context.Context, db driver.Conn, q *Query) ([]Row, error) {
	var found []struct {
		Experiment string  `ch:"experiment"`
		Arm        string  `ch:"arm"`
		Customers  uint64  `ch:"customers"`
		Back       uint64  `ch:"back"`
		Before     float64 `ch:"orders_before"`
	}
	if err := q.makeWith("experiments", "drawn").Select(ctx, db, &found); err != nil {
		return nil, fmt.Errorf("count who came back by experiment: %w", err)
	}
	holdouts := map[string]estimate.Arm{}
	for _, f := range found {
		if f.Arm == domain.Holdout {
			holdouts[f.Experiment] = estimate.Arm{N: f.Customers, Back: f.Back}
		}
	}
	rows := make([]Row, 0, len(found))
	for _, f := range found {
		difference := estimate.Estimated{N: int(f.Customers), Level: estimate.Level95,
			WhyNot: "the others are held against it"}
		switch against := holdouts[f.Experiment]; {
		case f.Arm == domain.Holdout:
		case against.N < leastOfAShare || f.Customers < leastOfAShare:
			difference.WhyNot = fmt.Sprintf("%d customers are in this arm and %d in the holdout; %d of each are needed",
				f.Customers, against.N, leastOfAShare)
		default:
			difference = estimate.Difference(estimate.Arm{N: f.Customers, Back: f.Back}, against, estimate.Level95)
		}
		rows = append(rows, Row{"experiment": f.Experiment, "arm": f.Arm, "customers": f.Customers,
			"orders_before": *estimate.Text(f.Before/float64(f.Customers), 2),
			"back":          estimate.Wilson(f.Back, f.Customers, leastOfAShare, 1),
			"difference":    difference.Estimate("newcombe", 6),
			"link":          q.listLink("customers/assigned", "experiment", f.Experiment, "arm", f.Arm)})
	}
	return rows, nil
}
