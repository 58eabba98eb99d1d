package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
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
	today      time.Time
	zone       *time.Location
	asOf       string // as given
	asOfAPI    string // as the API takes it
	values     url.Values
}

// ask reads the question from a URL.
func (p *Page) ask(r *http.Request) (*ask, error) {
	local := p.now().In(p.zone)
	a := &ask{today: day(local.Year(), local.Month(), local.Day()), zone: p.zone, values: r.URL.Query(), Group: "root_cause"}
	from, to := monthSoFar(a.today)
	a.query = report.LeakageQuery{From: from, To: to, View: "economic", PeriodBy: "occurred"}
	if g := a.values.Get("group"); g != "" {
		if !slices.Contains(groups, g) {
			return a, &badQuery{fmt.Sprintf("%q is nothing to group by", g)}
		}
		a.Group = g
	}
	first, last := from, to.AddDate(0, 0, -1)
	for name, into := range map[string]*time.Time{"from": &first, "through": &last} {
		if text := a.values.Get(name); text != "" {
			t, err := time.Parse(time.DateOnly, text)
			if err != nil {
				return a, &badQuery{fmt.Sprintf("%q is no day of the form 2026-01-31", text)}
			}
			*into = t
		}
	}
	if last.Before(first) {
		return a, &badQuery{"the last day is before the first"}
	}
	a.query.From, a.query.To = first, last.AddDate(0, 0, 1)
	for name, into := range map[string]*string{"view": &a.query.View, "period_by": &a.query.PeriodBy, "currency": &a.query.Currency} {
		if text := a.values.Get(name); text != "" {
			*into = text
		}
	}
	for _, key := range report.LeakageKeys() {
		if a.values.Has(key) {
			if a.query.Only == nil {
				a.query.Only = map[string]string{}
			}
			a.query.Only[key] = a.values.Get(key)
		}
	}
	if err := a.readAsOf(r.Context(), p.books); err != nil {
		return a, err
	}
	if err := a.query.Validate(); err != nil {
		return a, &badQuery{err.Error()}
	}
	return a, a.findCurrency(r.Context(), p.books)
}

func (a *ask) readAsOf(ctx context.Context, books Books) error {
	a.asOf = strings.TrimSpace(a.values.Get("as_of"))
	if a.asOf == "" {
		return nil
	}
	if which, ok := strings.CutPrefix(a.asOf, "close:"); ok {
		c, err := report.FindClose(which, func(p domain.Period) ([]domain.Closing, error) { return books.Closes(ctx, p) })
		var none *report.NoCloseError
		if errors.As(err, &none) {
			return &badQuery{none.Reason}
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
		return &badQuery{fmt.Sprintf("%q is neither a day (2026-01-31), nor a time (2026-01-31 14:00), nor a closed month (close:2026-01)", a.asOf)}
	}
	a.query.AsOf.Time, a.asOfAPI = t, t.Format(time.RFC3339Nano)
	return nil
}

// findCurrency asks which there are: amounts of several are never summed, so the first is shown and the others offered.
func (a *ask) findCurrency(ctx context.Context, books Books) error {
	q := a.query
	q.Currency = ""
	found, err := books.Leakage(ctx, q)
	var several *report.SeveralCurrenciesError
	switch {
	case errors.As(err, &several):
		a.Currencies = several.Currencies
	case err != nil:
		return wrap("the currencies", err)
	case found.Currency != "":
		a.Currencies = []string{found.Currency}
	}
	if a.query.Currency == "" && len(a.Currencies) > 0 {
		a.query.Currency = a.Currencies[0]
	}
	return nil
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

// When is the time in words, as part of a sentence.
func (a *ask) When() string {
	words := span(a.query.From, a.query.To)
	switch {
	case strings.Contains(words, " to "):
		return "from " + words
	case a.query.To.Equal(a.query.From.AddDate(0, 0, 1)):
		return "on " + words
	}
	return "in " + words
}

// From and Through are the first and last day, as pickers hold them.
func (a *ask) From() string    { return a.query.From.Format(time.DateOnly) }
func (a *ask) Through() string { return a.query.To.AddDate(0, 0, -1).Format(time.DateOnly) }

// The rest of what pickers hold.
func (a *ask) View() string     { return a.query.View }
func (a *ask) PeriodBy() string { return a.query.PeriodBy }
func (a *ask) Currency() string { return a.query.Currency }
func (a *ask) AsOf() string     { return a.asOf }

// Custom reports whether more than the time was chosen, so that the other pickers are shown open.
func (a *ask) Custom() bool {
	return a.query.View != "economic" || a.query.PeriodBy != "occurred" || a.asOf != ""
}

// choice is an option of a picker.
type choice struct {
	Value, Text string
	Chosen      bool
	URL         string
}

func choices(chosen string, pairs ...string) []choice {
	var all []choice
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, choice{Value: pairs[i], Text: pairs[i+1], Chosen: pairs[i] == chosen})
	}
	return all
}

// Views are what a report can look at.
func (a *ask) Views() []choice {
	return choices(a.query.View, "economic", "Everything: the real cost", "booked", "Only what the ledger books", "cash", "Only money that moved")
}

// PeriodsBy are the ways to say when something was.
func (a *ask) PeriodsBy() []choice {
	return choices(a.query.PeriodBy, "occurred", "the day it happened", "posting", "the accounting month")
}

// Groups are what the table can be grouped by.
func (a *ask) Groups() []choice {
	var pairs []string
	for _, g := range groups {
		pairs = append(pairs, g, keyWords[g])
	}
	return choices(a.Group, pairs...)
}

// CurrencyChoices are the currencies that the books hold in this time.
func (a *ask) CurrencyChoices() []choice {
	var pairs []string
	for _, c := range a.Currencies {
		pairs = append(pairs, c, c)
	}
	if !slices.Contains(a.Currencies, a.query.Currency) && a.query.Currency != "" {
		pairs = append(pairs, a.query.Currency, a.query.Currency)
	}
	return choices(a.query.Currency, pairs...)
}

// Presets are times that people ask for, as links.
func (a *ask) Presets() []choice {
	t := a.today
	month := day(t.Year(), t.Month(), 1)
	quarter := day(t.Year(), (t.Month()-1)/3*3+1, 1)
	tomorrow := t.AddDate(0, 0, 1)
	var all []choice
	for _, p := range []struct {
		text     string
		from, to time.Time
	}{
		{"This month", month, tomorrow}, {"Last month", month.AddDate(0, -1, 0), month}, {"Last 7 days", tomorrow.AddDate(0, 0, -7), tomorrow},
		{"This quarter", quarter, tomorrow}, {"Last quarter", quarter.AddDate(0, -3, 0), quarter}, {"This year", day(t.Year(), 1, 1), tomorrow},
	} {
		all = append(all, choice{Text: p.text, Chosen: p.from.Equal(a.query.From) && p.to.Equal(a.query.To),
			URL: a.Link("/", "from", p.from.Format(time.DateOnly), "through", p.to.AddDate(0, 0, -1).Format(time.DateOnly))})
	}
	return all
}

// filter is one thing that the report is narrowed to.
type filter struct{ Key, Value, Name, Text, Without string }

// Filters are what the report is narrowed to.
func (a *ask) Filters() []filter {
	var all []filter
	for _, key := range report.LeakageKeys() {
		if value, ok := a.query.Only[key]; ok {
			all = append(all, filter{key, value, keyWords[key], word(key, value), a.without(key)})
		}
	}
	return all
}

// carried are the parameters that every link repeats.
func (a *ask) carried() url.Values {
	v := url.Values{"from": {a.From()}, "through": {a.Through()}}
	for name, value := range map[string]string{"view": a.query.View, "period_by": a.query.PeriodBy, "as_of": a.asOf, "currency": a.query.Currency, "group": a.Group} {
		if value != "" && value != map[string]string{"view": "economic", "period_by": "occurred", "group": "root_cause"}[name] {
			v.Set(name, value)
		}
	}
	for key, value := range a.query.Only {
		v.Set(key, value)
	}
	return v
}

// Link is another page of the same question; pairs say what differs.
func (a *ask) Link(path string, pairs ...string) string {
	v := a.carried()
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return path + "?" + v.Encode()
}

func (a *ask) without(key string) string {
	v := a.carried()
	v.Del(key)
	return "/?" + v.Encode()
}

// API is the same report from the API, in a format for a spreadsheet.
func (a *ask) API(groupBy, format string) string {
	v := url.Values{"from": {a.From()}, "to": {a.query.To.Format(time.DateOnly)}, "group_by": {groupBy}, "view": {a.query.View}, "period_by": {a.query.PeriodBy}, "format": {format}}
	if a.query.Currency != "" {
		v.Set("currency", a.query.Currency)
	}
	if a.asOfAPI != "" {
		v.Set("as_of", a.asOfAPI)
	}
	for key, value := range a.query.Only {
		v.Set(key, value)
	}
	return "/v1/reports/leakage?" + v.Encode()
}
