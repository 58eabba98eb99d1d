package post

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// BooksRecord is one record of the books stream.
type BooksRecord struct {
	Offset   int64
	Time     time.Time
	Metadata message.Metadata
	Value    []byte
}

// BooksLog reads the one partition of the books stream, without a consumer group: every projector needs all of it.
type BooksLog interface {
	// End is the offset that the next record will have.
	End(ctx context.Context) (int64, error)
	// ReadTo hands over every record before end that it has not handed over yet, in order.
	ReadTo(ctx context.Context, end int64, take func(BooksRecord) error) error
}

// Terms keeps the rates and closed months up to date with the books stream, ahead of the other streams: what was
// acknowledged on books before an event was sent is in force for it, and posting a record twice gives the same lines.
type Terms struct {
	log    BooksLog
	decode ledger.Decode

	mu    sync.Mutex // one reader at a time; readers of terms hold it shared through Use
	anew  Reposter   // under mu
	rules sync.RWMutex
	terms *domain.Terms
	laid  []domain.Mark // of every record that lays something down
	dealt map[dealing]bool
	read  int64
}

// dealing is the identity of an event that says that somebody dealt with a dead letter.
type dealing struct{ source, id string }

// NewTerms starts before the first record. stored is for who posts rows of the ledger anew with them.
func NewTerms(log BooksLog, decode ledger.Decode, stored ledger.DecodeStored, zone *time.Location) *Terms {
	return &Terms{log: log, decode: decode, anew: Reposter{Decode: stored}, terms: domain.NewTerms(zone), dealt: map[dealing]bool{}}
}

// ReadTerms reads the books stream up to its end, and says where that is. The terms are the caller's own.
func ReadTerms(ctx context.Context, log BooksLog, decode ledger.Decode, zone *time.Location) (*domain.Terms, int64, error) {
	t := NewTerms(log, decode, nil, zone)
	if err := t.CatchUp(ctx); err != nil {
		return nil, 0, err
	}
	return t.terms, t.read, nil
}

// CatchUp reads all of the books stream that is there now.
func (t *Terms) CatchUp(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	end, err := t.log.End(ctx)
	if err != nil {
		return fmt.Errorf("ask for the end of the books stream: %w", err)
	}
	if end <= t.read {
		return nil
	}
	if err := t.log.ReadTo(ctx, end, t.take); err != nil {
		return fmt.Errorf("read the books stream up to %d: %w", end, err)
	}
	t.read = end
	return nil
}

func (t *Terms) take(r BooksRecord) error {
	decoded, err := t.decode(r.Metadata, r.Value)
	if err != nil {
		return nil // lays nothing down; the projector, which reads it too, makes it a dead letter
	}
	mark := domain.Mark{Offset: r.Offset, Time: r.Time}
	if text := r.Metadata.Get(ledger.EndsHeader); text != "" {
		if mark.Ends, err = ledger.ParseEnds(text); err != nil {
			mark.Ends = nil // a foreign header: fall back to the record's time
		}
	}
	t.rules.Lock()
	defer t.rules.Unlock()
	t.terms.Apply(&decoded.Event, mark)
	switch d := decoded.Event.Data.(type) {
	case *domain.RateSet:
		if d.Rate != domain.ExchangeRate { // which no row is posted with
			t.laid = append(t.laid, mark)
		}
	case *domain.PeriodClosed, *domain.PeriodReopened:
		t.laid = append(t.laid, mark)
	case *domain.DeadLetterReplayed, *domain.DeadLetterDiscarded:
		t.dealt[dealing{strings.Clone(decoded.Event.Source), strings.Clone(decoded.Event.ID)}] = true
	case *domain.EventVoided:
		if d.Original.Stream() == domain.Books && !t.terms.Rates.IsExchange(d.Source, d.ID) {
			t.laid = append(t.laid, mark)
		}
	}
	return nil
}

// Dealt reports whether the books stream, as far as it was read, says already that a dead letter was dealt with: by an
// event of that identity.
func (t *Terms) Dealt(source, id string) bool {
	t.rules.RLock()
	defer t.rules.RUnlock()
	return t.dealt[dealing{source, id}]
}

// marks are those of the records that lay something down and that keep says yes to, in order.
func (t *Terms) marks(keep func(offset int64) bool) []domain.Mark {
	t.rules.RLock()
	defer t.rules.RUnlock()
	var kept []domain.Mark
	for i := range t.laid {
		if keep(t.laid[i].Offset) {
			kept = append(kept, t.laid[i])
		}
	}
	return kept
}

// repost posts rows of the ledger with the terms of now; those that come out otherwise are changed in place and named.
// A void keeps its lines: those are settled with its original's. What can't be posted stays as it is, and is returned too.
func (t *Terms) repost(rows []ledger.Stored) (changed []int, not []*NotPostedError, err error) {
	t.mu.Lock() // of the decoder
	defer t.mu.Unlock()
	t.rules.RLock()
	defer t.rules.RUnlock()
	for i := range rows {
		r := &rows[i]
		is, err := t.anew.Repost(&r.Row, t.terms, t.terms.PricedAt(r.Event.Time, r.Position))
		if err != nil {
			n, err := NotPosted(err)
			if err != nil {
				return nil, nil, err
			}
			not = append(not, n)
		}
		if is {
			r.KeepLines()
			r.Revise(ledger.ByEvents)
			changed = append(changed, i)
		}
	}
	return changed, not, nil
}

// settle is reposter.settle with the terms of now.
func (t *Terms) settle(f family, several bool) (changed []*ledger.Stored, err error) {
	t.mu.Lock() // of the decoder
	defer t.mu.Unlock()
	t.rules.RLock()
	defer t.rules.RUnlock()
	return t.anew.settle(f, several, t.terms)
}

// bind reports whether the log holds closes or rebuilds: what bears on more than an event and its void.
func (t *Terms) bind() bool {
	t.rules.RLock()
	defer t.rules.RUnlock()
	return len(t.terms.Rebuilds.All()) > 0 || len(t.terms.Periods.EverClosed()) > 0
}

// rebuilds are those that the log holds, in order.
func (t *Terms) rebuilds() []domain.Rebuild {
	t.rules.RLock()
	defer t.rules.RUnlock()
	return slices.Clone(t.terms.Rebuilds.All())
}

// Use calls f with the terms, which don't change meanwhile.
func (t *Terms) Use(f func(*domain.Terms)) {
	t.rules.RLock()
	defer t.rules.RUnlock()
	f(t.terms)
}
