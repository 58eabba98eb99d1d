package page

import (
	"context"
	"net/http"

	"github.com/makegood/makegood/projections/report"
)

// Doubts are what the books say of events that are said twice or can't be right.
type Doubts interface {
	// SaidTwice are the doubles and the contradictions, at most limit of each, the oldest first.
	SaidTwice(ctx context.Context, limit int) (doubles, contradictions []report.SaidTwice, err error)
	// Flagged is what can't be right, at most limit, the oldest first.
	Flagged(ctx context.Context, limit int) ([]report.Flagged, error)
}

// mostDoubts bounds each list; the commands list all.
const mostDoubts = 100

type doubtsBody struct {
	Contradictions, Doubles []doubt
	Flags                   []doubt
	More                    bool // a list is at its bound
}

// doubt is an event that posts nothing because of another one, or something that can't be right.
type doubt struct {
	What, Order, Case, Source, ID, Time string
	URL, OrderURL, CaseURL              string
	Of, OfSource, OfURL                 string
	Amount                              *money // by how much it can't be right; nil where that is no amount
}

// doubts lists what waits for a person, and what can't be right; each opens its events.
func (p *Page) doubts(r *http.Request, a *ask) (*view, error) {
	doubles, contradictions, err := p.books.SaidTwice(r.Context(), mostDoubts)
	if err != nil {
		return nil, wrap("what is said twice", err)
	}
	flags, err := p.books.Flagged(r.Context(), mostDoubts)
	if err != nil {
		return nil, wrap("what can't be right", err)
	}
	b := &doubtsBody{More: len(doubles) == mostDoubts || len(contradictions) == mostDoubts || len(flags) == mostDoubts}
	for i := range contradictions {
		b.Contradictions = append(b.Contradictions, p.saidTwice(a, &contradictions[i]))
	}
	for i := range doubles {
		b.Doubles = append(b.Doubles, p.saidTwice(a, &doubles[i]))
	}
	for i := range flags {
		f := &flags[i]
		d := a.doubt(f.OrderID, f.ErrorID, f.Source, f.ID)
		d.What = report.Word("flag", f.Code)
		if f.Currency != "" {
			if d.Amount, err = read(f.Amount, f.Currency); err != nil {
				return nil, err
			}
		}
		b.Flags = append(b.Flags, d)
	}
	return &view{template: "doubts", Title: "Said twice, and what can't be right", Ask: a, Trail: a.trail(0), Body: b}, nil
}

func (p *Page) saidTwice(a *ask, e *report.SaidTwice) doubt {
	d := a.doubt(e.OrderID, e.ErrorID, e.Source, e.ID)
	d.What, d.Time = report.EventWord(e.Type), e.Time.In(p.zone).Format("2 Jan 2006, 15:04 MST")
	d.Of, d.OfSource = e.OfID, e.OfSource
	if d.URL != "" && e.OfID != "" {
		within, of := within(e.OrderID, e.ErrorID)
		d.OfURL = a.eventLink(within, of, e.OfSource, e.OfID)
	}
	return d
}

// doubt has the links of an event of an order or of a case.
func (a *ask) doubt(order, errorID, source, id string) doubt {
	d := doubt{Order: order, Case: errorID, Source: source, ID: id}
	if within, of := within(order, errorID); of != "" {
		d.URL = a.eventLink(within, of, source, id)
	}
	if order != "" {
		d.OrderURL = a.Link("/order", "id", order)
	}
	if errorID != "" {
		d.CaseURL = a.Link("/case", "id", errorID)
	}
	return d
}

// within is where an event is looked up: its order, else its case.
func within(order, errorID string) (key, id string) {
	if order != "" {
		return "order", order
	}
	return "case", errorID
}
