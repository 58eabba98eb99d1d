package page

import (
	"errors"
	"net/http"
	"strings"
	"time"

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
	Term                         string // of the glossary, where the name has one
	At                           string // when it was known, where a newer one took too long
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
	Unequal  string // why the two times can't be compared; empty where they can
	Cards    []card
	Save     *saving // nil where nobody asked
	Next     *nextThings
	Promises *promises
	Warnings []warning
	Counting string // the parts that are still being counted, in words
	Late     int    // and how many they are
	Trend    []bar
	ByMonth  bool
	Cost     []bar // from gross by element to net
	Profit   []bar // from what orders were to bring to what they brought
	ProfitAt string
	Placed   string // how many orders
	Groups   []bar
	OfGroups *figures // what they come to: they are read apart from the rest
	Others   *bar     // what isn't among Groups, summed
	Timeline bool     // groups are days or months: no ranking
	Name     string
	Apart    *apart
	AsOf     string
	Empty    bool
	Nothing  bool   // no currency has a cost in this time
	Begin    string // where there is nothing at all: the address to send the first event to
	Today    string // and the time of that event
	Year     *year
	OnPaper  bool // more groups than fit on paper
}

const firstTitle = "What putting things right costs"

const (
	mostGroups  = 200
	mostOnPaper = 12 // groups: the rule of the style sheet
	mostDays    = 92 // of a trend by day; a longer one is by month
)

// overview is the first screen, or one that says that its numbers come: for who comes back for them.
func (p *Page) overview(r *http.Request, a *ask) (*view, error) {
	a.comesBack = r.Header.Get("Sec-Fetch-Mode") == "navigate"
	v, err := p.firstScreen(r, a)
	if a.comesBack && errors.Is(err, errTooLong) {
		return &view{template: "counting", Title: firstTitle, Ask: a}, nil
	}
	return v, err
}

func (p *Page) firstScreen(r *http.Request, a *ask) (*view, error) {
	b := &overviewBody{ByMonth: a.query.To.Sub(a.query.From) > mostDays*24*time.Hour,
		Timeline: a.Group == "day" || a.Group == "month", Name: report.KeyWord(a.Group)}
	b.Before = span(before(a.query.From, a.query.To))
	got, err := p.askAll(r.Context(), a, b)
	if err != nil {
		return nil, err
	}
	if !got.outline.Value.Of(a.query.Currency).Any && !got.days.Known { // it says whether anything was sold
		if got.days, err = p.days(r.Context(), a, a.needed(freshCounts)); err == nil && !got.days.Known {
			err = errTooLong
		}
		if err != nil {
			return nil, wrap("the days of trade", err)
		}
	}
	if err := p.fill(b, a, got); err != nil {
		return nil, err
	}
	if b.Empty && !got.counts.Known {
		if got.counts, err = p.counts(r.Context(), a.needed(freshCounts)); err == nil && !got.counts.Known {
			err = errTooLong
		}
		if err != nil {
			return nil, wrap("how far the books are", err)
		}
	}
	if b.Empty && got.counts.Known && got.counts.Value.Events == 0 {
		p.memory.clear() // the first event is to be seen as soon as it is there
		b.Begin, b.Today = "http://"+r.Host, a.now.UTC().Truncate(time.Minute).Format(time.RFC3339)
		if r.TLS != nil {
			b.Begin = "https://" + r.Host
		}
	}
	return &view{template: "overview", Title: firstTitle, Ask: a, Body: b}, nil
}

// fill makes of the answers what is shown.
func (p *Page) fill(b *overviewBody, a *ask, got *answers) (err error) {
	o := got.outline.Value
	of := o.Of(a.query.Currency)
	if b.Total, err = figuresOf(of.Total, a.query.Currency); err != nil {
		return err
	}
	counted := got.groups.Value.Totals
	b.Total.Cases, b.Total.Orders = counted.Cases, counted.Orders
	past, err := figuresOf(of.Earlier, a.query.Currency)
	if err != nil {
		return err
	}
	if b.Apart, err = readApart(of, a.query.Currency); err != nil {
		return err
	}
	b.AsOf = o.AsOf.In(p.zone).Format("2 January 2006, 15:04 MST")
	if got.outline.Old || got.groups.Old {
		at := got.outline.At
		if got.groups.At.Before(at) {
			at = got.groups.At
		}
		b.Warnings = append(b.Warnings, warning{Text: "A newer answer took too long: these are the numbers of " +
			clock(at) + "."})
	}
	b.Empty = !of.Any && !a.traded(got.days.Value)
	b.Nothing, b.Unequal = a.query.Currency == "", a.unequal(got.days.Value)
	switch {
	case got.days.Failed:
		b.Unequal = "not compared"
	case !got.days.Known:
		b.Unequal = "not compared yet"
	}
	if got.whole {
		if b.Save, err = savingOf(a, got.next); err != nil {
			return err
		}
		b.Next = p.nextThings(a, got.next)
		if b.Promises, err = promisesOf(a, got.promises); err != nil {
			return err
		}
		if b.Year, err = a.yearOf(got); err != nil {
			return err
		}
	}
	if err := b.cards(a, past, !of.AnyEarlier, got); err != nil {
		return err
	}
	b.warnings(a, got.counts.Value)
	late, broken := got.missing(a)
	b.Counting, b.Late = strings.Join(late, ", "), len(late)
	if len(broken) > 0 {
		b.Warnings = append(b.Warnings, warning{Text: "Could not be read, and not on this page: " +
			strings.Join(broken, ", ") + ". The log of makegood says why."})
	}
	return b.tables(a, got)
}

// clock is a time of today in a sentence.
func clock(t time.Time) string { return t.Format("15:04:05") }

// at is when a part was known, where a newer one took too long; else nothing.
func at[T any](p part[T]) string {
	if !p.Old || !p.Known {
		return ""
	}
	return clock(p.At)
}

// state is how a part of the page stands.
type state struct {
	name          string // in words
	known, failed bool
	at            time.Time
}

func stateOf[T any](name string, p part[T]) state { return state{name, p.Known, p.Failed, p.At} }

// parts are those that were asked beside the outline and the groups.
func (got *answers) parts(a *ask) []state {
	all := []state{stateOf("what is not in the books", got.counts),
		stateOf("whether the time before can be compared", got.days)}
	if a.wantsMargin() {
		all = append(all, stateOf("the margin", got.profit))
	}
	if !got.whole {
		return all
	}
	all = append(all, stateOf("the share of sales", got.served), stateOf("that of the time before", got.servedBefore))
	if !a.onPaper {
		all = append(all, stateOf("the year", got.paf), stateOf("who came back", got.returning))
	}
	return append(all, stateOf("what to do next, what would be saved and what is owed", got.next),
		stateOf("promises", got.promises))
}

// missing are the parts, in words, that are not on the page: those that took too long and were never known, and those
// that could not be read.
func (got *answers) missing(a *ask) (late, broken []string) {
	for _, p := range got.parts(a) {
		switch {
		case p.known:
		case p.failed:
			broken = append(broken, p.name)
		default:
			late = append(late, p.name)
		}
	}
	return late, broken
}

// older are the parts, in words, that were known notably earlier than the outline.
func (got *answers) older(a *ask) (all []string) {
	for _, p := range got.parts(a) {
		if p.known && got.outline.At.Sub(p.at) > worthSaying {
			all = append(all, p.name+" (as known at "+clock(p.at)+")")
		}
	}
	return all
}

// apart is what is no leakage and stands beside it: what changed minds and unfounded cases cost, and what customers
// brought by changing their orders, below zero where they cancelled.
type apart struct{ ChangedMind, Unfounded, Customers *money }

func readApart(l *report.OutlineOf, currency string) (*apart, error) {
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
