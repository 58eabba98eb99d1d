package page

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/report"
)

// slow are books that may take long.
type slow struct {
	oneOrder
	hangs *atomic.Bool
	wait  chan struct{}
}

var noneApart = map[string]string{"changed_mind": "0.0000", "unfounded": "0.0000", "customer_changes": "0.0000"}

func (s slow) held() {
	if s.hangs.Load() {
		<-s.wait
	}
}

func (s slow) Currencies(context.Context, report.LeakageQuery) ([]string, error) {
	s.held()
	return []string{"USD"}, nil
}

func (s slow) TradingDays(context.Context, report.TradingDays) ([]string, error) {
	s.held()
	return nil, nil
}

func (s slow) Leakage(ctx context.Context, q report.LeakageQuery) (*report.Leakage, error) {
	s.held()
	l, err := s.oneOrder.Leakage(ctx, q)
	l.Apart = noneApart
	return l, err
}

func (s slow) Outline(context.Context, report.OutlineQuery) (*report.Outline, error) {
	s.held()
	const net, none = "10.0000", "0.0000"
	sums := report.LeakageFigures{Gross: net, Net: net, Booked: net, Hidden: none, Recoveries: none}
	return &report.Outline{Currencies: []string{"USD"}, By: map[string]*report.OutlineOf{"USD": {Total: sums, Any: true,
		Earlier: sums, AnyEarlier: true, Apart: noneApart}}}, nil
}

func (s slow) Counts(context.Context) (report.Counts, error) {
	s.held()
	return report.Counts{}, nil
}

// TestOnePatience: however much of a page takes long, and however much of that waits for the rest, it is shown with the
// last known figures after one patience, and says of what time they are.
func TestOnePatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slow{hangs: new(atomic.Bool), wait: make(chan struct{})}
		p, get := pageOf(t, s, time.Now)
		load := func() (string, time.Duration) {
			start := time.Now()
			answer := get("/")
			if answer.Code != http.StatusOK {
				t.Fatalf("%d\n%s", answer.Code, answer.Body)
			}
			return answer.Body.String(), time.Since(start)
		}
		if body, took := load(); took != 0 || strings.Contains(body, "took too long") {
			t.Errorf("what answers at once takes %v", took)
		}
		time.Sleep(time.Minute)
		s.hangs.Store(true)
		body, took := load()
		if took != patience || !strings.Contains(body, "A newer answer took too long: these are the numbers of ") ||
			!strings.Contains(strings.ReplaceAll(body, thin, " "), "<strong>10.00 USD</strong>") {
			t.Errorf("after %v, not %v:\n%s", took, patience, body)
		}
		close(s.wait)
		p.Close()
	})
}

// fresh are books into which nothing has come yet, then an order, which cost nothing.
type fresh struct {
	slow
	events *atomic.Uint64
}

func (f fresh) Outline(context.Context, report.OutlineQuery) (*report.Outline, error) {
	return &report.Outline{}, nil
}

func (f fresh) TradingDays(context.Context, report.TradingDays) ([]string, error) {
	if f.events.Load() == 0 {
		return nil, nil
	}
	return []string{time.Now().UTC().Format(time.DateOnly)}, nil
}

func (f fresh) Leakage(context.Context, report.LeakageQuery) (*report.Leakage, error) {
	const none = "0.0000"
	return &report.Leakage{Totals: report.LeakageFigures{Gross: none, Net: none, Booked: none, Hidden: none,
		Recoveries: none}, Apart: noneApart}, nil
}

func (f fresh) Counts(context.Context) (report.Counts, error) {
	return report.Counts{Events: f.events.Load()}, nil
}

// TestTheFirstEventIsSeen at once, and without an amount that has no currency.
func TestTheFirstEventIsSeen(t *testing.T) {
	f := fresh{events: new(atomic.Uint64)}
	p, get := pageOf(t, f, time.Now)
	defer p.Close()
	for _, want := range []string{"The books are empty", "orders are in the books, and no case that cost something"} {
		answer := get("/")
		body := answer.Body.String()
		if answer.Code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%d, without %q\n%s", answer.Code, want, body)
		}
		for _, not := range []string{"0.00", "in : ", "in , ", "Total, <"} {
			if strings.Contains(body, not) {
				t.Errorf("it says %q\n%s", not, body)
			}
		}
		f.events.Store(1)
	}
}

// parted are books that note which part of a page is asked, and have none.
type parted struct {
	slow
	asked chan string
}

var errNone = errors.New("these books have no such part")

func (b parted) Profit(context.Context, report.LeakageQuery) (*report.Profit, error) {
	b.asked <- "profit"
	return nil, errNone
}

func (b parted) Summary(context.Context, report.SummaryQuery) (*report.Summary, error) {
	b.asked <- "served"
	return nil, errNone
}

func (b parted) PAF(context.Context, report.SummaryQuery) (*report.PAF, error) {
	b.asked <- "paf"
	return nil, errNone
}

func (b parted) Returning(context.Context, report.SummaryQuery) ([]report.Returning, error) {
	b.asked <- "returning"
	return nil, errNone
}

func (b parted) Ask(_ context.Context, q *insight.Question, _ insight.Query) (*insight.Answer, error) {
	b.asked <- q.Name
	return nil, errNone
}

// TestTheSentenceComesFirst: of what waits for a place, that which is in the first sentence gets one before the others.
func TestTheSentenceComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := parted{slow{hangs: new(atomic.Bool)}, make(chan string)}
		p, get := pageOf(t, b, time.Now)
		hanging := make(chan struct{})
		for i := range mostAtOnce {
			if _, err := recall(t.Context(), p.memory, string(rune('a'+i)), terms{}, func(ctx context.Context) (int, error) {
				if <-hanging; i > 0 {
					<-ctx.Done()
				}
				return 0, nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		answer := get("/")
		if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), "is still being counted") {
			t.Errorf("%d\n%s", answer.Code, answer.Body)
		}
		close(hanging)
		if first := <-b.asked; first != "next" {
			t.Errorf("%s is asked first", first)
		}
		for range 6 {
			<-b.asked
		}
		synctest.Wait()
		p.Close()
	})
}

// narrow are books that take a second for each answer, and refuse where they are asked too much at once.
type narrow struct {
	slow
	asked, refused *atomic.Int64
}

func (n narrow) Outline(ctx context.Context, q report.OutlineQuery) (*report.Outline, error) {
	if n.asked.Add(1) > mostNeeded {
		n.refused.Add(1)
		return nil, errNone
	}
	defer n.asked.Add(-1)
	time.Sleep(time.Second)
	return n.slow.Outline(ctx, q)
}

func (n narrow) Leakage(ctx context.Context, q report.LeakageQuery) (*report.Leakage, error) {
	if n.asked.Add(1) > mostNeeded {
		n.refused.Add(1)
		return nil, errNone
	}
	defer n.asked.Add(-1)
	time.Sleep(time.Second)
	return n.slow.Leakage(ctx, q)
}

// TestManyReadersOfSlowBooks: however many views are wanted at once, what the pages need waits for its turn, and none
// of them fails.
func TestManyReadersOfSlowBooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := narrow{slow: slow{hangs: new(atomic.Bool)}, asked: new(atomic.Int64), refused: new(atomic.Int64)}
		p, get := pageOf(t, n, time.Now)
		defer p.Close()
		var readers sync.WaitGroup
		for day := range 20 {
			readers.Go(func() {
				from := time.Now().UTC().AddDate(0, 0, -day-1).Format(time.DateOnly)
				if answer := get("/?from=" + from); answer.Code != http.StatusOK {
					t.Errorf("from %s: %d\n%s", from, answer.Code, answer.Body)
				}
			})
		}
		readers.Wait()
		if n.refused.Load() > 0 {
			t.Errorf("%d were asked beyond what the books bear", n.refused.Load())
		}
	})
}

// counting are books that count how often they are asked for sums, and of which the days of trade may take long.
type counting struct {
	slow
	outlines *atomic.Int64
	days     *atomic.Bool
}

func (c counting) Outline(ctx context.Context, q report.OutlineQuery) (*report.Outline, error) {
	c.outlines.Add(1)
	return c.slow.Outline(ctx, q)
}

// Counts of books that aren't empty: a page of empty ones forgets all answers.
func (counting) Counts(context.Context) (report.Counts, error) { return report.Counts{Events: 1}, nil }

func (c counting) TradingDays(context.Context, report.TradingDays) ([]string, error) {
	if c.days.Load() {
		time.Sleep(longest / 2)
	}
	return nil, nil
}

// TestReadersShareTheSums, however they group, and in whatever currency.
func TestReadersShareTheSums(t *testing.T) {
	c := counting{slow: slow{hangs: new(atomic.Bool)}, outlines: new(atomic.Int64), days: new(atomic.Bool)}
	p, get := pageOf(t, c, func() time.Time { return time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC) })
	defer p.Close()
	var readers sync.WaitGroup
	for _, query := range []string{"", "?group=store", "?group=vendor", "?group=day", "?currency=JPY"} {
		readers.Go(func() {
			if answer := get("/" + query); answer.Code != http.StatusOK {
				t.Errorf("%s: %d\n%s", query, answer.Code, answer.Body)
			}
		})
	}
	readers.Wait()
	if n := c.outlines.Load(); n != 1 {
		t.Errorf("the sums are asked %d times, not once", n)
	}
}

// TestThePageWaitsForNoComparison: where it takes long to see whether two times can be compared, the page is there all
// the same, and compares nothing yet.
func TestThePageWaitsForNoComparison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := counting{slow: slow{hangs: new(atomic.Bool)}, outlines: new(atomic.Int64), days: new(atomic.Bool)}
		c.days.Store(true)
		p, get := pageOf(t, c, time.Now)
		defer p.Close()
		start := time.Now()
		body := get("/").Body.String()
		if took := time.Since(start); took != patience {
			t.Errorf("the page takes %v", took)
		}
		for _, want := range []string{"not compared yet", "whether the time before can be compared"} {
			if !strings.Contains(body, want) {
				t.Errorf("without %q:\n%s", want, body)
			}
		}
		c.days.Store(false)
		time.Sleep(longest)
		if body := get("/").Body.String(); strings.Contains(body, "not compared") {
			t.Errorf("it still compares nothing:\n%s", body)
		}
	})
}

// sellsNothing are books without a cost, of which it isn't known yet whether anything was sold.
type sellsNothing struct{ counting }

func (sellsNothing) Outline(context.Context, report.OutlineQuery) (*report.Outline, error) {
	return &report.Outline{By: map[string]*report.OutlineOf{}}, nil
}

func (sellsNothing) Leakage(context.Context, report.LeakageQuery) (*report.Leakage, error) {
	const none = "0.0000"
	return &report.Leakage{Totals: report.LeakageFigures{Gross: none, Net: none, Booked: none, Hidden: none,
		Recoveries: none}, Apart: noneApart}, nil
}

func (sellsNothing) Counts(context.Context) (report.Counts, error) {
	return report.Counts{Events: 1}, nil
}

// TestABrowserIsAnsweredBeforeTheNumbers: where nothing is known yet, who opens the page is told at once that the
// numbers come, and not that there are none; what asks for them afterwards waits, as programs do.
func TestABrowserIsAnsweredBeforeTheNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slow{hangs: new(atomic.Bool), wait: make(chan struct{})}
		c := counting{slow: slow{hangs: new(atomic.Bool)}, outlines: new(atomic.Int64), days: new(atomic.Bool)}
		s.hangs.Store(true)
		c.days.Store(true)
		for name, books := range map[string]Books{"the sums take long": s, "the days take long": sellsNothing{c}} {
			p, get := pageOf(t, books, time.Now)
			start := time.Now()
			opened := get("/", "Sec-Fetch-Mode", "navigate")
			if took := time.Since(start); took > patience+100*time.Millisecond || opened.Code != http.StatusOK ||
				!strings.Contains(opened.Body.String(), "data-waiting") {
				t.Errorf("%s: after %v the browser is told %d\n%s", name, took, opened.Code, opened.Body)
			}
			time.AfterFunc(time.Second, func() {
				if s.hangs.CompareAndSwap(true, false) {
					close(s.wait)
				}
			})
			for _, header := range [][]string{{"Sec-Fetch-Mode", "cors"}, {"Sec-Fetch-Mode", "navigate"}} {
				if answer := get("/", header...); answer.Code != http.StatusOK ||
					strings.Contains(answer.Body.String(), "data-waiting") {
					t.Errorf("%s: asked by %s it is\n%s", name, header[1], answer.Body)
				}
			}
			p.Close()
		}
	})
}
