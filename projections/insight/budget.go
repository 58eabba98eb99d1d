package insight

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/insight/estimate"
	"github.com/makegood/makegood/projections/report"
	"github.com/makegood/makegood/projections/sql"
)

// budget asks how much of what failures may cost is used, and where the time will end. It reads the orders and the
// roll-up of the time and of the half year before.
var budget = Question{
	Name:  "budget",
	About: "What failures cost per order, how much of the budget that burns, and where the month will end.",
	Params: []Param{{Name: "per_order", About: "What failures may cost per order, net: 0.35. Without it, what they " +
		"cost in the half year before."}},
	Method: "Cost per order is the net leakage of the time over the orders placed in it; burn is that over what was " +
		"allowed. The forecast adds the mean of the weeks of the half year before; its interval, read from such weeks " +
		"drawn anew, holds the true end in 80 of 100, or more often where most often nothing comes.",
	Heading: "The failure budget",
	Columns: []Column{
		{Name: "store", Unit: Text, About: "The store; all where they are taken together."},
		{Name: "orders", Unit: Count, About: "Orders placed so far."},
		{Name: "leakage", Unit: Money, About: "Net leakage so far; of all stores it is that of the leakage report."},
		{Name: "per_order", Unit: Price, About: "Leakage ÷ orders."},
		{Name: "allowed", Unit: Price, About: "What was allowed per order."},
		{Name: "burn", Unit: Share, About: "Leakage ÷ (orders × allowed): above 1 the budget is spent."},
		{Name: "forecast", Unit: Money, About: "Net leakage of the whole time: what came and what the days left will cost.",
			Estimate: true},
		{Name: "orders_expected", Unit: Count, About: "Orders of the whole time, the days left as those weekdays were."},
		{Name: "forecast_burn", Unit: Share, About: "Forecast ÷ (orders expected × allowed).", Estimate: true},
		link("The cases whose costs make the leakage so far."),
	},
	Read: readBudget,
}

const (
	budgetLevel   = 0.8
	budgetHistory = 182 // days: each weekday 26 times
	priceDecimals = 6
	priceUnits    = 1_000_000
)

// allStores is the key of all stores together. No store has this name: names have no control characters, and a store
// may be called all.
const allStores = "\x00"

// storeNamed is what an answer calls a store, or all of them.
func storeNamed(name string) string {
	if name == allStores {
		return "all"
	}
	return name
}

// daysOfStore are the days of one store that are known, from the first of the history on.
type daysOfStore struct {
	orders []uint64
	cost   []float64
	came   *big.Rat // in the time asked for, today as far as it is known
	placed uint64
}

func readBudget(ctx context.Context, db driver.Conn, q *Query) ([]Row, map[string][]Row, error) {
	var given *big.Rat
	if text := q.Of["per_order"]; text != "" {
		price, err := domain.ParseDecimal([]byte(text), priceDecimals)
		if err != nil || price <= 0 {
			return nil, nil, &report.Invalid{Code: report.NotAPrice, Parameter: "per_order", Value: text}
		}
		given = big.NewRat(int64(price), priceUnits)
	}
	since := q.From.AddDate(0, 0, -budgetHistory)
	end := q.wholeDays()
	stores, names, err := q.daysOfStores(ctx, db, date(since), end)
	if err != nil {
		return nil, nil, err
	}
	rows := make([]Row, 0, len(names))
	for _, name := range names {
		rows = append(rows, q.budgetRow(name, stores[name], given, date(since), end))
	}
	return rows, nil, nil
}

// daysOfStores reads the days from since to end (exclusive), of each store and of all together, which come last.
func (q *Query) daysOfStores(ctx context.Context, db driver.Conn, since, end time.Time) (map[string]*daysOfStore,
	[]string, error) {
	var found []struct {
		Store   string  `ch:"store"`
		Day     string  `ch:"day"`
		Orders  uint64  `ch:"orders"`
		Leakage string  `ch:"leakage"`
		Cost    float64 `ch:"cost"`
	}
	if err := q.make("days_of_stores", sql.Named("since", since)).Select(ctx, db, &found); err != nil {
		return nil, nil, fmt.Errorf("read the days of the stores: %w", err)
	}
	n := max(0, int(end.Sub(since).Hours()/24))
	stores, names := map[string]*daysOfStore{}, []string{}
	for _, f := range found {
		day, err := time.Parse(time.DateOnly, f.Day)
		amount, is := new(big.Rat).SetString(f.Leakage)
		if err != nil || !is {
			return nil, nil, fmt.Errorf("read the days of the stores: %q, %q", f.Day, f.Leakage)
		}
		for _, name := range []string{f.Store, allStores} {
			s := stores[name]
			if s == nil {
				s = &daysOfStore{make([]uint64, n), make([]float64, n), new(big.Rat), 0}
				if stores[name] = s; name != allStores {
					names = append(names, name)
				}
			}
			if !day.Before(date(q.From)) {
				s.came.Add(s.came, amount)
				s.placed += f.Orders
			}
			if i := int(day.Sub(since).Hours() / 24); i < n {
				s.orders[i] += f.Orders
				s.cost[i] += f.Cost
			}
		}
	}
	if len(names) > 0 {
		names = append(names, allStores)
	}
	return stores, names, nil
}

func (q *Query) budgetRow(name string, s *daysOfStore, given *big.Rat, since, end time.Time) Row {
	var known []float64
	var before uint64
	var came, costBefore, expected float64 // came and expected: up to the last whole day
	var usual, seen [7]float64
	for i, cost := range s.cost {
		if s.orders[i] == 0 && cost == 0 && len(known) == 0 {
			continue // the store wasn't there yet
		}
		day := since.AddDate(0, 0, i)
		weekday := day.Weekday()
		known = append(known, cost)
		usual[weekday], seen[weekday] = usual[weekday]+float64(s.orders[i]), seen[weekday]+1
		if day.Before(date(q.From)) {
			before, costBefore = before+s.orders[i], costBefore+cost
		} else {
			expected, came = expected+float64(s.orders[i]), came+cost
		}
	}
	coming := 0
	for day := end; day.Before(date(q.To)); day = day.AddDate(0, 0, 1) {
		coming++
		expected += usual[day.Weekday()] / max(1, seen[day.Weekday()])
	}
	f := estimate.Forecast(known, coming, budgetLevel)
	if coming == 0 { // the time is over: nothing is estimated any more
		came, _ = s.came.Float64()
		f = estimate.Estimated{Level: budgetLevel, N: len(known)}
	}
	f.Value, f.Low, f.High = came+f.Value, roundedDown(came+f.Low), -roundedDown(-came-f.High)
	row := Row{"store": storeNamed(name), "orders": s.placed, "leakage": s.came.FloatString(4), "per_order": nil,
		"link": q.leakageLink(ofOneStore(name)...), "allowed": nil, "burn": nil,
		"orders_expected": uint64(expected + 0.5), "forecast": f.Estimate("weeks_drawn", 2)}
	allowed := given
	if allowed == nil && before > 0 && costBefore > 0 {
		allowed = new(big.Rat).SetFloat64(costBefore / float64(before))
	}
	if allowed == nil || expected < 1 {
		f.WhyNot = "no budget is given, and nothing is known of the half year before"
	} else {
		row["allowed"] = allowed.FloatString(8)
		each, _ := allowed.Float64()
		f.Value, f.Low, f.High = f.Value/each/expected, f.Low/each/expected, f.High/each/expected
	}
	row["forecast_burn"] = f.Estimate("weeks_drawn", 6)
	if s.placed > 0 {
		each := new(big.Rat).Quo(s.came, new(big.Rat).SetUint64(s.placed))
		row["per_order"] = each.FloatString(8)
		if allowed != nil {
			row["burn"] = each.Quo(each, allowed).FloatString(6)
		}
	}
	return row
}

// roundedDown is an amount in cents, and never more than it is but for what a float leaves open: where nothing more
// comes, what came already is within bounds of whole cents.
func roundedDown(x float64) float64 { return math.Floor(100*x+1e-4) / 100 }

// date is a day as the days of the books are compared.
func date(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}
