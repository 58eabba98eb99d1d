package insight

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/insight/estimate"
	"github.com/makegood/makegood/projections/sql"
)

// customers asks what failing does to whether customers come back. It reads all orders of the customers of the time.
var customers = Question{
	Name: "customers",
	About: "Whether customers whom we failed come back, what that takes from the contribution of the next 90 days, and " +
		"which fix brings them back.",
	Method: "Each order with a founded case that the customer met is held against orders like it without one: as many " +
		"orders before, a basket of the same tenth, the same store, channel and month. The interval is read from 24 " +
		"groups of customers. Where customers were assigned at random (experiment), the arms are compared as they are.",
	Heading: "Do customers whom we failed come back?",
	Columns: []Column{
		{Name: "store", Unit: Text, About: "The store; all where they are taken together."},
		{Name: "failed", Unit: Count, About: "Orders with a founded case that the customer met, whose 90 days are over."},
		{Name: "alike", Unit: Count, About: "Of them, those that have an order like them without one."},
		{Name: "back_failed", Unit: Share, About: "Of those, the share whose customer came back within 90 days."},
		{Name: "back_alike", Unit: Share, About: "The same of the orders like them."},
		{Name: "difference", Unit: Share, About: "The one less the other: below 0, failing drives customers away.",
			Estimate: true},
		{Name: "contribution", Unit: Money, About: "Contribution of the orders of the next 90 days, per failed order, " +
			"less that of the orders like it.", Estimate: true},
		{Name: "e_value", Unit: Ratio, About: "How strongly something that isn't measured would have to go with both " +
			"failing and coming back, as a ratio of risks, to explain the difference away."},
		{Name: "e_value_bound", Unit: Ratio, About: "The same for the bound nearer to none; 1: nothing is needed."},
		link("The failed orders."),
	},
	Parts: []Part{{"balance", "How far failed orders and the others are apart in what was there before, in deviations.",
		[]Column{
			{Name: "store", Unit: Text, About: "The store; all where they are taken together."},
			{Name: "what", Unit: Text, About: "orders before, or basket."},
			{Name: "before", Unit: Ratio, About: "All failed orders and all others; null where none failed."},
			{Name: "after", Unit: Ratio, About: "Failed orders and those like them; null where there are none."},
		}}, customerFixes, customerExperiments},
	Read: readCustomers,
}

func readCustomers(ctx context.Context, db driver.Conn, q *Query) ([]Row, map[string][]Row, error) {
	var found []struct {
		Stratum       string  `ch:"stratum"`
		Among         string  `ch:"among"`
		Remedy        string  `ch:"remedy"`
		Speed         string  `ch:"speed"`
		Store         string  `ch:"store"`
		Customers     uint8   `ch:"customers"`
		Failed        bool    `ch:"failed"`
		N             float64 `ch:"n"`
		Back          float64 `ch:"back"`
		Later         float64 `ch:"later"`
		Prior         float64 `ch:"prior"`
		PriorSquares  float64 `ch:"prior_squares"`
		Basket        float64 `ch:"basket"`
		BasketSquares float64 `ch:"basket_squares"`
	}
	asked := q.make("customers_cells", sql.Named("groups", estimate.Groups))
	if err := asked.Select(ctx, db, &found); err != nil {
		return nil, nil, fmt.Errorf("count who came back: %w", err)
	}
	cells := map[string][]estimate.Cell{}
	var names []string
	var fixes []fixedCell
	for _, f := range found {
		c := estimate.Cell{Stratum: f.Stratum, Group: int(f.Customers), Failed: f.Failed, Tally: estimate.Tally{N: f.N,
			Back: f.Back, Contribution: f.Later, Prior: [2]float64{f.Prior, f.PriorSquares},
			Basket: [2]float64{f.Basket, f.BasketSquares}}}
		fixes = append(fixes, fixedCell{c, f.Among, f.Remedy, f.Speed})
		for _, name := range []string{f.Store, allStores} {
			if cells[name] == nil && name != allStores {
				names = append(names, name)
			}
			cells[name] = append(cells[name], c)
		}
	}
	slices.Sort(names)
	rows, balance := []Row{}, []Row{}
	for _, name := range append(names, allStores) {
		m := estimate.Match(cells[name], 0.95)
		row := Row{"store": storeNamed(name), "failed": uint64(m.Failed), "alike": uint64(m.Alike), "back_failed": nil,
			"back_alike": nil, "difference": m.Back.Estimate("matched_strata", 6),
			"contribution": m.Contribution.Estimate("matched_strata", 2), "e_value": nil, "e_value_bound": nil,
			"link": q.listLink("customers/orders", ofOneStore(name)...)}
		if m.Back.Enough() {
			row["back_failed"], row["back_alike"] = *estimate.Text(m.BackFailed, 6), *estimate.Text(m.BackAlike, 6)
			for column, value := range map[string]float64{"e_value": m.EValue, "e_value_bound": m.EBound} {
				if text := estimate.Text(value, 4); text != nil {
					row[column] = *text
				}
			}
		}
		rows = append(rows, row)
		for _, b := range m.Balance {
			row := Row{"store": storeNamed(name), "what": b.What, "before": nil, "after": nil}
			if m.Failed > 0 {
				row["before"] = *estimate.Text(b.Before, 4)
			}
			if m.Alike > 0 {
				row["after"] = *estimate.Text(b.After, 4)
			}
			balance = append(balance, row)
		}
	}
	experiments, err := readExperiments(ctx, db, q)
	return rows, map[string][]Row{"balance": balance, "fixes": q.fixRows(fixes), "experiments": experiments}, err
}
