package post

import (
	"slices"
	"strings"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// Poster posts events alone: those whose entry needs no other event (see ledger.Row.PostsAlone). It is for one
// goroutine at a time.
type Poster struct {
	Decode ledger.DecodeStored
	entry  domain.Entry
}

// post places a row and makes its entry, where its event posts alone; else it has none yet. The lines are valid until
// the next call.
func (p *Poster) post(r *ledger.Row, e *domain.Event, terms *domain.Terms) error {
	r.Place(terms.Periods)
	r.Rules, r.Lines, r.Unpriced = domain.PostingRules(), nil, nil
	if !domain.Alone(e) {
		return nil
	}
	if err := domain.Post(e, terms.Rates, terms.PricedFrom(r.Position), &p.entry); err != nil {
		return err
	}
	r.Lines, r.Unpriced, r.Rated = p.entry.Lines, p.entry.Unpriced, r.Rated || p.entry.Rated
	r.CompleteLines()
	return nil
}

// Repost posts a row of the ledger again that posts alone, with the rates that are known by now at its place; false
// where that changes nothing, and the row is as it was. What changed is valid until the next call. Its error is a
// *NotPostedError.
func (p *Poster) Repost(r *ledger.Row, terms *domain.Terms) (bool, error) {
	was := *r
	e, err := p.Decode(r.Event, r.Data)
	if err == nil {
		err = p.post(r, e, terms)
	}
	if err != nil {
		*r = was
		return false, &NotPostedError{Source: strings.Clone(r.Event.Source), ID: strings.Clone(r.Event.ID), Err: err}
	}
	if r.Books(&was) {
		*r = was
		return false, nil
	}
	// Its terms stay those of its first posting: should this process end before the roll-ups know, the row is found again.
	r.Stood = was.Version()
	return true, nil
}

// Outcome is what a rebuild makes of a row that posts alone.
type Outcome uint8

// The outcomes. Frozen: it would come out otherwise, and stays, since its epoch was closed when the rebuild was
// recorded.
const (
	Same Outcome = iota
	Changed
	Frozen
)

// Rebuild posts a row again as a rebuild has it. Its error is a *NotPostedError.
func (p *Poster) Rebuild(r *ledger.Row, terms *domain.Terms, rebuild *domain.Rebuild) (Outcome, error) {
	place := domain.Position{Stream: domain.Books, Offset: rebuild.Mark.Offset, Time: rebuild.Mark.Time}
	if terms.Periods.Epoch(r.Position) == terms.Periods.Epoch(place) {
		changed, err := p.Repost(r, terms)
		if changed {
			return Changed, err
		}
		return Same, err
	}
	e, err := p.Decode(r.Event, r.Data)
	if err == nil {
		err = domain.Post(e, terms.Rates, place, &p.entry)
	}
	if err != nil {
		return Same, &NotPostedError{Source: strings.Clone(r.Event.Source), ID: strings.Clone(r.Event.ID), Err: err}
	}
	if slices.Equal(p.entry.Lines, r.Lines) {
		return Same, nil
	}
	return Frozen, nil
}
