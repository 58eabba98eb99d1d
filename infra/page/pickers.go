package page

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/makegood/makegood/projections/report"
)

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
	return a.query.View != defaultView || a.query.PeriodBy != defaultPeriod || a.asOf != ""
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
	return choices(a.query.View, "economic", "Everything: the real cost", "booked", "Only what the ledger books", "cash",
		"Only money that "+
			"moved")
}

// PeriodsBy are the ways to say when something was.
func (a *ask) PeriodsBy() []choice {
	return choices(a.query.PeriodBy, "occurred", "the day it happened", "posting", "the accounting month")
}

// Groups are what the table can be grouped by.
func (a *ask) Groups() []choice {
	var pairs []string
	for _, g := range groups {
		pairs = append(pairs, g, report.KeyWord(g))
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

// OtherCurrencies are those that the books hold in this time beside the one that is shown, as links to the same report.
func (a *ask) OtherCurrencies() []choice {
	var all []choice
	for _, c := range a.Currencies {
		if c != a.query.Currency {
			all = append(all, choice{Text: c, URL: a.Link(a.path, "currency", c)})
		}
	}
	return all
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
		{"This month", month, tomorrow}, {"Last month", month.AddDate(0, -1, 0), month},
		{"Last 7 days", tomorrow.AddDate(0, 0, -7), tomorrow}, {"This quarter", quarter, tomorrow},
		{"Last quarter", quarter.AddDate(0, -3, 0), quarter}, {"This year", day(t.Year(), 1, 1), tomorrow},
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
			all = append(all, filter{key, value, report.KeyWord(key), report.Word(key, value), a.without(key)})
		}
	}
	return all
}

// carried are the parameters that every link repeats.
func (a *ask) carried() url.Values {
	v := url.Values{"from": {a.From()}, "through": {a.Through()}}
	for _, p := range []struct{ name, value, usual string }{
		{"view", a.query.View, defaultView}, {"period_by", a.query.PeriodBy, defaultPeriod}, {"group", a.Group, defaultGroup},
		{"as_of", a.asOf, ""}, {"currency", a.query.Currency, ""},
	} {
		if p.value != p.usual {
			v.Set(p.name, p.value)
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
	v := url.Values{"from": {a.From()}, "to": {a.query.To.Format(time.DateOnly)}, "group_by": {groupBy},
		"view": {a.query.View}, "period_by": {a.query.PeriodBy}, "format": {format}}
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
