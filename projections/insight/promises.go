package insight

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// promises asks how the promises of orders and of fixes were kept, and what the broken ones cost. It reads the events
// of the orders whose promise falls due in the time, which it finds among those of the time and of the 400 days before.
var promises = Question{
	Name:  "promises",
	About: "How the times promised for orders and for fixes were kept, by how much not, and what that cost.",
	Params: []Param{{Name: "by", About: "What to group by beside the store: nothing, the day or weekday on which the " +
		"promise falls due, the slot that was promised, or how (an order's channel, a fix's mode).",
		Of: []string{"day", "weekday", "slot", "how"}}},
	Method: "A promise counts on the day on which it falls due: kept where all came by then, late where it came after, " +
		"broken where nothing came or the business cancelled. Its leakage is all that the order's fixes leaked (of a " +
		"fix: its case), so volume times price is leakage.",
	Heading: "Promises and their price",
	Columns: promiseColumns("The order's channel where by is how."),
	Parts: []Part{
		{"fixes", "The promises of redeliveries, by the store that sends them.",
			promiseColumns("The mode of the redelivery where by is how.")},
		{"leakage", "The net leakage of the time by what became of the promise of its order; it sums to the leakage report.",
			[]Column{
				{Name: "outcome", Unit: Text, About: "kept, late, broken, open (not due yet), withdrawn (the customer " +
					"cancelled), none (no time was promised) or no_order."},
				{Name: "orders", Unit: Count, About: "Orders with leakage in the time.", Sum: true},
				{Name: "leakage", Unit: Money, About: "Net leakage of the time.", Sum: true},
				link("The orders."),
			}},
	},
	Read: readPromises,
}

func promiseColumns(how string) []Column {
	return []Column{
		{Name: "store", Unit: Text, About: "The store."},
		{Name: "group", Unit: Text, About: "What by asks for; empty where it asks for nothing. " + how},
		{Name: "promised", Unit: Count, About: "Promises with a time that fall due.", Sum: true},
		{Name: "kept", Unit: Count, About: "All came by then.", Sum: true},
		{Name: "late", Unit: Count, About: "It came after.", Sum: true},
		{Name: "broken", Unit: Count, About: "The time is over and nothing came, or the business cancelled.", Sum: true},
		{Name: "open", Unit: Count, About: "Not due yet, and nothing came yet.", Sum: true},
		{Name: "withdrawn", Unit: Count, About: "The customer cancelled before anything came.", Sum: true},
		{Name: "kept_share", Unit: Share, About: "Kept ÷ (kept + late + broken).", Estimate: true},
		{Name: "late_median", Unit: Hours, About: "Of the late ones: half of them were later."},
		{Name: "late_worst", Unit: Hours, About: "Of the late ones: the latest."},
		{Name: "leakage_late", Unit: Money, About: "Leakage of the late ones.", Sum: true},
		{Name: "price_late", Unit: Price, About: "Leakage of a late one, in the mean."},
		{Name: "leakage_broken", Unit: Money, About: "Leakage of the broken ones.", Sum: true},
		{Name: "price_broken", Unit: Price, About: "Leakage of a broken one, in the mean."},
		{Name: "leakage_kept", Unit: Money, About: "Leakage of those that were kept: something else went wrong.", Sum: true},
		{Name: "leakage_other", Unit: Money, About: "Leakage of open and withdrawn ones.", Sum: true},
		link("Each of them."),
	}
}

// promiseRow is what the statements give.
type promiseRow struct {
	Store   string `ch:"store"`
	Grouped string `ch:"grouped"`

	Promised  uint64 `ch:"promised"`
	Kept      uint64 `ch:"kept"`
	Late      uint64 `ch:"late"`
	Broken    uint64 `ch:"broken"`
	Open      uint64 `ch:"open"`
	Withdrawn uint64 `ch:"withdrawn"`

	LateMedian   float64 `ch:"late_median"` // seconds
	LateWorst    int64   `ch:"late_worst"`
	LeakedKept   string  `ch:"leaked_kept"`
	LeakedLate   string  `ch:"leaked_late"`
	LeakedBroken string  `ch:"leaked_broken"`
	LeakedOther  string  `ch:"leaked_other"`
}

func readPromises(ctx context.Context, db driver.Conn, q *Query) ([]Row, map[string][]Row, error) {
	var found []struct {
		promiseRow
		IsSplit bool   `ch:"is_split"`
		Split   string `ch:"split"`
		Orders  uint64 `ch:"orders"`
		Leakage string `ch:"leakage"`
	}
	if err := q.makeWith("promises_orders", q.Of["by"]).Select(ctx, db, &found); err != nil {
		return nil, nil, fmt.Errorf("count the promises of orders: %w", err)
	}
	var orders, leakage, fixes []Row
	for i := range found {
		if f := &found[i]; f.IsSplit {
			leakage = append(leakage, Row{"outcome": f.Split, "orders": f.Orders, "leakage": f.Leakage,
				"link": q.listLink("promises/leaked", "outcome", f.Split)})
			continue
		}
		row, err := found[i].row()
		if err != nil {
			return nil, nil, err
		}
		row["link"] = q.listLink("promises/orders", q.keysOf(&found[i].promiseRow)...)
		orders = append(orders, row)
	}
	var sent []promiseRow
	if err := q.makeWith("promises_fixes", q.Of["by"]).Select(ctx, db, &sent); err != nil {
		return nil, nil, fmt.Errorf("count the promises of fixes: %w", err)
	}
	for i := range sent {
		row, err := sent[i].row()
		if err != nil {
			return nil, nil, err
		}
		row["link"] = q.listLink("promises/redeliveries", q.keysOf(&sent[i])...)
		fixes = append(fixes, row)
	}
	return orders, map[string][]Row{"fixes": fixes, "leakage": leakage}, nil
}

// keysOf are those of the list of the promises behind a row.
func (q *Query) keysOf(f *promiseRow) []string {
	keys := []string{"store", f.Store}
	if by := q.Of["by"]; by != "" {
		keys = append(keys, "by", by, "group", f.Grouped)
	}
	return keys
}

// row is what is answered.
func (f *promiseRow) row() (Row, error) {
	row := Row{"store": f.Store, "group": f.Grouped, "promised": f.Promised, "kept": f.Kept, "late": f.Late,
		"broken": f.Broken, "open": f.Open, "withdrawn": f.Withdrawn,
		"kept_share":  estimate.Wilson(f.Kept, f.Kept+f.Late+f.Broken, leastOfAShare, 1),
		"late_median": nil, "late_worst": nil, "leakage_late": f.LeakedLate, "leakage_broken": f.LeakedBroken,
		"leakage_kept": f.LeakedKept, "leakage_other": f.LeakedOther}
	if f.Late > 0 {
		row["late_median"], row["late_worst"] = hours(f.LateMedian), hours(float64(f.LateWorst))
	}
	var err error
	if row["price_late"], err = price(f.LeakedLate, f.Late); err != nil {
		return nil, err
	}
	row["price_broken"], err = price(f.LeakedBroken, f.Broken)
	return row, err
}

// leastOfAShare is how many a share wants to be enough: with fewer its interval is wider than ±0.2.
const leastOfAShare = 20

// hours are seconds as hours with 2 decimals.
func hours(seconds float64) string { return *estimate.Text(seconds/3600, 2) }

// price is an amount a piece, with 8 decimals, so that price times pieces is the amount to the cent up to 1,000,000
// pieces; nil where there are none.
func price(amount string, pieces uint64) (any, error) {
	if pieces == 0 {
		return nil, nil //nolint:nilnil // a value that is not known
	}
	a, is := new(big.Rat).SetString(amount)
	if !is {
		return nil, fmt.Errorf("%q is no amount", amount)
	}
	return a.Quo(a, new(big.Rat).SetUint64(pieces)).FloatString(8), nil
}
