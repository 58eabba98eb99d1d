package post

import (
	"context"
	"fmt"
	"maps"
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

	mu      sync.Mutex // one reader at a time; readers of terms hold it shared through Use
	rules   sync.RWMutex
	terms   *domain.Terms
	changed []domain.Mark // of every record that changes what rows are posted with
	dealt   map[dealing]bool
	// Where the books stream holds what persons decided, and what takes that back.
	decidedAt []decidedAt
	read      int64

	erased    erasures         // replaced, never changed
	decisions ledger.Decisions // replaced, never changed, as readers hold it
	settling  sync.Mutex       // of settler
	settler   Settler
}

// decidedAt is a decision and its offset.
type decidedAt struct {
	offset   int64
	decision domain.Identity
}

// dealing is the identity of an event that says that somebody dealt with a dead letter.
type dealing struct{ source, id string }

// NewTerms starts before the first record. stored makes readers of what the ledger keeps, for who settles units with
// them.
func NewTerms(log BooksLog, decode ledger.Decode, stored func() ledger.DecodeStored, zone *time.Location) *Terms {
	return &Terms{log: log, decode: decode, settler: Settler{New: stored}, terms: domain.NewTerms(zone),
		dealt: map[dealing]bool{}}
}

// Known is what the books stream says up to an offset.
type Known struct {
	Terms     *domain.Terms
	Rebuilds  []RebuildEvent // that price closed epochs
	Decisions ledger.Decisions
	End       int64 // the offset that the next record will have
}

// ReadTerms reads the books stream up to its end. The terms are the caller's own.
func ReadTerms(ctx context.Context, log BooksLog, decode ledger.Decode, zone *time.Location) (*Known, error) {
	t := NewTerms(log, decode, nil, zone)
	if err := t.CatchUp(ctx); err != nil {
		return nil, err
	}
	return &Known{Terms: t.terms, Rebuilds: t.settler.Rebuilds, Decisions: t.decisions, End: t.read}, nil
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
		return nil // it changes nothing; the projector, which reads it too, makes it a dead letter
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
			t.changed = append(t.changed, mark)
		}
	case *domain.PeriodClosed, *domain.PeriodReopened:
		t.changed = append(t.changed, mark)
	case *domain.DeadLetterReplayed, *domain.DeadLetterDiscarded:
		t.dealt[dealing{strings.Clone(decoded.Event.Source), strings.Clone(decoded.Event.ID)}] = true
	case *domain.PersonErased:
		t.erasedPerson(d, mark)
	case *domain.FactDecided:
		t.decided(&decoded.Event, d.Source, d.ID, r.Offset)
	case *domain.BooksRebuilt:
		t.rebuilt(decoded, d, mark)
	case *domain.EventVoided:
		if d.Original.Effective() == domain.TypeFactDecided {
			t.decided(&decoded.Event, d.Source, d.ID, r.Offset)
		}
		if d.Original.Stream() == domain.Books && !t.terms.Rates.IsExchange(d.Source, d.ID) {
			t.changed = append(t.changed, mark)
		}
	}
	return nil
}

// rebuilt keeps a rebuild that prices closed epochs, for the units that it changes.
func (t *Terms) rebuilt(decoded *domain.Envelope, d *domain.BooksRebuilt, mark domain.Mark) {
	e := &decoded.Event
	known := slices.ContainsFunc(t.settler.Rebuilds, func(r RebuildEvent) bool {
		return r.Event.Source == e.Source &&
			r.Event.ID == e.ID
	})
	if !d.ClosedPeriods || known {
		return
	}
	t.settler.Rebuilds = append(t.settler.Rebuilds, RebuildEvent{Mark: mark, Content: decoded.Content,
		Event: domain.Event{Source: strings.Clone(e.Source), ID: strings.Clone(e.ID),
			Type: e.Type, Time: e.Time, Data: &domain.BooksRebuilt{RebuildID: strings.Clone(d.RebuildID), ClosedPeriods: true}}})
}

// decided keeps on what a person decided, or which decision was taken back.
func (t *Terms) decided(e *domain.Event, source, id string, offset int64) {
	target := domain.Identity{Source: strings.Clone(source), ID: strings.Clone(id)}
	decision := domain.Identity{Source: strings.Clone(e.Source), ID: strings.Clone(e.ID)}
	if slices.Contains(t.decisions[target], decision) {
		return
	}
	all := maps.Clone(t.decisions)
	if all == nil {
		all = ledger.Decisions{}
	}
	all[target] = append(slices.Clone(all[target]), decision)
	t.decisions, t.decidedAt = all, append(t.decidedAt, decidedAt{offset, decision})
}

// decidedSince are the decisions that the books stream holds from an offset on.
func (t *Terms) decidedSince(offset int64) (all []domain.Identity) {
	t.rules.RLock()
	defer t.rules.RUnlock()
	for i := len(t.decidedAt) - 1; i >= 0 && t.decidedAt[i].offset >= offset; i-- {
		all = append(all, t.decidedAt[i].decision)
	}
	return all
}

// Decisions are all that persons decided, as far as the books stream was read; not to be changed.
func (t *Terms) Decisions() ledger.Decisions {
	t.rules.RLock()
	defer t.rules.RUnlock()
	return t.decisions
}

// Rebuilds are those that price closed epochs, as far as the books stream was read.
func (t *Terms) Rebuilds() []RebuildEvent {
	t.rules.RLock()
	defer t.rules.RUnlock()
	return slices.Clone(t.settler.Rebuilds)
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
	for i := range t.changed {
		if keep(t.changed[i].Offset) {
			kept = append(kept, t.changed[i])
		}
	}
	return kept
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
