package insight

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/insight/estimate"
)

// provision asks what the failures of each month cost in the end: what came, and what is still to come. It reads the
// roll-up from its beginning, and the day of each case.
var provision = Question{
	Name: "provision",
	About: "What the failures of each month cost, what of it is still to come, and the provision for the close as a " +
		"proposed entry.",
	Method: "Each month's failures are followed month by month; what is still to come of young ones is read from how " +
		"older ones went on (chain ladder, Mack 1993). The interval holds the true sum in 80 of 100 closes.",
	Heading: "The month's true cost",
	Columns: []Column{
		{Name: "failed", Unit: Text, About: "Month of the failure, YYYY-MM."},
		{Name: "cases", Unit: Count, About: "Cases that cost something in the time.", Sum: true},
		{Name: "came", Unit: Money, About: "Net leakage of the time from these failures; it sums to the leakage report.",
			Sum: true},
		{Name: "later", Unit: Money, About: "Of it, what came in a later month than the failure.", Sum: true},
		{Name: "to_come", Unit: Money, About: "What is still to come of them after the last whole month.", Estimate: true},
		link("The cases, each with what came of it."),
	},
	Parts: []Part{
		{"still_to_come", "What is still to come of all months together.", []Column{
			{Name: "view", Unit: Text, About: "economic (all of it), or booked (without what wages and fleet absorb)."},
			{Name: "as_of", Unit: Day, About: "Day up to which months are whole; exclusive."},
			{Name: "to_come", Unit: Money, About: "The sum that is still to come.", Estimate: true},
		}},
		{"entry", "The provision as an entry that is proposed, never posted: to be reversed the month after.", []Column{
			{Name: "account", Unit: Text, About: "Number of the default chart."},
			{Name: "name", Unit: Text, About: "Name of the account."},
			{Name: "debit", Unit: Money, About: "Debit.", Sum: true},
			{Name: "credit", Unit: Money, About: "Credit.", Sum: true},
		}},
	},
	Read: readProvision,
}

// provisionLevel is that of the intervals: one close in ten ends above it, one below.
const provisionLevel = 0.8

// oldest is how many months a development is followed: what comes after a year and a half is the tail of few cases.
const oldest = 18

const monthLayout = "2006-01"

func readProvision(ctx context.Context, db driver.Conn, q *Query) ([]Row, map[string][]Row, error) {
	var months []struct {
		Month string `ch:"month"`
		Cases uint64 `ch:"cases"`
		Came  string `ch:"came"`
		Later string `ch:"later"`
	}
	if err := q.make("provision_months").Select(ctx, db, &months); err != nil {
		return nil, nil, fmt.Errorf("sum up the months of failure: %w", err)
	}
	d, err := q.development(ctx, db)
	if err != nil {
		return nil, nil, err
	}
	all, err := estimate.ChainLadder(d.net, provisionLevel)
	if err != nil {
		return nil, nil, err
	}
	booked, err := estimate.ChainLadder(d.booked, provisionLevel)
	if err != nil {
		return nil, nil, err
	}
	rows := make([]Row, 0, len(months))
	for _, m := range months {
		rows = append(rows, Row{"failed": m.Month, "cases": m.Cases, "came": m.Came, "later": m.Later,
			"to_come": d.of(m.Month, all).Estimate("chain_ladder", 2),
			"link":    q.listLink("provision/cases", "failed", m.Month)})
	}
	parts := map[string][]Row{"entry": proposed(booked.Total)}
	for _, v := range []struct {
		view string
		p    estimate.Provision
	}{{"economic", all}, {"booked", booked}} {
		parts["still_to_come"] = append(parts["still_to_come"], Row{"view": v.view, "as_of": d.end.Format(time.DateOnly),
			"to_come": v.p.Total.Estimate("chain_ladder", 2)})
	}
	return rows, parts, nil
}

// development is what came of each month's failures, by age.
type development struct {
	end         time.Time // months before it are whole
	first       time.Time // the oldest month of the triangles
	net, booked [][]float64
}

func (q *Query) development(ctx context.Context, db driver.Conn) (*development, error) {
	var cells []struct {
		Month  string  `ch:"month"`
		Age    uint32  `ch:"age"`
		Net    float64 `ch:"net"`
		Booked float64 `ch:"booked"`
	}
	if err := q.make("provision_development").Select(ctx, db, &cells); err != nil {
		return nil, fmt.Errorf("read how failures went on costing: %w", err)
	}
	d := &development{end: month(q.To)}
	if now := month(q.Now); now.Before(d.end) {
		d.end = now
	}
	d.first = d.end.AddDate(0, -oldest, 0)
	if len(cells) > 0 {
		known, err := time.Parse(monthLayout, cells[0].Month)
		if err != nil {
			return nil, fmt.Errorf("read how failures went on costing: %w", err)
		}
		if known.After(d.first) {
			d.first = known
		}
	}
	if !d.first.Before(d.end) {
		return d, nil
	}
	n := between(d.first, d.end)
	for age := n; age > 0; age-- {
		d.net, d.booked = append(d.net, make([]float64, age)), append(d.booked, make([]float64, age))
	}
	for _, c := range cells {
		failed, err := time.Parse(monthLayout, c.Month)
		if err != nil {
			return nil, fmt.Errorf("read how failures went on costing: %w", err)
		}
		if row := between(d.first, failed); row >= 0 && row < n && int(c.Age) < n-row {
			d.net[row][c.Age] += c.Net
			d.booked[row][c.Age] += c.Booked
		}
	}
	return d, nil
}

// of is what is still to come of one month's failures.
func (d *development) of(failed string, p estimate.Provision) estimate.Estimated {
	month, err := time.Parse(monthLayout, failed)
	switch row := between(d.first, month); {
	case err != nil || row < 0:
		return estimate.Estimated{Level: provisionLevel, WhyNot: fmt.Sprintf("older than %d months: not followed any more",
			oldest)}
	case row >= len(p.ByCohort):
		return estimate.Estimated{Level: provisionLevel, WhyNot: "the month isn't over"}
	default:
		return p.ByCohort[row]
	}
}

// proposed is the provision as an entry, in whole cents. Paybacks that are to come are no asset before they are sure:
// of a provision below zero nothing is proposed. Where it can't be told, the amounts are null.
func proposed(p estimate.Estimated) []Row {
	zero := "0.0000"
	var amount any = *estimate.Text(max(0, p.Value), 2) + "00"
	if !p.Enough() {
		amount = nil
	}
	rows := make([]Row, 2)
	for _, c := range domain.Chart() {
		switch c.Account {
		case domain.OtherOrderCosts:
			rows[0] = Row{"account": fmt.Sprint(c.Account), "name": c.Name, "debit": amount, "credit": zero}
		case domain.AccruedCosts:
			rows[1] = Row{"account": fmt.Sprint(c.Account), "name": c.Name, "debit": zero, "credit": amount}
		}
	}
	return rows
}

// month is the first day of a time's month, in UTC: days are those of the books already.
func month(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC) }

// between is how many months lie from one to another.
func between(from, to time.Time) int {
	return 12*(to.Year()-from.Year()) + int(to.Month()) - int(from.Month())
}
