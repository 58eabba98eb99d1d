package projections

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/makegood/makegood/domain"
)

// Reader reads the ledger in blocks of columns: what is for a great many rows, where readRows is for a few.
type Reader interface {
	// ReadLedger hands over the rows of a statement whose FROM is given ("ledger FINAL WHERE …") to the workers: each takes
	// one at a time, and which of them takes a row is chance. A row is valid until the worker returns. Of a void, Event.Data
	// holds what it voids and the type of that; of other events it is nil. It ends with the first error of any worker.
	ReadLedger(ctx context.Context, from string, workers ...func(*Row) error) error
}

// DecodeStored reads the data of an event whose envelope the ledger keeps beside it. The result is valid until the next
// call.
type DecodeStored func(e *domain.Event, data []byte) (*domain.Event, error)

// reposter posts rows of the ledger anew. It is for one goroutine at a time.
type reposter struct {
	decode   DecodeStored
	deciding map[voidRef]bool // voids, by what they take back, whose lines are their own: see decidingVoids
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

// notPosted passes over what can't be posted anew: it stays as it is.
func notPosted(err error) (*NotPostedError, error) {
	var not *NotPostedError
	if errors.As(err, &not) {
		return not, nil
	}
	return nil, err
}

// repost places the row and posts it with the rates that were known at that place; false where that changes nothing, and
// the row is as it was. The lines of a void are its original's affair, unless it decides itself. What changed is valid until
// the next call. Its error is a *NotPostedError.
func (p *reposter) repost(r *Row, terms *domain.Terms, at domain.Position) (bool, error) {
	void, is := r.Event.Data.(*domain.EventVoided)
	return p.post(r, terms, at, !is || p.deciding[voidRef{r.Event.OrderID, void.Source, void.ID}])
}

// post is repost where it is known whether the row's lines are its own.
func (p *reposter) post(r *Row, terms *domain.Terms, at domain.Position, own bool) (bool, error) {
	was := *r
	r.Place(terms.Periods)
	if own {
		e, err := p.decode(r.Event, r.Data)
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
	if r.books(&was) {
		*r = was
		return false, nil
	}
	// Its terms stay those of its first posting: should this process end before the roll-ups know, the row is found again.
	r.Moved = r.Moved || !r.RecordedAt.Equal(was.RecordedAt)
	return true, nil
}

// books reports whether a row says the same to the books as another of the same event.
func (r *Row) books(o *Row) bool {
	return slices.Equal(r.Lines, o.Lines) && slices.Equal(r.Unpriced, o.Unpriced) && r.Posting == o.Posting && r.Origin == o.Origin &&
		r.Day.Equal(o.Day) && r.RecordedAt.Equal(o.RecordedAt)
}
