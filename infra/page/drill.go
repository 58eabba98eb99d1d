package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/report"
)

// mostCases bounds a list; what isn't in it is summed under it, and the spreadsheet has all of them.
const mostCases = 200

// caseKeys are what a list of cases shows of each.
var caseKeys = []string{"case", "order", "store", "kind", "root_cause"}

type caseRow struct {
	Case, Order, Store, Kind, Cause string
	CaseURL, OrderURL               string
	F                               *figures
}

type casesBody struct {
	Rows      []caseRow
	Total     *figures
	Rest      *figures // of those that aren't shown
	CSV, XLSX string
}

// cases lists the cases behind a number.
func (p *Page) cases(r *http.Request, a *ask) (*view, error) {
	q := a.query
	q.GroupBy, q.Largest = caseKeys, mostCases
	answer, err := p.books.Leakage(r.Context(), q)
	if err != nil {
		return nil, wrap("the cases", err)
	}
	list := strings.Join(caseKeys, ",")
	b := &casesBody{CSV: a.API(list, "csv"), XLSX: a.API(list, "xlsx")}
	if b.Total, err = figuresOf(answer.Totals, a.query.Currency); err != nil {
		return nil, err
	}
	rest := b.Total
	for _, row := range answer.Rows {
		f, err := figuresOf(row.LeakageFigures, a.query.Currency)
		if err != nil {
			return nil, err
		}
		id, order := row.Key["case"], row.Key["order"]
		c := caseRow{Case: id, Order: order, Store: row.Key["store"], Kind: word("kind", row.Key["kind"]), Cause: word("root_cause", row.Key["root_cause"]), F: f}
		if id != "" {
			c.CaseURL = a.Link("/case", "id", id, "case", id, "order", order)
		}
		if order != "" {
			c.OrderURL = a.Link("/order", "id", order, "case", id, "order", order)
		}
		b.Rows = append(b.Rows, c)
		rest = &figures{rest.Gross.minus(f.Gross), rest.Net.minus(f.Net), rest.Booked.minus(f.Booked), rest.Hidden.minus(f.Hidden), rest.Recoveries.minus(f.Recoveries), 0, 0}
	}
	if len(answer.Rows) == mostCases {
		b.Rest = rest
	}
	title := "Cases"
	if len(a.query.Only) > 0 {
		var words []string
		for _, f := range a.Filters() {
			words = append(words, f.Text)
		}
		title += ": " + strings.Join(words, ", ")
	}
	return &view{template: "cases", Title: title, Ask: a, Trail: a.trail(0), Body: b}, nil
}

// trail is the way back; depth is how many levels under the list of cases the page is.
func (a *ask) trail(depth int) []crumb {
	bare := *a
	bare.query.Only = nil
	crumbs := []crumb{{"Overview", bare.Link("/")}}
	if depth > 0 {
		list := *a
		list.query.Only = maps.Clone(a.query.Only)
		delete(list.query.Only, "case")
		delete(list.query.Only, "order")
		crumbs = append(crumbs, crumb{"Cases", list.Link("/cases")})
	}
	return crumbs
}

// line is a journal line.
type line struct {
	Account, Name, Element, Basis string
	Debit, Credit                 *money
	Failure                       bool // it counts as cost of putting right
}

// step is an event of a story.
type step struct {
	Word, Type, Source, ID, Time, Recorded, Data, Details string
	URL                                                   string
	Lines                                                 []line
	Cost                                                  *money // its lines that count, summed
	Debits                                                *money
	Credits                                               *money
	Counts                                                bool
	Unpriced                                              []string
}

type storyBody struct {
	Story                                         *report.Story
	IsCase                                        bool
	OrderURL                                      string
	Cases                                         []caseOfStory
	Promised, Brought, Gross, Net, Hidden, Ledger *money
	ChangedMind                                   *money
	Steps                                         []step
	Sum                                           *money // over the steps
	InReport                                      *money // what of it the report holds from which the reader came
	Outside                                       *money
	Currency                                      string
}

type caseOfStory struct{ ID, Words, URL string }

// story tells a case or an order, down to the journal lines.
func (p *Page) story(r *http.Request, a *ask) (*view, error) {
	id, isCase := a.values.Get("id"), r.URL.Path == "/case"
	s, err := p.read(r, id, isCase)
	if err != nil {
		return nil, err
	}
	b := &storyBody{Story: s, IsCase: isCase, Currency: s.Currency}
	for _, n := range []struct {
		into **money
		text string
	}{{&b.Promised, s.PerfectContribution}, {&b.Brought, s.Contribution}, {&b.Gross, s.Gross}, {&b.Net, s.Net}, {&b.Hidden, s.Hidden}, {&b.ChangedMind, s.ChangedMind}} {
		if *n.into, err = read(n.text, s.Currency); err != nil {
			return nil, err
		}
	}
	b.Ledger = b.Net.minus(b.Hidden)
	b.Sum = &money{currency: s.Currency}
	key := map[bool]string{true: "case", false: "order"}[isCase]
	for i := range s.Events {
		step, err := p.step(&s.Events[i], s.Currency)
		if err != nil {
			return nil, err
		}
		step.URL = a.Link("/event", "within", key, "of", id, "source", step.Source, "id", step.ID)
		b.Sum = b.Sum.plus(step.Cost)
		b.Steps = append(b.Steps, *step)
	}
	for i := range s.Cases {
		c := &s.Cases[i]
		b.Cases = append(b.Cases, caseOfStory{c.ErrorID, caseWords(c), a.Link("/case", "id", c.ErrorID, "case", c.ErrorID, "order", s.OrderID)})
	}
	if s.OrderID != "" {
		b.OrderURL = a.Link("/order", "id", s.OrderID, "order", s.OrderID)
	}
	q := a.query
	if q.Only = maps.Clone(q.Only); q.Only == nil {
		q.Only = map[string]string{}
	}
	q.Only[key] = id
	if q.Currency == s.Currency || q.Currency == "" {
		answer, err := p.books.Leakage(r.Context(), q)
		if err != nil {
			return nil, wrap("what the report holds of it", err)
		}
		if b.InReport, err = read(answer.Totals.Net, s.Currency); err != nil {
			return nil, err
		}
		b.Outside = b.Sum.minus(b.InReport)
	}
	title := map[bool]string{true: "Case ", false: "Order "}[isCase] + id
	return &view{template: "story", Title: title, Ask: a, Trail: a.trail(1), Body: b}, nil
}

func (p *Page) read(r *http.Request, id string, isCase bool) (*report.Story, error) {
	if isCase {
		s, err := p.books.Case(r.Context(), id, report.AsOf{})
		return s, wrap("the case", err)
	}
	s, err := p.books.Order(r.Context(), id, report.AsOf{})
	return s, wrap("the order", err)
}

func (p *Page) step(e *report.StoryEvent, currency string) (*step, error) {
	s := &step{Word: eventWord(e.Type), Type: e.Type, Source: e.Source, ID: e.ID, Unpriced: e.Unpriced,
		Time: e.Time.In(p.zone).Format("2 Jan 2006, 15:04:05 MST"), Recorded: e.RecordedAt.In(p.zone).Format("2 Jan 2006, 15:04:05 MST"),
		Cost: &money{currency: currency}, Debits: &money{currency: currency}, Credits: &money{currency: currency}, Details: details(e.Data)}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, e.Data, "", "  "); err == nil {
		s.Data = pretty.String()
	} else {
		s.Data = string(e.Data)
	}
	for _, l := range e.Lines {
		amount, err := read(l.Amount, currency)
		if err != nil {
			return nil, err
		}
		shown := line{Account: l.Account, Name: sentence(l.Name), Element: "", Basis: word("basis", l.Basis), Failure: l.Element != ""}
		if shown.Failure {
			shown.Element, s.Counts = word("element", l.Element), true
			s.Cost = s.Cost.plus(amount)
		}
		if amount.Sign() < 0 {
			shown.Credit = amount.negated()
			s.Credits = s.Credits.plus(shown.Credit)
		} else {
			shown.Debit = amount
			s.Debits = s.Debits.plus(amount)
		}
		s.Lines = append(s.Lines, shown)
	}
	return s, nil
}

// details are what a person wants to see first of an event's data.
func details(data json.RawMessage) string {
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if d.Decode(&fields) != nil {
		return ""
	}
	var words []string
	for _, name := range []string{"kind", "mode", "role", "rate", "key", "value", "category", "party", "by", "reason", "rating"} {
		if v, ok := fields[name]; ok && v != nil {
			words = append(words, strings.ReplaceAll(fmt.Sprint(v), "_", " "))
		}
	}
	for _, n := range []struct{ name, unit string }{{"minutes", "minutes"}, {"drive_minutes", "minutes driving"}, {"site_minutes", "minutes on site"}, {"wait_minutes", "minutes waiting"}, {"distance_km", "km"}} {
		if v, ok := fields[n.name]; ok && v != nil {
			words = append(words, fmt.Sprint(v)+" "+n.unit)
		}
	}
	for _, name := range []string{"amount", "net"} {
		if v, ok := fields[name]; ok && v != nil {
			words = append(words, strings.TrimSpace(fmt.Sprintf("%v %v", v, fields["currency"])))
		}
	}
	lines, _ := fields["lines"].([]any)
	const few = 3
	for i, l := range lines {
		if line, ok := l.(map[string]any); ok && i < few {
			words = append(words, fmt.Sprintf("%v × %v", line["quantity"], line["sku"]))
		}
	}
	if len(lines) > few {
		words = append(words, fmt.Sprintf("and %d more", len(lines)-few))
	}
	return strings.Join(words, ", ")
}

type eventBody struct {
	Step           *step
	Within, Of     string
	Currency       string
	Account, Story string
}

// event shows one event with its journal entry.
func (p *Page) event(r *http.Request, a *ask) (*view, error) {
	v := a.values
	within, of := v.Get("within"), v.Get("of")
	if within != "case" && within != "order" {
		return nil, &badQuery{"an event is looked up within a case or an order"}
	}
	s, err := p.read(r, of, within == "case")
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(s.Events, func(e report.StoryEvent) bool { return e.Source == v.Get("source") && e.ID == v.Get("id") })
	if i < 0 {
		return nil, ledger.ErrNotFound
	}
	step, err := p.step(&s.Events[i], s.Currency)
	if err != nil {
		return nil, err
	}
	url := a.Link("/"+within, "id", of)
	trail := append(a.trail(1), crumb{keyWords[within] + " " + of, url})
	return &view{template: "event", Title: step.Word, Ask: a, Trail: trail, Body: &eventBody{Step: step, Within: within, Of: of, Currency: s.Currency, Story: url}}, nil
}
