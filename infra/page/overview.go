package page

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/makegood/makegood/domain"
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
	}{
		{&all.Gross, f.Gross}, {&all.Net, f.Net}, {&all.Booked, f.Booked}, {&all.Hidden, f.Hidden},
		{&all.Recoveries, f.Recoveries},
	} {
		m, err := read(n.text, currency)
		if err != nil {
			return nil, err
		}
		*n.into = m
	}
	return all, nil
}

func (f *figures) plus(o *figures) *figures {
	return &figures{Gross: f.Gross.plus(o.Gross), Net: f.Net.plus(o.Net), Booked: f.Booked.plus(o.Booked),
		Hidden: f.Hidden.plus(o.Hidden), Recoveries: f.Recoveries.plus(o.Recoveries)}
}

// minus leaves out the counts, which don't subtract: a case may be in several rows.
func (f *figures) minus(o *figures) *figures {
	return &figures{Gross: f.Gross.minus(o.Gross), Net: f.Net.minus(o.Net), Booked: f.Booked.minus(o.Booked),
		Hidden: f.Hidden.minus(o.Hidden), Recoveries: f.Recoveries.minus(o.Recoveries)}
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
	Warnings []warning
	Trend    []bar
	ByMonth  bool
	Cost     []bar // from gross by element to net
	Profit   []bar // from what orders were to bring to what they brought
	Placed   uint64
	Groups   []bar
	Others   *bar // what isn't among Groups, summed
	Timeline bool // groups are days or months: no ranking
	Name     string
	Apart    *apart
	AsOf     string
	Empty    bool
	Year     *year
}

const (
	mostGroups = 200
	mostDays   = 92 // of a trend by day; a longer one is by month
)

// answers are what the first screen is made of, as the books give it. A nil one took too long, or was not asked.
type answers struct {
	total, earlier, trend, elements, groups *report.Leakage
	profit                                  *report.Profit
	served, servedBefore                    *report.Summary
	counts                                  report.Counts
	year                                    func() (*year, error) // nil where it was not asked
}

func (p *Page) overview(r *http.Request, a *ask) (*view, error) {
	b := &overviewBody{ByMonth: a.query.To.Sub(a.query.From) > mostDays*24*time.Hour,
		Timeline: a.Group == "day" || a.Group == "month", Name: report.KeyWord(a.Group)}
	b.Before = span(before(a.query.From, a.query.To))
	got, err := p.askAll(r.Context(), a, b)
	if err != nil {
		return nil, err
	}
	if b.Total, err = figuresOf(got.total.Totals, a.query.Currency); err != nil {
		return nil, err
	}
	past, err := figuresOf(got.earlier.Totals, a.query.Currency)
	if err != nil {
		return nil, err
	}
	if b.Apart, err = readApart(got.total, a.query.Currency); err != nil {
		return nil, err
	}
	b.Empty = got.total.Totals.Orders == 0 && got.total.Totals.Cases == 0
	b.AsOf = got.total.AsOf.In(p.zone).Format("2 January 2006, 15:04 MST")
	b.cards(a, past)
	if err := b.service(a, got.served, got.servedBefore); err != nil {
		return nil, err
	}
	b.warnings(a, got.counts)
	if got.year != nil {
		if b.Year, err = got.year(); err != nil {
			return nil, err
		}
		if got.served == nil || got.servedBefore == nil || got.profit == nil || b.Year.Late {
			b.Warnings = append(b.Warnings, warning{Text: "Some numbers took too long to count and are left out. Load the " +
				"page again, or choose a shorter time."})
		}
	}
	if err := b.tables(a, got); err != nil {
		return nil, err
	}
	return &view{template: "overview", Title: "What putting things right costs", Ask: a, Body: b}, nil
}

// apart is what is no leakage and stands beside it: what changed minds and unfounded cases cost, and what customers
// brought by changing their orders, below zero where they cancelled.
type apart struct{ ChangedMind, Unfounded, Customers *money }

func readApart(l *report.Leakage, currency string) (*apart, error) {
	a := &apart{}
	for name, into := range map[string]**money{
		domain.KindChangedMind: &a.ChangedMind, "unfounded": &a.Unfounded, "customer_changes": &a.Customers,
	} {
		var err error
		if *into, err = read(l.Apart[name], currency); err != nil {
			return nil, wrap("what stands beside the leakage", err)
		}
	}
	return a, nil
}

// trendKey is what the trend is grouped by.
func (b *overviewBody) trendKey() string {
	if b.ByMonth {
		return "month"
	}
	return "day"
}

// mostAtOnce is how many questions of a page the books are asked at once.
const mostAtOnce = 4

// askAll asks all that the first screen shows.
func (p *Page) askAll(parent context.Context, a *ask, b *overviewBody) (*answers, error) {
	got := &answers{}
	from, to := before(a.query.From, a.query.To)
	g, ctx := errgroup.WithContext(parent)
	g.SetLimit(mostAtOnce)
	ask := func(into **report.Leakage, what string, change func(*report.LeakageQuery)) {
		q := a.query
		change(&q)
		g.Go(func() (err error) {
			*into, err = p.books.Leakage(ctx, q)
			return wrap(what, err)
		})
	}
	ask(&got.total, "the totals", func(*report.LeakageQuery) {})
	ask(&got.earlier, "the time before", func(q *report.LeakageQuery) { q.From, q.To = from, to })
	ask(&got.trend, "the trend", func(q *report.LeakageQuery) { q.GroupBy = []string{b.trendKey()} })
	ask(&got.elements, "what it went on", func(q *report.LeakageQuery) { q.GroupBy = []string{"element"} })
	ask(&got.groups, "the groups", func(q *report.LeakageQuery) {
		if q.GroupBy = []string{a.Group}; !b.Timeline {
			q.Largest = mostGroups
		}
	})
	if len(a.query.Only) == 0 && a.query.Currency != "" {
		g.Go(func() (err error) {
			got.profit, err = inTime(ctx, func(ctx context.Context) (*report.Profit, error) {
				return p.books.Profit(ctx, a.query)
			})
			return wrap("the profit", err)
		})
	}
	if question, ok := a.served(); ok {
		for into, days := range map[**report.Summary][2]time.Time{
			&got.served: {a.query.From, a.query.To}, &got.servedBefore: {from, to},
		} {
			q := question
			q.From, q.To = days[0], days[1]
			g.Go(func() (err error) {
				*into, err = inTime(ctx, func(ctx context.Context) (*report.Summary, error) { return p.books.Summary(ctx, q) })
				return wrap("how well it served", err)
			})
		}
		got.year = p.askYear(ctx, g, a, question)
	}
	g.Go(func() (err error) {
		got.counts, err = p.books.Counts(ctx)
		return wrap("how far the books are", err)
	})
	return got, g.Wait()
}

// wholeTimeout bounds the questions that read the ledger itself: a page about years, or on a busy machine, is shown
// without their answers rather than late.
const wholeTimeout = 4 * time.Second

// inTime asks, and takes nothing for an answer that takes too long.
func inTime[T any](ctx context.Context, ask func(context.Context) (*T, error)) (*T, error) {
	short, cancel := context.WithTimeout(ctx, wholeTimeout)
	defer cancel()
	answer, err := ask(short)
	// A connection's own deadline, set from ours, may fire a moment earlier.
	if err != nil && ctx.Err() == nil && (short.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded)) {
		return nil, nil // no answer is one here
	}
	return answer, err
}
