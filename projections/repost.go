package projections

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
)

// Reader reads the ledger in blocks of columns: what is for all of it, where readRows is for a few rows.
type Reader interface {
	// ReadLedger hands over the rows of the ledger that the condition says, copies folded, to the workers: each takes one at
	// a time, and which of them takes a row is chance. A row is valid until the worker returns. Of a void, Event.Data holds
	// what it voids and the type of that; of other events it is nil. It ends with the first error of any worker.
	ReadLedger(ctx context.Context, condition string, workers ...func(*Row) error) error
}

// DecodeStored reads the data of an event whose envelope the ledger keeps beside it. The result is valid until the next
// call.
type DecodeStored func(e *domain.Event, data []byte) (*domain.Event, error)

// reposter posts rows of the ledger anew, a great many of them. It is for one goroutine at a time.
type reposter struct {
	decode  DecodeStored
	orphans map[voidRef]bool // voids of what never came
	entry   domain.Entry
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

// repost places the row and posts it with the rates that were known at that place; false where that changes nothing, and
// the row is as it was. The lines of a void are its original's affair, unless that never came. What changed is valid until
// the next call. Its error is a *NotPostedError.
func (p *reposter) repost(r *Row, terms *domain.Terms, at domain.Position) (bool, error) {
	was := *r
	r.Place(terms.Periods)
	if void, is := r.Event.Data.(*domain.EventVoided); !is || p.orphans[voidRef{r.Event.OrderID, void.Source, void.ID}] {
		e, err := p.decode(r.Event, r.Data)
		if err == nil {
			err = domain.Post(e, terms.Rates, at, &p.entry)
		}
		if err != nil {
			*r = was
			return false, &NotPostedError{Source: string([]byte(r.Event.Source)), ID: string([]byte(r.Event.ID)), Err: err}
		}
		r.Lines, r.Unpriced = p.entry.Lines, p.entry.Unpriced
	}
	if slices.Equal(r.Lines, was.Lines) && slices.Equal(r.Unpriced, was.Unpriced) && r.Posting == was.Posting && r.Origin == was.Origin &&
		r.Day.Equal(was.Day) && r.RecordedAt.Equal(was.RecordedAt) {
		*r = was
		return false, nil
	}
	r.Moved = r.Moved || !r.RecordedAt.Equal(was.RecordedAt)
	return true, nil
}

// orphanVoids are the voids, by what they take back, whose originals aren't in the ledger.
func orphanVoids(ctx context.Context, db driver.Conn) (map[voidRef]bool, error) {
	v := voidSettler{db: db}
	if err := v.load(ctx); err != nil {
		return nil, err
	}
	orphans := make(map[voidRef]bool, len(v.pending))
	for _, r := range v.pending {
		orphans[r] = true
	}
	return orphans, nil
}

// repostFamily is Terms.repostFamily.
func repostFamily(root *stored, voids []*stored, alone bool, decode Decode, terms *domain.Terms) (changed bool, err error) {
	if len(terms.Rebuilds.All()) == 0 {
		return false, nil
	}
	with := make([]domain.Placed, len(voids))
	for i, v := range voids {
		with[i] = domain.Placed{Occurred: v.Event.Time, At: v.Position}
	}
	own, together := terms.PricedAt(root.Event.Time, root.Position), terms.PricedAt(root.Event.Time, root.Position, with...)
	if own.Stream == together.Stream && own.Offset == together.Offset {
		return false, nil
	}
	return repost(root, decode, terms, together, alone)
}
