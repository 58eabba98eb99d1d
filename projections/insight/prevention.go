package insight

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// prevention asks whether money spent on having fewer failures paid. It reads the orders and the roll-up of three
// years.
var prevention = Question{
	Name: "prevention",
	About: "Whether what was spent on preventing a cause paid: the change of its cost per order, what that saved, and " +
		"when it was paid back.",
	Method: "The cost per order of the cause, before the first spend and since, is held against causes and stores on " +
		"which nothing was spent in those weeks (difference-in-differences, staggered starts). The risk of a benefit " +
		"claimed where there is none is 2.5 % for all spends together.",
	Heading: "Did prevention pay?",
	Columns: []Column{
		{Name: "cause", Unit: Text, About: "The target cause; empty where none was said."},
		{Name: "store", Unit: Text, About: "The store; empty where the spend was for all."},
		{Name: "first", Unit: Day, About: "Day of the first spend."},
		{Name: "spent", Unit: Money, About: "Spent in the time: with the other rows what account 6100 has.", Sum: true},
		{Name: "spent_since", Unit: Money, About: "Spent since the first day, up to the end of the time."},
		{Name: "change", Unit: Share, About: "Of the cost per order: −0.2 is a fifth less.", Estimate: true},
		{Name: "saved", Unit: Money, About: "Saved since the first day, for a year at most.", Estimate: true},
		{Name: "net_value", Unit: Money, About: "Saved less spent since the first day.", Estimate: true},
		{Name: "paid_back", Unit: Day, About: "Day by which as much was saved as was spent."},
		{Name: "verdict", Unit: Text, About: "paid, not_paid, or cant_tell_yet."},
		{Name: "needed", Unit: Text, About: "What would be needed to tell."},
		link("The events of what was spent in the time."),
	},
	Read: readPrevention,
}

// threeYears of weeks: a year before a start, and a year since, of spends that began in the last two.
const threeYears = 156

func readPrevention(ctx context.Context, db driver.Conn, q *Query) ([]Row, map[string][]Row, error) {
	spends, err := q.spent(ctx, db)
	if err != nil {
		return nil, nil, err
	}
	all, since, weeks, err := q.weeks(ctx, db, "root_cause", threeYears)
	if err != nil {
		return nil, nil, err
	}
	stores, _, err := q.daysOfStores(ctx, db, since, since.AddDate(0, 0, 7*weeks))
	if err != nil {
		return nil, nil, err
	}
	units := unitsOf(all, stores, weeks)
	judged := 0
	for i := range spends {
		if spends[i].Cause != "" {
			judged++
			begin(units, &spends[i], since)
		}
	}
	level := 1 - 0.05/float64(max(1, judged))
	rows := make([]Row, 0, len(spends))
	for i := range spends {
		row := preventionRow(&spends[i], units, since, level)
		row["link"] = q.listLink("prevention/spends", "cause", spends[i].Cause, "meant_for", spends[i].Store)
		rows = append(rows, row)
	}
	return rows, nil, nil
}

// unitsOf are the series with the orders of their stores.
func unitsOf(all []series, stores map[string]*daysOfStore, weeks int) []estimate.Unit {
	units := make([]estimate.Unit, 0, len(all))
	for _, s := range all {
		u := estimate.Unit{Cause: s.key, Store: s.store, Amount: s.net, Orders: make([]float64, weeks),
			Start: estimate.Never}
		if days := stores[s.store]; days != nil {
			for d, n := range days.orders {
				u.Orders[d/7] += float64(n)
			}
		}
		units = append(units, u)
	}
	return units
}

// begin notes when a spend began with the units that it is for.
func begin(units []estimate.Unit, s *spend, since time.Time) {
	week, known := weekOf(s.First, since)
	for i := range units {
		u := &units[i]
		if known && u.Cause == s.Cause && (s.Store == "" || u.Store == s.Store) &&
			(u.Start == estimate.Never || week < u.Start) {
			u.Start = week
		}
	}
}

// weekOf is the week of a day. A spend from before the weeks that are known began with them.
func weekOf(day string, since time.Time) (int, bool) {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return 0, false
	}
	return max(0, int(t.Sub(since).Hours()/24/7)), true
}

func preventionRow(s *spend, units []estimate.Unit, since time.Time, level float64) Row {
	row := Row{"cause": s.Cause, "store": s.Store, "first": s.First, "spent": s.Spent,
		"spent_since": *estimate.Text(s.Since, 4), "paid_back": nil, "verdict": "cant_tell_yet", "needed": nil}
	e := effectOf(s, units, since, level)
	net := e.Saved
	net.Value, net.Low, net.High = net.Value-s.Since, net.Low-s.Since, net.High-s.Since
	const method = "difference_in_differences"
	row["change"], row["saved"] = e.Change.Estimate(method, 6), e.Saved.Estimate(method, 2)
	row["net_value"] = net.Estimate(method, 2)
	switch {
	case !e.Change.Enough():
		row["needed"] = e.Change.WhyNot
		return row
	case net.Low > 0:
		row["verdict"] = "paid"
	case net.High < 0:
		row["verdict"] = "not_paid"
	default:
		row["needed"] = "more than the weeks before the start can show: they are too few, or vary too much"
		if weeks, ok := e.Needed(-0.2); ok {
			row["needed"] = fmt.Sprintf("some %d weeks since the start would show whether it is a fifth less",
				max(weeks, e.After+1))
		}
	}
	if week, back := e.PaidBack(s.Since); back {
		start, _ := weekOf(s.First, since)
		row["paid_back"] = since.AddDate(0, 0, 7*(start+week+1)-1).Format(time.DateOnly)
	}
	return row
}

// effectOf is the effect of a spend: on the unit of its cause and store, or on all stores' together.
func effectOf(s *spend, units []estimate.Unit, since time.Time, level float64) estimate.Effect {
	refuse := func(why string) estimate.Effect {
		e := estimate.Estimated{Level: level, WhyNot: why}
		return estimate.Effect{Change: e, Saved: e}
	}
	if s.Cause == "" {
		return refuse("the spend names no target cause")
	}
	start, known := weekOf(s.First, since)
	if !known {
		return refuse("no spend is left of it")
	}
	var whole estimate.Unit
	for _, u := range units {
		if u.Cause != s.Cause || s.Store != "" && u.Store != s.Store {
			continue
		}
		if whole.Amount == nil {
			whole = estimate.Unit{Cause: s.Cause, Store: s.Store, Start: start, Amount: make([]float64, len(u.Amount)),
				Orders: make([]float64, len(u.Orders))}
		}
		for w := range u.Amount {
			whole.Amount[w] += u.Amount[w]
			whole.Orders[w] += u.Orders[w]
		}
	}
	if whole.Amount == nil {
		return refuse("no failure of this cause cost anything in three years")
	}
	return estimate.DifferenceInDifferences(append(units[:len(units):len(units)], whole), len(units), level)
}
