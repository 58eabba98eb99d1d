package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/report"
)

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
	Cost                                                  sums // its lines that count
	Debits, Credits                                       sums
	Unpriced                                              []string
}

// Counts reports whether the event has a line that counts as cost of putting right.
func (s *step) Counts() bool {
	return slices.ContainsFunc(s.Lines, func(l line) bool { return l.Failure })
}

// storyFigures are the figures of a story in one currency.
type storyFigures struct {
	Promised, Brought, Gross, Net, Hidden, Ledger, ChangedMind *money
}

type storyBody struct {
	Story    *report.Story
	IsCase   bool
	OrderURL string
	Cases    []caseOfStory
	Own      *storyFigures // in the order's own currency
	Others   sums          // net costs in other currencies
	Steps    []step
	Sum      sums   // of the steps' costs
	InReport *money // what of it the report holds from which the reader came
	Outside  *money
}

type caseOfStory struct{ ID, Words, URL string }

// story tells a case or an order, down to the journal lines.
func (p *Page) story(r *http.Request, a *ask) (*view, error) {
	id, isCase := a.values.Get("id"), r.URL.Path == "/case"
	s, err := p.read(r, id, isCase)
	if err != nil {
		return nil, err
	}
	b := &storyBody{Story: s, IsCase: isCase}
	if b.Own, err = ownFigures(s); err != nil {
		return nil, err
	}
	key := map[bool]string{true: "case", false: "order"}[isCase]
	for i := range s.Events {
		step, err := p.step(&s.Events[i], s.Currency)
		if err != nil {
			return nil, err
		}
		step.URL = a.Link("/event", "within", key, "of", id, "source", step.Source, "id", step.ID)
		b.Sum.merge(step.Cost)
		if !changedMind(s, s.Events[i].ErrorID) {
			b.Others.merge(step.Cost)
		}
		b.Steps = append(b.Steps, *step)
	}
	b.Others = b.Others.without(s.Currency)
	b.Sum.first(s.Currency)
	for i := range s.Cases {
		c := &s.Cases[i]
		url := a.Link("/case", "id", c.ErrorID, "case", c.ErrorID, "order", s.OrderID)
		b.Cases = append(b.Cases, caseOfStory{c.ErrorID, caseWords(c), url})
	}
	if s.OrderID != "" {
		b.OrderURL = a.Link("/order", "id", s.OrderID, "order", s.OrderID)
	}
	if err := b.inReport(r, p.books, a, key, id); err != nil {
		return nil, err
	}
	title := map[bool]string{true: "Case ", false: "Order "}[isCase] + id
	return &view{template: "story", Title: title, Ask: a, Trail: a.trail(1), Body: b}, nil
}

// inReport asks what of the story's cost is in the report that the reader came from, in that report's currency.
func (b *storyBody) inReport(r *http.Request, books Books, a *ask, key, id string) error {
	q := a.query
	if q.Only = maps.Clone(q.Only); q.Only == nil {
		q.Only = map[string]string{}
	}
	q.Only[key] = id
	if q.Currency == "" {
		q.Currency = b.Story.Currency
	}
	answer, err := books.Leakage(r.Context(), q)
	if err != nil {
		return wrap("what the report holds of it", err)
	}
	if b.InReport, err = read(answer.Totals.Net, q.Currency); err != nil {
		return err
	}
	b.Outside = b.Sum.in(q.Currency).minus(b.InReport)
	return nil
}

func ownFigures(s *report.Story) (*storyFigures, error) {
	f := &storyFigures{}
	for _, n := range []struct {
		into **money
		text string
	}{
		{&f.Promised, s.PerfectContribution}, {&f.Brought, s.Contribution}, {&f.Gross, s.Gross}, {&f.Net, s.Net},
		{&f.Hidden, s.Hidden}, {&f.ChangedMind, s.ChangedMind},
	} {
		var err error
		if *n.into, err = read(n.text, s.Currency); err != nil {
			return nil, err
		}
	}
	f.Ledger = f.Net.minus(f.Hidden)
	return f, nil
}

// changedMind reports whether the case is no failure.
func changedMind(s *report.Story, errorID string) bool {
	i := slices.IndexFunc(s.Cases, func(c report.Case) bool { return c.ErrorID == errorID })
	return i >= 0 && !domain.IsFailure(s.Cases[i].Kind)
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
	const format = "2 Jan 2006, 15:04:05 MST"
	s := &step{Word: eventWord(e.Type), Type: e.Type, Source: e.Source, ID: e.ID, Unpriced: e.Unpriced,
		Details: details(e.Data),
		Time:    e.Time.In(p.zone).Format(format), Recorded: e.RecordedAt.In(p.zone).Format(format)}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, e.Data, "", "  "); err == nil {
		s.Data = pretty.String()
	} else {
		s.Data = string(e.Data)
	}
	for i := range e.Lines {
		l := &e.Lines[i]
		amount, err := read(l.Amount, lineCurrency(e, currency))
		if err != nil {
			return nil, err
		}
		shown := line{Account: l.Account, Name: sentence(l.Name), Basis: word("basis", l.Basis), Failure: l.Element != ""}
		if shown.Failure {
			shown.Element = word("element", l.Element)
			s.Cost.add(amount)
		}
		if amount.Sign() < 0 {
			shown.Credit = amount.negated()
			s.Credits.add(shown.Credit)
		} else {
			shown.Debit = amount
			s.Debits.add(amount)
		}
		s.Lines = append(s.Lines, shown)
	}
	return s, nil
}

// lineCurrency is that of an event's lines: the one that its data says, else the story's.
func lineCurrency(e *report.StoryEvent, ofStory string) string {
	var said struct {
		Currency string `json:"currency"`
	}
	if json.Unmarshal(e.Data, &said) != nil || said.Currency == "" {
		return ofStory
	}
	return said.Currency
}

// What a person wants to see first of an event's data: words, measures with their unit, and amounts.
var (
	detailWords    = []string{"kind", "mode", "role", "rate", "key", "category", "party", "by", "reason", "rating"}
	detailMeasures = []struct{ name, unit string }{
		{"minutes", "minutes"}, {"drive_minutes", "minutes driving"}, {"site_minutes", "minutes on site"},
		{"wait_minutes", "minutes waiting"}, {"distance_km", "km"},
	}
	detailAmounts = []string{"amount", "net", "value"}
)

// details are what a person wants to see first of an event's data.
func details(data json.RawMessage) string {
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if d.Decode(&fields) != nil {
		return ""
	}
	var words []string
	for _, name := range detailWords {
		if v, ok := fields[name]; ok && v != nil {
			words = append(words, strings.ReplaceAll(fmt.Sprint(v), "_", " "))
		}
	}
	for _, n := range detailMeasures {
		if v, ok := fields[n.name]; ok && v != nil {
			words = append(words, fmt.Sprint(v)+" "+n.unit)
		}
	}
	currency, _ := fields["currency"].(string)
	for _, name := range detailAmounts {
		if v, ok := fields[name]; ok && v != nil {
			words = append(words, strings.TrimSpace(fmt.Sprint(v)+" "+currency))
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
	i := slices.IndexFunc(s.Events, func(e report.StoryEvent) bool {
		return e.Source == v.Get("source") && e.ID == v.Get("id")
	})
	if i < 0 {
		return nil, ledger.ErrNotFound
	}
	step, err := p.step(&s.Events[i], s.Currency)
	if err != nil {
		return nil, err
	}
	trail := append(a.trail(1), crumb{keyWords[within] + " " + of, a.Link("/"+within, "id", of)})
	return &view{template: "event", Title: step.Word, Ask: a, Trail: trail, Body: step}, nil
}
