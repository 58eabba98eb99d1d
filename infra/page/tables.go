package page

import (
	"math/big"
	"slices"
	"time"

	"github.com/makegood/makegood/projections/report"
)

// tables fills the tables that the charts are drawn from.
func (b *overviewBody) tables(a *ask, got *answers) (err error) {
	of := got.outline.Value.Of(a.query.Currency)
	if b.Trend, err = a.trend(of.ByTime, b.trendKey()); err != nil {
		return err
	}
	if b.Cost, err = a.cost(of.ByElement); err != nil {
		return err
	}
	if got.profit.Known {
		if b.Profit, err = b.profitSteps(got.profit.Value); err != nil {
			return err
		}
		b.Placed, b.ProfitAt = countOf(got.profit.Value.Orders, "order", "orders"), at(got.profit)
	}
	if b.OfGroups, err = figuresOf(got.groups.Value.Totals, a.query.Currency); err != nil {
		return err
	}
	b.Groups, b.Others, err = a.ranked(got.groups.Value, b.OfGroups, !b.Timeline)
	b.OnPaper = len(b.Groups) > mostOnPaper && !b.Timeline
	return err
}

// trend has a row for every day or month, also for those without any cost.
func (a *ask) trend(found []report.LeakageRow, key string) ([]bar, error) {
	rows := map[string]report.LeakageFigures{}
	for _, row := range found {
		rows[row.Key[key]] = row.LeakageFigures
	}
	step, format, shown := func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }, time.DateOnly, "2 Jan"
	from, last := a.query.From, a.query.To
	if key == "month" {
		step, format, shown = func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }, "2006-01", "Jan 2006"
		from = day(from.Year(), from.Month(), 1)
	}
	if tomorrow := a.today.AddDate(0, 0, 1); last.After(tomorrow) {
		last = tomorrow // the future has no trend
	}
	const most, none = 600, "0.0000" // months at most, and a day without any
	var bars []bar
	for t := from; t.Before(last) && len(bars) < most; t = step(t) {
		f, ok := rows[t.Format(format)]
		if !ok {
			f = report.LeakageFigures{Gross: none, Net: none, Booked: none, Hidden: none, Recoveries: none}
		}
		all, err := figuresOf(f, a.query.Currency)
		if err != nil {
			return nil, err
		}
		bars = append(bars, bar{Text: t.Format(shown), F: all, URL: a.Link("/cases", key, t.Format(format))})
	}
	return bars, nil
}

// cost is the way from gross to net: what money went on, what came back, what stays.
func (a *ask) cost(found []report.LeakageRow) ([]bar, error) {
	var bars []bar
	net := &money{currency: a.query.Currency}
	for _, row := range found {
		amount, err := read(row.Net, a.query.Currency)
		if err != nil {
			return nil, err
		}
		step := "more"
		if amount.Sign() < 0 {
			step = "less"
		}
		net = net.plus(amount)
		element := row.Key["element"]
		f, err := figuresOf(row.LeakageFigures, a.query.Currency)
		if err != nil {
			return nil, err
		}
		bars = append(bars, bar{Text: report.Word("element", element), Amount: amount, Step: step, F: f,
			URL: a.Link("/cases", "element", element)})
	}
	slices.SortStableFunc(bars, func(x, y bar) int { return y.Amount.units.Cmp(&x.Amount.units) })
	return append(bars, bar{Text: "Net cost", Amount: net, Step: "end"}), nil
}

// profitSteps is the way from what orders were to bring to what they brought.
func (b *overviewBody) profitSteps(p *report.Profit) ([]bar, error) {
	promised, err := read(p.Promised, p.Currency)
	if err != nil {
		return nil, err
	}
	brought, err := read(p.Contribution, p.Currency)
	if err != nil {
		return nil, err
	}
	other, err := read(p.Other, p.Currency)
	if err != nil {
		return nil, err
	}
	bars := []bar{{Text: "Orders were to bring", Amount: promised, Step: "start"}}
	rest := promised
	step := func(text string, amount *money) {
		if amount.Sign() == 0 {
			return
		}
		kind := "more"
		if amount.Sign() < 0 {
			kind = "less"
		}
		rest = rest.plus(amount)
		bars = append(bars, bar{Text: text, Amount: amount, Step: kind})
	}
	step("Customers changed their orders", other.negated())
	step("Customers changed their mind", b.Apart.ChangedMind.negated())
	step("Unfounded cases", b.Apart.Unfounded.negated())
	step("Putting right, booked", b.Total.Booked.negated())
	step("Putting right, hidden", b.Total.Hidden.negated())
	step("Paid back to us", b.Total.Recoveries)
	// Two reports are read one after the other; what was booked in between is shown, so that the sum is one.
	step("Booked between the two questions", brought.minus(rest))
	return append(bars, bar{Text: "Orders brought", Amount: brought, Step: "end"}), nil
}

// ranked are a report's groups, the most expensive first where rank says so, and the sum of those that are left out.
func (a *ask) ranked(l *report.Leakage, total *figures, rank bool) ([]bar, *bar, error) {
	var bars []bar
	for _, row := range l.Rows {
		f, err := figuresOf(row.LeakageFigures, a.query.Currency)
		if err != nil {
			return nil, nil, err
		}
		value := row.Key[a.Group]
		bars = append(bars, bar{Text: report.Word(a.Group, value), F: f, URL: a.Link("/cases", a.Group, value)})
	}
	if rank {
		slices.SortStableFunc(bars, func(x, y bar) int { return y.F.Net.units.Cmp(&x.F.Net.units) })
	}
	zero := &money{currency: a.query.Currency}
	shown := &figures{zero, zero, zero, zero, zero, 0, 0}
	var most big.Int
	for i := range bars {
		if f := bars[i].F; f.Gross.units.Cmp(&most) > 0 {
			most.Set(&f.Gross.units)
		}
	}
	for i := range bars {
		f := bars[i].F
		shown = shown.plus(f)
		bars[i].Permille = permille(&f.Gross.units, &most)
		if rank && total.Net.Sign() > 0 {
			bars[i].Accumulated = share(&shown.Net.units, &total.Net.units)
		}
	}
	if len(bars) < mostGroups {
		return bars, nil, nil
	}
	return bars, &bar{Text: "All others", F: total.minus(shown)}, nil
}
