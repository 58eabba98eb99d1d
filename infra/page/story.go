package page

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"

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
	Standing                                              string // in words; empty where it counts
	Of, OfURL                                             string // the event that counts in its place
	Flags                                                 []string
}

// Counts reports whether the event has a line that counts as cost of putting right.
func (s *step) Counts() bool {
	return slices.ContainsFunc(s.Lines, func(l line) bool { return l.Failure })
}

// storyFigures are the figures of a story in one currency:
// Brought = Promised + Customers − ChangedMind − Unfounded − Net.
type storyFigures struct {
	Currency                                         string
	Promised, Brought, Customers, Gross, Net, Hidden *money
	ChangedMind, Unfounded, Ledger                   *money
}

type storyBody struct {
	Story    *report.Story
	IsCase   bool
	OrderURL string
	Cases    []caseOfStory
	Own      *storyFigures   // in the order's own currency
	Others   []*storyFigures // in the other currencies that it has amounts in
	Steps    []step
	Sum      sums   // of the steps' costs
	InReport *money // what of it the report holds from which the reader came
	Outside  *money
}

// OtherCosts are the net costs in other currencies than the order's own.
func (b *storyBody) OtherCosts() sums {
	var all sums
	for _, f := range b.Others {
		if f.Net.Sign() != 0 {
			all.add(f.Net)
		}
	}
	return all
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
	if err := b.figures(); err != nil {
		return nil, err
	}
	key := map[bool]string{true: "case", false: "order"}[isCase]
	for i := range s.Events {
		step, err := p.step(a, &s.Events[i], key, id)
		if err != nil {
			return nil, err
		}
		b.Sum.merge(step.Cost)
		b.Steps = append(b.Steps, *step)
	}
	b.Sum.first(s.Currency)
	for i := range s.Cases {
		c := &s.Cases[i]
		url := a.Link("/case", "id", c.ErrorID, "case", c.ErrorID, "order", s.OrderID)
		b.Cases = append(b.Cases, caseOfStory{c.ErrorID, c.InWords(), url})
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

// figures reads the story's figures, those of each currency by themselves.
func (b *storyBody) figures() (err error) {
	s := b.Story
	if b.Own, err = readFigures(&report.StoryFigures{Currency: s.Currency, PerfectContribution: s.PerfectContribution,
		Contribution: s.Contribution, CustomerChanges: s.CustomerChanges, Gross: s.Gross, Net: s.Net, Hidden: s.Hidden,
		ChangedMind: s.ChangedMind, Unfounded: s.Unfounded}); err != nil {
		return err
	}
	for i := range s.Others {
		f, err := readFigures(&s.Others[i])
		if err != nil {
			return err
		}
		b.Others = append(b.Others, f)
	}
	return nil
}

func readFigures(s *report.StoryFigures) (*storyFigures, error) {
	f := &storyFigures{Currency: s.Currency}
	for _, n := range []struct {
		into **money
		text string
	}{
		{&f.Promised, s.PerfectContribution}, {&f.Brought, s.Contribution}, {&f.Customers, s.CustomerChanges},
		{&f.Gross, s.Gross}, {&f.Net, s.Net}, {&f.Hidden, s.Hidden}, {&f.ChangedMind, s.ChangedMind},
		{&f.Unfounded, s.Unfounded},
	} {
		var err error
		if *n.into, err = read(n.text, s.Currency); err != nil {
			return nil, err
		}
	}
	f.Ledger = f.Net.minus(f.Hidden)
	return f, nil
}

func (p *Page) read(r *http.Request, id string, isCase bool) (*report.Story, error) {
	if isCase {
		s, err := p.books.Case(r.Context(), id, report.AsOf{})
		return s, wrap("the case", err)
	}
	s, err := p.books.Order(r.Context(), id, report.AsOf{})
	return s, wrap("the order", err)
}

// step shows an event of a case's or an order's story; key says which.
func (p *Page) step(a *ask, e *report.StoryEvent, key, of string) (*step, error) {
	const format = "2 Jan 2006, 15:04:05 MST"
	s := &step{Word: report.EventWord(e.Type), Type: e.Type, Source: e.Source, ID: e.ID, Unpriced: e.Unpriced,
		Details: report.Details(e.Data), Time: e.Time.In(p.zone).Format(format),
		Recorded: e.RecordedAt.In(p.zone).Format(format),
		URL:      a.eventLink(key, of, e.Source, e.ID), Standing: standingWords[e.Standing], Flags: flagWords(e.Flags)}
	if e.Of != nil {
		s.Of, s.OfURL = e.Of.ID, a.eventLink(key, of, e.Of.Source, e.Of.ID)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, e.Data, "", "  "); err == nil {
		s.Data = pretty.String()
	} else {
		s.Data = string(e.Data)
	}
	for i := range e.Lines {
		l := &e.Lines[i]
		amount, err := read(l.Amount, l.Currency)
		if err != nil {
			return nil, err
		}
		shown := line{Account: l.Account, Name: report.AccountWord(l.Name),
			Basis: report.Word("basis", l.Basis), Failure: l.Element != ""}
		if shown.Failure {
			shown.Element = report.Word("element", l.Element)
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

// eventLink leads to an event within a case or an order.
func (a *ask) eventLink(within, of, source, id string) string {
	return a.Link("/event", "within", within, "of", of, "source", source, "id", id)
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
	step, err := p.step(a, &s.Events[i], within, of)
	if err != nil {
		return nil, err
	}
	trail := append(a.trail(1), crumb{report.KeyWord(within) + " " + of, a.Link("/"+within, "id", of)})
	return &view{template: "event", Title: step.Word, Ask: a, Trail: trail, Body: step}, nil
}
