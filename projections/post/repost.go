package post

import (
	"errors"
	"fmt"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// Reposter posts rows of the ledger anew. It is for one goroutine at a time.
type Reposter struct {
	Decode   ledger.DecodeStored
	Deciding map[ledger.Ref]bool // voids, by what they take back, whose lines are their own: see decidingVoids
	entry    domain.Entry
}

// NotPostedError says that an event which is in the books could not be posted anew: today's rules refuse what it says, or
// a rate makes an amount that no account can hold. It stays as it is.
type NotPostedError struct {
	Source, ID string
	Err        error
}

func (e *NotPostedError) Error() string {
	return fmt.Sprintf("post the event %s of %s anew: %v", e.ID, e.Source, e.Err)
}

func (e *NotPostedError) Unwrap() error { return e.Err }

// NotPosted passes over what can't be posted anew: it stays as it is.
func NotPosted(err error) (*NotPostedError, error) {
	var not *NotPostedError
	if errors.As(err, &not) {
		return not, nil
	}
	return nil, err
}

// Repost places the row and posts it with the rates that were known at that place; false where that changes nothing, and
// the row is as it was. The lines of a void are its original's affair, unless it decides itself. What changed is valid until
// the next call. Its error is a *NotPostedError.
func (p *Reposter) Repost(r *ledger.Row, terms *domain.Terms, at domain.Position) (bool, error) {
	void, is := r.Event.Data.(*domain.EventVoided)
	return p.Post(r, terms, at, !is || p.Deciding[ledger.Ref{Order: r.Event.OrderID, Source: void.Source, ID: void.ID}])
}

// Post is repost where it is known whether the row's lines are its own.
func (p *Reposter) Post(r *ledger.Row, terms *domain.Terms, at domain.Position, own bool) (bool, error) {
	was := *r
	r.Place(terms.Periods)
	if own {
		e, err := p.Decode(r.Event, r.Data)
		if err == nil {
			err = domain.Post(e, terms.Rates, at, &p.entry)
		}
		if err != nil {
			*r = was
			return false, &NotPostedError{Source: string([]byte(r.Event.Source)), ID: string([]byte(r.Event.ID)), Err: err}
		}
		r.Lines, r.Unpriced = p.entry.Lines, p.entry.Unpriced
		r.Rules, r.Rated = domain.PostingRules(), p.entry.Rated
	}
	if r.Books(&was) {
		*r = was
		return false, nil
	}
	// Its terms stay those of its first posting: should this process end before the roll-ups know, the row is found again.
	r.Moved = r.Moved || !r.RecordedAt.Equal(was.RecordedAt)
	return true, nil
}
