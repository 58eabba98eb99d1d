package page

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/report"
	"github.com/makegood/makegood/projections/sql"
)

// answers are what the first screen is made of, as the books give it. It can't do without the first two. Of the others,
// those that are not Known took too long, or were not asked.
type answers struct {
	outline              part[*report.Outline]
	groups               part[*report.Leakage] // with how many cases and orders there are
	days                 part[[]string]        // of trade, in the time and in the one before
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

// askAll asks all that the first screen shows: what it can't do without is waited for. Which currency is shown, the
// outline says.
func (p *Page) askAll(ctx context.Context, a *ask, b *overviewBody) (*answers, error) {
	got := &answers{}
	if err := p.askOutline(ctx, a, b, got); err != nil {
		return got, err
	}
	var all sync.WaitGroup
	var err error
	all.Go(func() { err = p.askGroups(ctx, a, b, got) })
	all.Go(func() {
		var failed error
		got.counts, failed = p.counts(ctx, a.patience(freshCounts))
		got.counts.Failed = failed != nil
	})
	all.Go(func() {
		var failed error
		got.days, failed = p.days(ctx, a, a.patience(freshCounts))
		got.days.Failed = failed != nil
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

// mostNeeded bounds how many statements are asked at once of what pages can't do without, and mostAside those asked
// beside it. The others wait: there are as few connections to ClickHouse, and who finds none for some seconds gets an
// error.
const (
	mostNeeded = 8
	mostAside  = 2
)

// inTurn asks for something once there is a place.
func inTurn[T any](ctx context.Context, places chan struct{},
	ask func(context.Context) (T, error)) (answer T, err error) {
	select {
	case places <- struct{}{}:
		defer func() { <-places }()
		return ask(ctx)
	case <-ctx.Done():
		return answer, ctx.Err()
	}
}

// needed asks for something that a page can't do without, once there is a place.
func needed[T any](ctx context.Context, p *Page, ask func(context.Context) (T, error)) (T, error) {
	return inTurn(sql.Waited(ctx), p.places, ask)
}

// aside asks for something short that makes way for what is needed.
func aside[T any](ctx context.Context, p *Page, ask func(context.Context) (T, error)) (T, error) {
	return inTurn(sql.Unhurried(ctx), p.aside, ask)
}

// counts are how far the books are: the same for every page, so all of them share it.
func (p *Page) counts(ctx context.Context, t terms) (part[report.Counts], error) {
	t.atOnce = true
	return recall(ctx, p.memory, "counts", t, func(ctx context.Context) (report.Counts, error) {
		return aside(ctx, p, p.books.Counts)
	})
}

// days are those of trade: whether the two times can be compared. They are the same in every view and currency.
func (p *Page) days(ctx context.Context, a *ask, t terms) (part[[]string], error) {
	t.atOnce = true
	from, _ := before(a.query.From, a.query.To)
	q := report.TradingDays{From: from, To: a.query.To, Store: a.query.Only["store"], AsOf: a.query.AsOf}
	named := report.LeakageQuery{From: from, To: a.query.To, Only: map[string]string{"store": q.Store}, AsOf: q.AsOf}
	return recall(ctx, p.memory, a.key("days", &named), t, func(ctx context.Context) ([]string, error) {
		return aside(ctx, p, func(ctx context.Context) ([]string, error) { return p.books.TradingDays(ctx, q) })
	})
}

// askOutline asks for the sums, of all currencies at once: one answer for all readers of a time, however they group.
func (p *Page) askOutline(ctx context.Context, a *ask, b *overviewBody, got *answers) (err error) {
	q := report.OutlineQuery{LeakageQuery: a.query, ByMonth: b.ByMonth}
	q.Earlier, _ = before(a.query.From, a.query.To)
	q.Currency = ""
	got.outline, err = recall(ctx, p.memory, a.key("outline", &q.LeakageQuery), a.needed(freshCounts),
		func(ctx context.Context) (*report.Outline, error) {
			return needed(ctx, p, func(ctx context.Context) (*report.Outline, error) { return p.books.Outline(ctx, q) })
		})
	if err == nil && !got.outline.Known {
		err = errTooLong
	}
	if err != nil {
		return wrap("the totals", err)
	}
	a.setCurrencies(got.outline.Value.Currencies)
	return nil
}

// askGroups asks for the groups, and counts cases and orders, which takes longer than all sums.
func (p *Page) askGroups(ctx context.Context, a *ask, b *overviewBody, got *answers) (err error) {
	q := a.query
	q.Without = report.Parts{Apart: true}
	if q.GroupBy = []string{a.Group}; !b.Timeline {
		q.Largest = mostGroups
	}
	got.groups, err = recall(ctx, p.memory, a.key("groups", &q, a.Group), a.needed(freshCounts),
		func(ctx context.Context) (*report.Leakage, error) {
			return needed(ctx, p, func(ctx context.Context) (*report.Leakage, error) { return p.books.Leakage(ctx, q) })
		})
	if err == nil && !got.groups.Known {
		err = errTooLong
	}
	return wrap("the groups", err)
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
