package page

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/report"
)

// Books are what the page asks. Errors: ledger.ErrNotFound, *report.SeveralCurrenciesError.
type Books interface {
	Leakage(context.Context, report.LeakageQuery) (*report.Leakage, error)
	// Outline is what a time comes to, in every currency.
	Outline(context.Context, report.OutlineQuery) (*report.Outline, error)
	// Currencies are those in view, that with the most lines first.
	Currencies(context.Context, report.LeakageQuery) ([]string, error)
	// TradingDays are the days, YYYY-MM-DD, on which orders were placed.
	TradingDays(context.Context, report.TradingDays) ([]string, error)
	// Ask answers one of the owner's questions.
	Ask(context.Context, *insight.Question, insight.Query) (*insight.Answer, error)
	Profit(context.Context, report.LeakageQuery) (*report.Profit, error)
	Summary(context.Context, report.SummaryQuery) (*report.Summary, error)
	PAF(context.Context, report.SummaryQuery) (*report.PAF, error)
	Returning(context.Context, report.SummaryQuery) ([]report.Returning, error)
	Order(ctx context.Context, id string, asOf report.AsOf) (*report.Story, error)
	Case(ctx context.Context, id string, asOf report.AsOf) (*report.Story, error)
	// Closes are a period's closes as the log has them, the first at first.
	Closes(ctx context.Context, period domain.Period) ([]domain.Closing, error)
	Counts(context.Context) (report.Counts, error)
	Doubts
}

// Config is what a Page needs.
type Config struct {
	Books Books
	// Now is the clock: the page begins with the month that it says.
	Now func() time.Time
	// Zone is the books' own, in which days begin.
	Zone *time.Location
	// Who tells readers apart, who share what is asked at a time. Default: by address.
	Who func(*http.Request) string
	// Logger takes what an operator should know of. Default: nothing.
	Logger *slog.Logger
}

// Page answers the pages.
type Page struct {
	books     Books
	now       func() time.Time
	zone      *time.Location
	who       func(*http.Request) string
	logger    *slog.Logger
	memory    *memory
	places    chan struct{} // of what is needed, see mostNeeded
	aside     chan struct{} // of what is asked for beside it
	assets    map[string]*asset
	templates *template.Template
}

// New makes a page.
func New(c Config) (*Page, error) {
	if c.Books == nil || c.Now == nil || c.Zone == nil {
		return nil, errors.New("page: books, a clock and a zone are required")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Who == nil {
		c.Who = address
	}
	p := &Page{books: c.Books, now: c.Now, zone: c.Zone, who: c.Who, logger: c.Logger,
		places: make(chan struct{}, mostNeeded), aside: make(chan struct{}, mostAside),
		memory: newMemory(c.Logger, func() time.Time { return c.Now().In(c.Zone) })}
	var err error
	if p.assets, err = readAssets(); err != nil {
		return nil, err
	}
	if p.templates, err = p.parse(); err != nil {
		return nil, err
	}
	return p, nil
}

// address is the host that a request came from.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// Close ends what is being asked of the books. Pages that are still wanted then say what is known.
func (p *Page) Close() { p.memory.close() }

// Mount hands every pattern of http.ServeMux with its handler to add.
func (p *Page) Mount(add func(pattern string, h http.Handler)) {
	for pattern, show := range map[string]func(*http.Request, *ask) (*view, error){
		"GET /cases":                     p.cases,
		"GET /case":                      p.story,
		"GET /order":                     p.story,
		"GET /event":                     p.event,
		"GET /doubts":                    p.doubts,
		"GET /answers/{question}":        p.answer,
		"GET /answers/{question}/{list}": p.answer,
	} {
		add(pattern, p.handler(p.ask, show))
	}
	add("GET /{$}", p.handler(p.askForAll, p.overview))
	add("GET /weekly.pdf", http.HandlerFunc(p.weekly))
	add("GET /words", p.handler(p.asked, p.words)) // needs nothing of the books, which may be away
	add("GET /assets/{name}", http.HandlerFunc(p.asset))
}

// view is what a template is given.
type view struct {
	template string
	Title    string
	Ask      *ask
	Trail    []crumb // the way back to the first number
	Body     any
	Error    string
}

type crumb struct{ Text, URL string }

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// handler shows what a request asks for. read reads the question.
func (p *Page) handler(read func(*http.Request) (*ask, error),
	show func(*http.Request, *ask) (*view, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusOK
		a, err := read(r)
		var v *view
		if err == nil {
			v, err = show(r, a)
		}
		if err != nil {
			status, v = p.failure(r, a, err)
		}
		var body bytes.Buffer // whole or not at all
		if err := p.templates.ExecuteTemplate(&body, v.template, v); err != nil {
			p.logger.Error("a page could not be written", "path", r.URL.Path, "error", err)
			http.Error(w, "The page could not be written; see the log.", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		w.WriteHeader(status)
		_, _ = body.WriteTo(w) // a reader that went away can't be told
	})
}

// badQuery is a question that can't be answered as it stands.
type badQuery struct{ reason string }

func (e *badQuery) Error() string { return e.reason }

// failure is the page that says what went wrong.
func (p *Page) failure(r *http.Request, a *ask, err error) (int, *view) {
	v := &view{template: "failure", Title: "That did not work", Ask: a}
	var query *badQuery
	var noCase *report.NoCaseError
	switch {
	case errors.As(err, &query):
		v.Error = query.reason
		return http.StatusBadRequest, v
	case errors.As(err, &noCase):
		v.Title, v.Error = "No case", noCase.Error()
		return http.StatusNotFound, v
	case errors.Is(err, errNoAnswer):
		v.Title, v.Error = "No such answer", "There is no answer of that name here. The first page has a list of them."
		return http.StatusNotFound, v
	case errors.Is(err, ledger.ErrNotFound):
		v.Title, v.Error = "Not in the books", "The books hold nothing under that id."
		return http.StatusNotFound, v
	default:
		if r.Context().Err() == nil {
			p.logger.Error("a page could not be made", "path", r.URL.Path, "error", err)
		}
		v.Error = "The books can't be read right now. Try again in a moment; the log of the service says more."
		return http.StatusServiceUnavailable, v
	}
}

// wrap says what was being read when err came; errors that are answers stay as they are.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read %s: %w", what, err)
}
