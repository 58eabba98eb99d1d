package page

import (
	"context"
	"errors"
	"math/big"
	"net/http"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/makegood/makegood/projections/report"
)

// figures are a report's numbers, exact.
type figures struct {
	Gross, Net, Booked, Hidden, Recoveries *money
	Cases, Orders                          uint64
}

func figuresOf(f report.LeakageFigures, currency string) (*figures, error) {
	all := &figures{Cases: f.Cases, Orders: f.Orders}
	for _, n := range []struct {
		into **money
		text string
	}{{&all.Gross, f.Gross}, {&all.Net, f.Net}, {&all.Booked, f.Booked}, {&all.Hidden, f.Hidden}, {&all.Recoveries, f.Recoveries}} {
		m, err := read(n.text, currency)
		if err != nil {
			return nil, err
		}
		*n.into = m
	}
	return all, nil
}

// Ledger is what the general ledger alone shows of it: hidden costs are in other accounts there.
func (f *figures) Ledger() *money { return f.Net.minus(f.Hidden) }

// HiddenShare is hidden ÷ gross.
func (f *figures) HiddenShare() string { return share(&f.Hidden.units, &f.Gross.units) }

// card is one of the headline numbers.
type card struct {
	Name, Value, Unit, Explained string
	Exact                        string
	Change, Direction            string // compared to the time before; direction: up, down or same
	Worse                        bool
	URL                          string
}

// bar is a row of a table that a chart is drawn from.
type bar struct {
	Text, URL   string
	F           *figures
	Amount      *money // of a waterfall
	Step        string // of a waterfall: start, less, more or end
	Permille    int64
	Accumulated string // share of the total, this row and those above
}

// overviewBody is the first screen.
type overviewBody struct {
	Total    *figures
	Before   string
	Cards    []card
	Warnings []string
	Trend    []bar
	ByMonth  bool
	Cost     []bar // from gross by element to net
	Profit   []bar // from what orders were to bring to what they brought
	Placed   uint64
	Groups   []bar
	Others   *bar // what isn't among Groups, summed
	Timeline bool // groups are days or months: no ranking
	Name     string
	Apart    *money
	AsOf     string
	Empty    bool
	Year     *year
}

const (
	mostGroups = 200
	mostDays   = 92 // of a trend by day; a longer one is by month
)

func (p *Page) overview(r *http.Request, a *ask) (*view, error) {
	b := &overviewBody{ByMonth: a.query.To.Sub(a.query.From) > mostDays*24*time.Hour, Timeline: a.Group == "day" || a.Group == "month", Name: keyWords[a.Group]}
	trendKey := map[bool]string{false: "day", true: "month"}[b.ByMonth]
	var total, earlier, trend, elements, groups *report.Leakage
	var profit *report.Profit
	var served, servedBefore *report.Summary
	var counts report.Counts
	var yearOf func() (*year, error)
	earlierFrom, earlierTo := before(a.query.From, a.query.To)
	b.Before = span(earlierFrom, earlierTo)

	g, ctx := errgroup.WithContext(r.Context())
	g.SetLimit(4)
	ask := func(into **report.Leakage, what string, change func(*report.LeakageQuery)) {
		q := a.query
		change(&q)
		g.Go(func() (err error) {
			*into, err = p.books.Leakage(ctx, q)
			return wrap(what, err)
		})
	}
	ask(&total, "the totals", func(*report.LeakageQuery) {})
	ask(&earlier, "the time before", func(q *report.LeakageQuery) { q.From, q.To = earlierFrom, earlierTo })
	ask(&trend, "the trend", func(q *report.LeakageQuery) { q.GroupBy = []string{trendKey} })
	ask(&elements, "what it went on", func(q *report.LeakageQuery) { q.GroupBy = []string{"element"} })
	ask(&groups, "the groups", func(q *report.LeakageQuery) {
		if q.GroupBy = []string{a.Group}; !b.Timeline {
			q.Largest = mostGroups
		}
	})
	if len(a.query.Only) == 0 && a.query.Currency != "" {
		g.Go(func() (err error) {
			profit, err = inTime(ctx, func(ctx context.Context) (*report.Profit, error) { return p.books.Profit(ctx, a.query) })
			return wrap("the profit", err)
		})
	}
	if question, ok := a.served(); ok {
		for into, days := range map[**report.Summary][2]time.Time{&served: {a.query.From, a.query.To}, &servedBefore: {earlierFrom, earlierTo}} {
			q := question
			q.From, q.To = days[0], days[1]
			g.Go(func() (err error) {
				*into, err = inTime(ctx, func(ctx context.Context) (*report.Summary, error) { return p.books.Summary(ctx, q) })
				return wrap("how well it served", err)
			})
		}
		yearOf = p.askYear(ctx, g, a, question)
	}
	g.Go(func() (err error) {
		counts, err = p.books.Counts(ctx)
		return wrap("how far the books are", err)
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}

	var err error
	if b.Total, err = figuresOf(total.Totals, a.query.Currency); err != nil {
		return nil, err
	}
	past, err := figuresOf(earlier.Totals, a.query.Currency)
	if err != nil {
		return nil, err
	}
	if b.Apart, err = read(total.Apart["changed_mind"], a.query.Currency); err != nil {
		return nil, err
	}
	b.Empty = total.Totals.Orders == 0 && total.Totals.Cases == 0
	b.AsOf = total.AsOf.In(p.zone).Format("2 January 2006, 15:04 MST")
	b.cards(a, past)
	if err := b.service(a, served, servedBefore); err != nil {
		return nil, err
	}
	b.warnings(counts)
	if yearOf != nil {
		if b.Year, err = yearOf(); err != nil {
			return nil, err
		}
		if served == nil || servedBefore == nil || profit == nil || b.Year.Late {
			b.Warnings = append(b.Warnings, "Some numbers took too long to count and are left out. Load the page again, or choose a shorter time.")
		}
	}
	if b.Trend, err = a.trend(trend, trendKey); err != nil {
		return nil, err
	}
	if b.Cost, err = a.cost(elements); err != nil {
		return nil, err
	}
	if profit != nil {
		if b.Profit, err = b.profitSteps(profit); err != nil {
			return nil, err
		}
		b.Placed = profit.Orders
	}
	if b.Groups, b.Others, err = a.ranked(groups, b.Total, !b.Timeline); err != nil {
		return nil, err
	}
	return &view{template: "overview", Title: "What putting things right costs", Ask: a, Body: b}, nil
}

// wholeTimeout bounds the questions that read the ledger itself: a page about years, or on a busy machine, is shown without
// their answers rather than late.
const wholeTimeout = 4 * time.Second

// inTime asks, and takes nothing for an answer that takes too long.
func inTime[T any](ctx context.Context, ask func(context.Context) (*T, error)) (*T, error) {
	short, cancel := context.WithTimeout(ctx, wholeTimeout)
	defer cancel()
	answer, err := ask(short)
	// A connection's own deadline, set from ours, may fire a moment earlier.
	if err != nil && ctx.Err() == nil && (short.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded)) {
		return nil, nil //nolint:nilnil // no answer is one here
	}
	return answer, err
}

// served is the question how well orders were served; false where the page is narrowed to what it can't be asked about.
func (a *ask) served() (q report.SummaryQuery, ok bool) {
	q = report.SummaryQuery{Store: a.query.Only["store"], Currency: a.query.Currency, AsOf: a.query.AsOf, Brief: true}
	narrowed := len(a.query.Only)
	if q.Store != "" {
		narrowed--
	}
	return q, narrowed == 0 && a.query.View == "economic" && a.query.PeriodBy == "occurred" && a.query.Currency != ""
}

// service adds what the summary says.
func (b *overviewBody) service(a *ask, now, then *report.Summary) error {
	if now == nil {
		return nil
	}
	add := func(name, explained string, of func(*report.Summary) report.Ratio) error {
		value, err := ratio(of(now))
		if err != nil || value == "" {
			return err
		}
		c := card{Name: name, Value: value, Explained: explained, Direction: "same", Change: "nothing to compare", URL: a.Link("/cases")}
		if then != nil {
			earlier, err := ratio(of(then))
			if err != nil {
				return err
			}
			if earlier != "" {
				c.Change = "was " + earlier
			}
		}
		b.Cards = append(b.Cards, c)
		return nil
	}
	if err := add("Share of net sales", "Net cost of putting right, out of all sales without tax.", func(s *report.Summary) report.Ratio { return s.LeakageShareOfNetSales }); err != nil {
		return err
	}
	return add("Right first time", "Delivered orders with the promise kept and nothing wrong. "+now.SilentFailures.Numerator+" more broke it, and nobody complained.",
		func(s *report.Summary) report.Ratio { return s.RightFirstTime })
}

// ratio is a ratio in percent; nothing where there is nothing to divide by.
func ratio(r report.Ratio) (string, error) {
	if r.Value == nil {
		return "", nil
	}
	above, err := read(r.Numerator, "")
	if err != nil {
		return "", err
	}
	below, err := read(r.Denominator, "")
	if err != nil {
		return "", err
	}
	return share(&above.units, &below.units), nil
}

func (b *overviewBody) cards(a *ask, past *figures) {
	t := b.Total
	nothing := past.Cases == 0 && past.Orders == 0
	const noComparison = "nothing to compare"
	add := func(name string, now, then *money, worseUp bool, explained, url string) {
		c := card{Name: name, Value: now.Cents(), Unit: now.currency, Exact: now.Text(), Explained: explained, URL: url}
		c.Change, c.Direction = change(now, then)
		c.Worse = c.Direction == "up" == worseUp
		if nothing {
			c.Change, c.Direction, c.Worse = noComparison, "same", false
		}
		b.Cards = append(b.Cards, c)
	}
	all := a.Link("/cases")
	add("Real cost, net", t.Net, past.Net, true, "What putting mistakes right cost, after what others paid back.", all)
	add("Gross cost", t.Gross, past.Gross, true, "Refunds, goods, freight, staff time, trucks: everything before paybacks.", a.Link("/", "group", "element")+"#groups")
	add("Paid back to us", t.Recoveries, past.Recoveries, false, "By suppliers, carriers and insurers, and from salvage.", a.Link("/cases", "element", "RECOVERY"))
	add("Your ledger shows", t.Ledger(), past.Ledger(), true, "All that your general ledger alone shows of it, net. Below zero it looks like a gain.", a.Link("/", "view", "booked"))
	hidden := card{Name: "Hidden share", Value: t.HiddenShare(), Explained: "Part of the gross cost inside wages and fleet, where no ledger shows it: " + t.Hidden.Short() + ".",
		Exact: t.Hidden.Text(), URL: a.Link("/cases", "basis", "IMPUTED"), Change: "was " + past.HiddenShare(), Direction: "same"}
	if hidden.Value == "" {
		hidden.Value = "–"
	}
	if past.HiddenShare() == "" {
		hidden.Change = noComparison
	}
	b.Cards = append(b.Cards, hidden)
	number := func(n uint64) *money {
		return &money{units: *new(big.Int).Mul(new(big.Int).SetUint64(n), big.NewInt(10_000))}
	}
	cases := card{Name: "Cases", Value: grouped(new(big.Int).SetUint64(t.Cases).String()), URL: all, Explained: "Promises not kept that cost money, on " + grouped(new(big.Int).SetUint64(t.Orders).String()) + " orders."}
	cases.Change, cases.Direction = change(number(t.Cases), number(past.Cases))
	if cases.Worse = cases.Direction == "up"; nothing {
		cases.Change, cases.Direction, cases.Worse = noComparison, "same", false
	} else if past.Cases == 0 {
		cases.Change = "none before"
	}
	b.Cards = append(b.Cards, cases)
}

func (b *overviewBody) warnings(c report.Counts) {
	warn := func(n uint64, one, many string) {
		if n == 1 {
			b.Warnings = append(b.Warnings, "One "+one)
		} else if n > 1 {
			b.Warnings = append(b.Warnings, grouped(new(big.Int).SetUint64(n).String())+" "+many)
		}
	}
	warn(c.Unpriced, "event has no rate to price it yet: the real cost is higher than shown.", "events have no rate to price them yet: the real cost is higher than shown.")
	warn(c.DeadLetters, "message could not be read and is not in these numbers.", "messages could not be read and are not in these numbers.")
}

// trend has a row for every day or month, also for those without any cost.
func (a *ask) trend(l *report.Leakage, key string) ([]bar, error) {
	rows := map[string]report.LeakageFigures{}
	for _, row := range l.Rows {
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
	const most = 600 // months
	var bars []bar
	for t := from; t.Before(last) && len(bars) < most; t = step(t) {
		f, ok := rows[t.Format(format)]
		if !ok {
			f = report.LeakageFigures{Gross: "0.0000", Net: "0.0000", Booked: "0.0000", Hidden: "0.0000", Recoveries: "0.0000"}
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
func (a *ask) cost(l *report.Leakage) ([]bar, error) {
	var bars []bar
	net := &money{currency: a.query.Currency}
	for _, row := range l.Rows {
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
		bars = append(bars, bar{Text: word("element", element), Amount: amount, Step: step, F: f, URL: a.Link("/cases", "element", element)})
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
	step("Customers cancelled", other.negated())
	step("Customers changed their mind", b.Apart.negated())
	step("Putting right, booked", b.Total.Booked.negated())
	step("Putting right, hidden", b.Total.Hidden.negated())
	step("Paid back to us", b.Total.Recoveries)
	// Two reports are read one after the other; what was booked in between is shown, so that the sum is one.
	step("Booked while this page was made", brought.minus(rest))
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
		bars = append(bars, bar{Text: word(a.Group, value), F: f, URL: a.Link("/cases", a.Group, value)})
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
		shown = &figures{shown.Gross.plus(f.Gross), shown.Net.plus(f.Net), shown.Booked.plus(f.Booked), shown.Hidden.plus(f.Hidden), shown.Recoveries.plus(f.Recoveries), 0, 0}
		bars[i].Permille = permille(&f.Gross.units, &most)
		if rank && total.Net.Sign() > 0 {
			bars[i].Accumulated = share(&shown.Net.units, &total.Net.units)
		}
	}
	if len(bars) < mostGroups {
		return bars, nil, nil
	}
	rest := &figures{total.Gross.minus(shown.Gross), total.Net.minus(shown.Net), total.Booked.minus(shown.Booked), total.Hidden.minus(shown.Hidden), total.Recoveries.minus(shown.Recoveries), 0, 0}
	return bars, &bar{Text: "All others", F: rest}, nil
}
