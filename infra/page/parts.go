package page

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/report"
	"github.com/makegood/makegood/projections/sql"
)

// core is what the first screen can't do without. All of it is asked at one time.
type core struct {
	total, earlier, trend, elements, groups *report.Leakage
	days                                    []string // of trade, in the time and in the one before
}

// answers are what the first screen is made of, as the books give it. Parts that are not Known took too long, or were
// not asked.
type answers struct {
	core                 part[*core]
	counts               part[report.Counts]
	profit               part[*report.Profit]
	served, servedBefore part[*report.Summary]
	paf                  part[*report.PAF]
	returning            part[[]report.Returning]
	year                 report.SummaryQuery // of paf and returning
	next, promises       part[*insight.Answer]
	whole                bool // all was asked: the page isn't narrowed to what the questions don't know
}

var errTooLong = errors.New("the books took too long to answer")

// askAll asks all that the first screen shows: what it can't do without is waited for.
func (p *Page) askAll(ctx context.Context, a *ask, b *overviewBody) (*answers, error) {
	got := &answers{}
	var all sync.WaitGroup
	var err error
	all.Go(func() {
		got.core, err = recall(ctx, p.memory, a.key("core", &a.query, a.Group), a.needed(freshCounts),
			func(ctx context.Context) (*core, error) { return p.askCore(ctx, a, b) })
		if err == nil && !got.core.Known {
			err = errTooLong
		}
	})
	all.Go(func() {
		var failed error
		got.counts, failed = p.counts(ctx, a.patience(freshCounts))
		got.counts.Failed = failed != nil
	})
	if a.wantsMargin() {
		all.Go(func() {
			optional(ctx, p, a, "profit", &a.query, &got.profit, func(ctx context.Context) (*report.Profit, error) {
				return p.books.Profit(ctx, a.query)
			})
		})
	}
	if question, ok := a.served(); ok {
		got.whole = true
		p.askSummaries(ctx, a, got, question, &all)
		p.askQuestions(ctx, a, got, question.Store, &all)
	}
	all.Wait()
	return got, err
}

// wantsMargin reports whether the margin is shown: it is of the company alone.
func (a *ask) wantsMargin() bool {
	return len(a.query.Only) == 0 && a.query.Currency != "" && !a.onPaper
}

// optional asks for a part that the page can do without. Where it takes too long or can't be read, the page is shown
// without it; the memory logs the error.
func optional[T any](ctx context.Context, p *Page, a *ask, name string, q *report.LeakageQuery, into *part[T],
	ask func(context.Context) (T, error)) {
	t := a.patience(freshLong)
	t.soon = name == "next" // it is in the first sentence
	got, err := recall(ctx, p.memory, a.key(name, q), t,
		func(ctx context.Context) (T, error) { return ask(sql.Unhurried(ctx)) })
	got.Failed = err != nil
	*into = got
}

// mostNeeded bounds how many statements are asked at once of what pages can't do without. The others wait: there are
// as few connections to ClickHouse, and who finds none for some seconds gets an error.
const mostNeeded = 8

// needed asks for something that a page can't do without, once there is a place.
func needed[T any](ctx context.Context, p *Page, ask func(context.Context) (T, error)) (answer T, err error) {
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
		return ask(sql.Waited(ctx))
	case <-ctx.Done():
		return answer, ctx.Err()
	}
}

// counts are how far the books are: the same for every page, so all of them share it.
func (p *Page) counts(ctx context.Context, t terms) (part[report.Counts], error) {
	t.atOnce = true
	return recall(ctx, p.memory, "counts", t, func(ctx context.Context) (report.Counts, error) {
		return needed(ctx, p, p.books.Counts)
	})
}

// askCore asks for what the roll-up answers.
func (p *Page) askCore(ctx context.Context, a *ask, b *overviewBody) (*core, error) {
	c := &core{}
	from, to := before(a.query.From, a.query.To)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(mostAtOnce)
	ask := func(into **report.Leakage, what string, without report.Parts, change func(*report.LeakageQuery)) {
		q := a.query
		q.Without = without
		change(&q)
		g.Go(func() (err error) {
			*into, err = needed(ctx, p, func(ctx context.Context) (*report.Leakage, error) { return p.books.Leakage(ctx, q) })
			return wrap(what, err)
		})
	}
	rows := report.Parts{Totals: true, Apart: true}
	ask(&c.total, "the totals", report.Parts{Rows: true}, func(*report.LeakageQuery) {})
	ask(&c.earlier, "the time before", report.Parts{Rows: true, Apart: true}, func(q *report.LeakageQuery) {
		q.From, q.To = from, to
	})
	ask(&c.trend, "the trend", rows, func(q *report.LeakageQuery) { q.GroupBy = []string{b.trendKey()} })
	ask(&c.elements, "what it went on", rows, func(q *report.LeakageQuery) { q.GroupBy = []string{"element"} })
	ask(&c.groups, "the groups", rows, func(q *report.LeakageQuery) {
		if q.GroupBy = []string{a.Group}; !b.Timeline {
			q.Largest = mostGroups
		}
	})
	g.Go(func() (err error) {
		q := report.TradingDays{From: from, To: a.query.To, Store: a.query.Only["store"], AsOf: a.query.AsOf}
		c.days, err = needed(ctx, p, func(ctx context.Context) ([]string, error) { return p.books.TradingDays(ctx, q) })
		return wrap("the days of trade", err)
	})
	return c, g.Wait()
}

// askSummaries asks, in all, what the ledger answers.
func (p *Page) askSummaries(ctx context.Context, a *ask, got *answers, question report.SummaryQuery,
	all *sync.WaitGroup) {
	from, to := before(a.query.From, a.query.To)
	for into, days := range map[*part[*report.Summary]][2]time.Time{
		&got.served: {a.query.From, a.query.To}, &got.servedBefore: {from, to},
	} {
		q, named := question, a.query
		q.From, q.To = days[0], days[1]
		named.From, named.To = q.From, q.To
		all.Go(func() {
			optional(ctx, p, a, "served", &named, into, func(ctx context.Context) (*report.Summary, error) {
				return p.books.Summary(ctx, q)
			})
		})
	}
	if got.year = a.year(question); a.onPaper {
		return
	}
	named := a.query
	named.From, named.To = got.year.From, got.year.To
	all.Go(func() {
		optional(ctx, p, a, "paf", &named, &got.paf, func(ctx context.Context) (*report.PAF, error) {
			return p.books.PAF(ctx, got.year)
		})
	})
	all.Go(func() {
		optional(ctx, p, a, "returning", &named, &got.returning, func(ctx context.Context) ([]report.Returning, error) {
			return p.books.Returning(ctx, got.year)
		})
	})
}

// askQuestions asks, in all, the owner's questions.
func (p *Page) askQuestions(ctx context.Context, a *ask, got *answers, store string, all *sync.WaitGroup) {
	for name, into := range map[string]*part[*insight.Answer]{"next": &got.next, "promises": &got.promises} {
		q := insight.Query{From: a.query.From, To: a.query.To, Currency: a.query.Currency, Store: store, AsOf: a.query.AsOf,
			Of: map[string]string{}}
		all.Go(func() {
			optional(ctx, p, a, name, &a.query, into, func(ctx context.Context) (*insight.Answer, error) {
				return p.books.Ask(ctx, insight.QuestionOf(name), q)
			})
		})
	}
}
