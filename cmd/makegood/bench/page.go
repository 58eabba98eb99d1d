package bench

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/simulator"
	"github.com/makegood/makegood/infra/page"
	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/report"
)

// readerPause is how long a reader looks at a page before the next one.
const readerPause = 2 * time.Second

// mostSimulated are the events that page simulates: of more, the others are copies of them.
const mostSimulated = 200_000

// page fills books with a simulated year, or with several that are copies of it, and has readers load the first page,
// each another view of it, and then the same again and again while a little business goes on. It says how long whole
// pages take, the first of each view apart, how many of them lacked a part, and how long each call of the books took
// that pages asked for.
//
// On two virtual CPUs on which 15 other threads ran, 10 million events of four years, 20 readers: first views took
// 4.4 s (p50) and 8.7 s (p99); with a statement for each part of the page, on the same machine, 26.8 and 44.1 s.
func (b *bench) page(ctx context.Context) (err error) {
	b.prefix += "page." // topics of its own
	a, err := b.app(ctx, server.RoleProjector)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	business, err := newBusiness(min(b.Events, mostSimulated))
	if err != nil {
		return err
	}
	start := time.Now()
	if _, err := b.send(ctx, business.next, min(b.Events, mostSimulated)); err != nil {
		return err
	}
	if err := a.Booked(ctx, int64(business.sent)); err != nil {
		return err
	}
	took := time.Since(start)
	events, years, err := b.multiply(ctx, a, business.sent)
	if err != nil {
		return err
	}
	b.say("\npage: %s events of %d years in the books (%s simulated, booked %s/s); %d readers, each of another view, %v "+
		"between two pages:", terminal.Count(float64(events)), years, terminal.Count(float64(business.sent)),
		terminal.Count(float64(business.sent)/took.Seconds()), b.Readers, readerPause)
	timed := &timedBooks{Books: server.Books{App: a}, took: map[string][]time.Duration{}}
	at, stop, err := servePage(ctx, a, timed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	first, err := b.read(ctx, at, 1)
	if err != nil {
		return err
	}
	b.sayPages("first of each view", first)
	working, enough := context.WithCancel(ctx)
	var trading sync.WaitGroup
	var failed error
	trading.Go(func() { failed = b.trickle(working, business) })
	again, err := b.read(ctx, at, 0)
	enough()
	trading.Wait()
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	b.sayPages("the same again", again)
	for _, c := range timed.slowest() {
		b.say("      %-32s %5d calls  p50 %9s  p99 %9s", c.name, len(c.took), quantile(c.took, .5), quantile(c.took, .99))
	}
	return nil
}

// sayPages says how long pages took.
func (b *bench) sayPages(what string, pages []loaded) {
	took, numbers, lacked := make([]time.Duration, len(pages)), make([]time.Duration, len(pages)), 0
	for i, p := range pages {
		took[i], numbers[i] = p.took, p.numbers
		if p.lacks {
			lacked++
		}
	}
	b.say("  %-20s %5d pages  p50 %9s  p99 %9s  worst %9s  numbers p50 %9s  p99 %9s  %d lacked a part", what,
		len(pages), quantile(took, .5), quantile(took, .99), quantile(took, 1), quantile(numbers, .5),
		quantile(numbers, .99), lacked)
}

// loaded is a page that a reader got.
type loaded struct {
	took    time.Duration
	numbers time.Duration // until the first numbers were there
	lacks   bool          // a part was still being counted
}

// views are what readers look at: the times and groups that the page offers, one after the other.
func views(now time.Time) []string {
	day := func(t time.Time) string { return t.Format(time.DateOnly) }
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	var all []string
	for _, span := range [][2]time.Time{{}, {month.AddDate(0, -1, 0), month.AddDate(0, 0, -1)},
		{now.AddDate(0, 0, -6), now}, {month.AddDate(0, -2, 0), now}, {month.AddDate(0, -11, 0), now}} {
		for _, group := range []string{"root_cause", "store", "vendor", "kind"} {
			q := url.Values{"group": {group}}
			if !span[0].IsZero() {
				q.Set("from", day(span[0]))
				q.Set("through", day(span[1]))
			}
			all = append(all, "/?"+q.Encode())
		}
	}
	return all
}

// read has the readers load pages, so many each; 0: as many as come in the time that is measured.
func (b *bench) read(ctx context.Context, at string, each int) ([]loaded, error) {
	all := views(time.Now().UTC())
	end := time.Now().Add(time.Duration(b.Seconds) * time.Second)
	var mu sync.Mutex
	var pages []loaded
	var errs []error
	var reading sync.WaitGroup
	for r := range b.Readers {
		reading.Go(func() {
			time.Sleep(readerPause * time.Duration(r) / time.Duration(b.Readers)) // they don't come at one moment
			for n := 0; n < each || each == 0 && time.Now().Before(end); n++ {
				p, err := loadPage(ctx, at+all[r%len(all)])
				mu.Lock()
				pages, errs = append(pages, p), append(errs, err)
				mu.Unlock()
				if err != nil {
					return
				}
				time.Sleep(readerPause)
			}
		})
	}
	reading.Wait()
	return pages, errors.Join(errs...)
}

// loadPage opens a page as a browser does, and where it has no numbers yet asks for them as its script does.
func loadPage(ctx context.Context, at string) (loaded, error) {
	start := time.Now()
	body, err := answerOf(ctx, at, "navigate")
	took := time.Since(start)
	if err == nil && bytes.Contains(body, []byte("data-waiting")) {
		body, err = answerOf(ctx, at, "cors")
	}
	return loaded{took, time.Since(start), bytes.Contains(body, []byte("Still being counted"))}, err
}

// servePage serves the page of these books.
func servePage(ctx context.Context, a *server.App, books page.Books) (at string, stop func() error, err error) {
	p, err := page.New(page.Config{Books: books, Now: a.Now, Zone: time.UTC})
	if err != nil {
		return "", nil, err
	}
	mux := http.NewServeMux()
	p.Mount(func(pattern string, h http.Handler) { mux.Handle(pattern, h) })
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("serve the page: %w", err)
	}
	s := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	return "http://" + listener.Addr().String(), func() error {
		failed := s.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			failed = errors.Join(failed, err)
		}
		p.Close()
		return failed
	}, nil
}

// timedBooks time what a page asks for.
type timedBooks struct {
	server.Books
	mu   sync.Mutex
	took map[string][]time.Duration
}

// calls are how long the calls of one name took.
type calls struct {
	name string
	sum  time.Duration
	took []time.Duration
}

// slowest are the calls by name, those that took most time in all first. The page may be asking more meanwhile.
func (t *timedBooks) slowest() []calls {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []calls
	for name, took := range t.took {
		c := calls{name: name, took: slices.Clone(took)}
		for _, d := range took {
			c.sum += d
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b calls) int { return cmp.Compare(b.sum, a.sum) })
	return all
}

// timed is an answer, whose time is noted under a name.
func timed[T any](t *timedBooks, name string, ask func() (T, error)) (T, error) {
	start := time.Now()
	answer, err := ask()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.took[name] = append(t.took[name], time.Since(start))
	return answer, err
}

func (t *timedBooks) Leakage(ctx context.Context, q report.LeakageQuery) (*report.Leakage, error) {
	return timed(t, "leakage by "+fmt.Sprint(q.GroupBy), func() (*report.Leakage, error) {
		return t.Books.Leakage(ctx, q)
	})
}

func (t *timedBooks) Outline(ctx context.Context, q report.OutlineQuery) (*report.Outline, error) {
	return timed(t, "outline", func() (*report.Outline, error) { return t.Books.Outline(ctx, q) })
}

func (t *timedBooks) Currencies(ctx context.Context, q report.LeakageQuery) ([]string, error) {
	return timed(t, "currencies", func() ([]string, error) { return t.Books.Currencies(ctx, q) })
}

func (t *timedBooks) TradingDays(ctx context.Context, q report.TradingDays) ([]string, error) {
	return timed(t, "days of trade", func() ([]string, error) { return t.Books.TradingDays(ctx, q) })
}

func (t *timedBooks) Ask(ctx context.Context, asked *insight.Question, q insight.Query) (*insight.Answer, error) {
	return timed(t, asked.Name, func() (*insight.Answer, error) { return t.Books.Ask(ctx, asked, q) })
}

func (t *timedBooks) Profit(ctx context.Context, q report.LeakageQuery) (*report.Profit, error) {
	return timed(t, "margin", func() (*report.Profit, error) { return t.Books.Profit(ctx, q) })
}

func (t *timedBooks) Summary(ctx context.Context, q report.SummaryQuery) (*report.Summary, error) {
	return timed(t, "summary", func() (*report.Summary, error) { return t.Books.Summary(ctx, q) })
}

func (t *timedBooks) PAF(ctx context.Context, q report.SummaryQuery) (*report.PAF, error) {
	return timed(t, "prevented, checked or failed", func() (*report.PAF, error) { return t.Books.PAF(ctx, q) })
}

func (t *timedBooks) Returning(ctx context.Context, q report.SummaryQuery) ([]report.Returning, error) {
	return timed(t, "who came back", func() ([]report.Returning, error) { return t.Books.Returning(ctx, q) })
}

func (t *timedBooks) Counts(ctx context.Context) (report.Counts, error) {
	return timed(t, "counts", func() (report.Counts, error) { return t.Books.Counts(ctx) })
}

// business is a simulated company: a year of it, and what comes after.
type business struct {
	year, after *simulator.Simulation
	sent        int
}

// newBusiness makes one whose year up to now has about so many events.
func newBusiness(events int) (*business, error) {
	const days, sample = 365, 2000
	config := simulator.Defaults()
	config.Stores, config.Days = 20, days
	config.Start = time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -days)
	eventsOf := func(orders int) (n int, err error) {
		config.Orders = orders
		trial, err := simulator.New(config)
		if err != nil {
			return 0, err
		}
		for _, more := trial.Next(); more; _, more = trial.Next() {
			n++
		}
		return n, nil
	}
	few, err := eventsOf(sample)
	if err != nil {
		return nil, err
	}
	more, err := eventsOf(2 * sample)
	if err != nil {
		return nil, err
	}
	b := &business{}
	config.Orders = max(100, sample+(events-few)*sample/(more-few))
	if b.year, err = simulator.New(config); err != nil {
		return nil, err
	}
	config.Seed, config.Start, config.Days, config.Orders = config.Seed+1, config.Start.AddDate(0, 0, days-1), 0, 0
	b.after, err = simulator.New(config)
	return b, err
}

// next is its next event.
func (b *business) next() (*domain.Event, error) {
	e, more := b.year.Next()
	if !more {
		if e, more = b.after.Next(); !more {
			return nil, errors.New("the simulated business is over")
		}
	}
	b.sent++
	return &e, nil
}

// trickle goes on with the business until ctx ends: every second some events, as in a shop of this size.
func (b *bench) trickle(ctx context.Context, of *business) error {
	const aSecond = 20
	for {
		if _, err := b.send(ctx, of.next, aSecond); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}
