package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/report"
)

// ask is what a reader wants to see: every link of a page carries it on.
type ask struct {
	query      report.LeakageQuery // its currency is known, its grouping isn't set
	Group      string
	Currencies []string // where the books hold several in this time
	now        time.Time
	today      time.Time
	zone       *time.Location
	asOf       string // as given
	asOfAPI    string // as the API takes it
	path       string // of the page
	values     url.Values
	// onPaper: the answer is for paper. It waits for parts that take long, and leaves out those that paper doesn't show.
	onPaper bool
	// comesBack: a browser opens the first screen, and asks again by itself where it is told that its numbers come.
	comesBack bool
	began     time.Time
	who       string // reads it
}

// What is shown unless something else is asked for.
const (
	defaultView   = "economic"
	defaultPeriod = "occurred"
	defaultGroup  = "root_cause"
)

// ask reads the question from a URL, and asks the books what it leaves open.
func (p *Page) ask(r *http.Request) (*ask, error) {
	a, err := p.askForAll(r)
	if err != nil {
		return a, err
	}
	return a, a.findCurrency(r.Context(), p)
}

// askForAll is ask, where the currency is left open: the first page asks for what it shows of all at once.
func (p *Page) askForAll(r *http.Request) (*ask, error) {
	a, err := p.asked(r)
	if err != nil {
		return a, err
	}
	if err := a.readAsOf(r.Context(), p.books); err != nil {
		return a, err
	}
	if err := a.query.Validate(); err != nil {
		return a, &badQuery{err.Error()}
	}
	return a, nil
}

// asked is what the URL says, without the books.
func (p *Page) asked(r *http.Request) (*ask, error) {
	local := p.now().In(p.zone)
	a := &ask{now: local, today: day(local.Year(), local.Month(), local.Day()), zone: p.zone, path: r.URL.Path,
		values: r.URL.Query(), Group: defaultGroup, began: time.Now(), who: p.who(r)}
	from, to := monthSoFar(a.today)
	a.query = report.LeakageQuery{From: from, To: to, View: defaultView, PeriodBy: defaultPeriod}
	if g := a.values.Get("group"); g != "" {
		if !slices.Contains(groups, g) {
			return a, &badQuery{fmt.Sprintf("%q is nothing to group by", g)}
		}
		a.Group = g
	}
	first, last := from, to.AddDate(0, 0, -1)
	for name, into := range map[string]*time.Time{"from": &first, "through": &last} {
		if text := a.values.Get(name); text != "" {
			var err error
			if *into, err = readDay(text); err != nil {
				return a, err
			}
		}
	}
	if last.Before(first) {
		return a, &badQuery{"the last day is before the first"}
	}
	a.query.From, a.query.To = first, last.AddDate(0, 0, 1)
	for name, into := range map[string]*string{
		"view": &a.query.View, "period_by": &a.query.PeriodBy, "currency": &a.query.Currency,
	} {
		if text := a.values.Get(name); text != "" {
			*into = text
		}
	}
	for _, key := range report.LeakageKeys() {
		if a.values.Has(key) {
			if slices.Contains(report.PersonKeys(), key) {
				return a, &badQuery{"the page doesn't tell employees apart: /v1/counter does, for who may see it"}
			}
			if a.query.Only == nil {
				a.query.Only = map[string]string{}
			}
			a.query.Only[key] = a.values.Get(key)
		}
	}
	a.asOf = strings.TrimSpace(a.values.Get("as_of"))
	return a, nil
}

func (a *ask) readAsOf(ctx context.Context, books Books) error {
	if a.asOf == "" {
		return nil
	}
	if which, ok := strings.CutPrefix(a.asOf, "close:"); ok {
		c, err := report.FindClose(which, func(p domain.Period) ([]domain.Closing, error) { return books.Closes(ctx, p) })
		var none *report.Invalid
		if errors.As(err, &none) {
			return &badQuery{none.Error()}
		}
		if err != nil {
			return wrap("the close of "+which, err)
		}
		a.query.AsOf.Close, a.asOfAPI = &c, a.asOf
		return nil
	}
	t, err := time.Parse(time.RFC3339, a.asOf)
	if err != nil {
		t, err = time.ParseInLocation("2006-01-02T15:04", strings.Replace(a.asOf, " ", "T", 1), a.zone)
	}
	if err != nil {
		if t, err = time.ParseInLocation(time.DateOnly, a.asOf, a.zone); err == nil {
			t = t.AddDate(0, 0, 1).Add(-time.Millisecond) // all of that day
		}
	}
	if err != nil {
		return &badQuery{fmt.Sprintf("%q is neither a day (2026-01-31), nor a time (2026-01-31 14:00), nor a closed month "+
			"(close:2026-01)", a.asOf)}
	}
	a.query.AsOf.Time, a.asOfAPI = t, t.Format(time.RFC3339Nano)
	return nil
}

// findCurrency asks which there are. Amounts of several are never summed: the one with the most lines is shown, and the
// others are offered.
func (a *ask) findCurrency(ctx context.Context, p *Page) error {
	q := a.query
	q.Currency = ""
	found, err := recall(ctx, p.memory, a.key("currencies", &q), a.needed(freshCounts),
		func(ctx context.Context) ([]string, error) {
			return needed(ctx, p, func(ctx context.Context) ([]string, error) { return p.books.Currencies(ctx, q) })
		})
	if err == nil && !found.Known {
		err = errTooLong
	}
	if err != nil {
		return wrap("the currencies", err)
	}
	a.setCurrencies(found.Value)
	return nil
}

func (a *ask) setCurrencies(found []string) {
	if a.Currencies = found; a.query.Currency == "" && len(found) > 0 {
		a.query.Currency = found[0]
	}
}

// key names a question for the memory.
func (a *ask) key(what string, q *report.LeakageQuery, more ...string) string {
	v := url.Values{"what": {what}, "from": {q.From.Format(time.DateOnly)}, "to": {q.To.Format(time.DateOnly)},
		"view": {q.View}, "period_by": {q.PeriodBy}, "currency": {q.Currency}, "as_of": {a.asOf}, "more": more}
	if c := q.AsOf.Close; c != nil { // a month that is closed again has another one by the same name
		v.Set("close", strconv.Itoa(c.Number))
	}
	for key, value := range q.Only {
		v.Set("only_"+key, value)
	}
	return v.Encode()
}

// patience are the terms on which something is asked that a page can do without: all that it waits for, one after the
// other, has one time together.
func (a *ask) patience(fresh time.Duration) terms {
	most := patience
	if a.onPaper {
		most = patienceOnPaper
	}
	if a.past() {
		fresh = freshThen
	}
	left := max(most-time.Since(a.began), 0)
	return terms{fresh: fresh, wait: left, first: left, who: a.who}
}

// past reports whether the answers are as of a moment, which no event changes.
func (a *ask) past() bool {
	then := a.query.AsOf
	return then.Close != nil || !then.Time.IsZero() && then.Time.Before(a.now)
}

// needed are the terms of what a page can't do without. Who comes back waits no longer than for a part.
func (a *ask) needed(fresh time.Duration) terms {
	t := a.patience(fresh)
	if t.atOnce = true; !a.onPaper && !a.comesBack {
		t.first = longest
	}
	return t
}

func readDay(text string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, &badQuery{fmt.Sprintf("%q is no day of the form 2026-01-31", text)}
	}
	return t, nil
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// monthSoFar is the running month up to today; in its first week, which says little, the month before.
func monthSoFar(today time.Time) (from, to time.Time) {
	const week = 7
	from, to = day(today.Year(), today.Month(), 1), today.AddDate(0, 0, 1)
	if today.Day() <= week {
		return from.AddDate(0, -1, 0), from
	}
	return from, to
}

// before is the time just before, of the same length: as many whole months, or as many days.
func before(from, to time.Time) (time.Time, time.Time) {
	if from.Day() == 1 && to.Day() == 1 {
		months := (to.Year()-from.Year())*12 + int(to.Month()-from.Month())
		return from.AddDate(0, -months, 0), from
	}
	return from.Add(-to.Sub(from)), from
}

// span names a time in words; to is exclusive.
func span(from, to time.Time) string {
	last := to.AddDate(0, 0, -1)
	switch {
	case from.Equal(last):
		return from.Format("2 January 2006")
	case from.Day() == 1 && to.Equal(from.AddDate(0, 1, 0)):
		return from.Format("January 2006")
	case from.Year() != last.Year():
		return from.Format("2 January 2006") + " to " + last.Format("2 January 2006")
	case from.Month() != last.Month():
		return from.Format("2 January") + " to " + last.Format("2 January 2006")
	}
	return from.Format("2") + " to " + last.Format("2 January 2006")
}
