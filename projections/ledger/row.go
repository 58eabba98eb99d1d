package ledger

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/makegood/makegood/domain"
)

// Row is one event as the ledger keeps it: the envelope, the data as it came, and its journal lines. Its strings and
// slices belong to the decoder and the entry that made it; a Writer copies what it needs in Append.
type Row struct {
	Event      *domain.Event
	Content    uint64
	Data       []byte // the data member, byte for byte
	Extensions []byte

	Position   domain.Position
	RecordedAt time.Time
	Day        time.Time // of the event's time, in the books' zone
	Posting    domain.Period
	Origin     domain.Period

	Lines    []domain.Line
	Unpriced []string
	Refused  string
	Customer string // of an order.placed that comes back from the ledger, where Event.Data isn't read again
	Revision uint8  // how often makegood itself wrote the row again
	Stood    uint64 // the version of a row that was written before; 0 where it wasn't
	Terms    int64  // offset of the books stream up to which it was known when the row was posted
	Rules    uint32 // domain.PostingRules that the lines follow; 0 where that isn't known
	Rated    bool   // the event asks for rates, or did at an earlier revision: what once was true stays so

	Epoch    int  // closes that counted and stand before it in the log
	Settled  bool // its entry was made with the other events of its unit
	Standing domain.Standing
	Of       domain.Identity // the event that counts in its place, or that it contradicts; zero where there is none
	With     string          // the unit, where the event doesn't name it: what was decided, what is of an order's case
	SoldBy   string          // the store that placed the order; empty where that isn't known, or bears on nothing
	// of the cases that the event changed, as known with it and those before it in the sequence
	Facts []domain.CaseFacts
	Token string        // name of the token that the event was sent with; empty where that isn't known
	Flags []domain.Flag // what of it can't be right; Event is the row's own and isn't kept
}

// Unit is what the event is settled with: the order, or the case that has none.
func (r *Row) Unit() string {
	if r.With != "" {
		return r.With
	}
	return r.Event.Subject()
}

// Version orders the copies of a row, the highest stays: of the copies in the log the first recorded, by its time,
// then by the last bits of its offset, whichever partition it is of (see Stored.Earlier, which must agree); of that one
// the newest revision. So an earlier copy that comes late still wins, even over what makegood decided when it knew only
// the later one. A row whose time is corrected, since a close became known that it follows, keeps its place among the
// copies: it stands above itself as it was before, and below those that were recorded before it.
func (r *Row) Version() uint64 {
	if r.Stood != 0 {
		return r.Stood&^(1<<revisionBits-1) | uint64(r.Revision)
	}
	ms := uint64(max(r.RecordedAt.UnixMilli(), 0)) & (1<<timeBits - 1)
	low := uint64(r.Position.Offset & mostOffset)
	return (^ms&(1<<timeBits-1))<<(offsetBits+revisionBits) | (^low&mostOffset)<<revisionBits | uint64(r.Revision)
}

// SetVersion takes from a version what a row doesn't say otherwise.
func (r *Row) SetVersion(version uint64) { r.Revision, r.Stood = uint8(version), version }

// Revise gives the row its next version. Of two that were made of the same one, what was decided meanwhile about the
// event itself (it was voided, refused, overtaken by a close) stands above what a rebuild made of it, which comes from
// before. After some hundred of them there is no higher one: of two alike the later insert stays.
func (r *Row) Revise(by revision) {
	r.Revision = uint8(min(int(r.Revision)+int(by), math.MaxUint8))
}

// MovedTo is what takes the row out of its unit, where it has got another one as it is written again: what is fed from
// the ledger keeps it under its unit. What persons decide moves, and what is said of a case alone. It stands no
// higher than what by writes.
func (r *Row) MovedTo(other *Row, by revision) (gone *Row, is bool) {
	kept := r.Event != nil && (r.Event.ErrorID != "" || r.Settled)
	if !kept || r.Unit() == other.Unit() {
		return nil, false
	}
	left := *r
	left.Refused, left.Lines, left.Unpriced = "moved", nil, nil
	left.Revise(by)
	return &left, true
}

// Unsettle takes away what the other events of its unit let the row say. It says no more than it did when it was booked
// without them.
func (r *Row) Unsettle() {
	r.Settled, r.With, r.SoldBy, r.Facts, r.Flags = false, "", "", nil, nil
	r.Standing, r.Of = domain.Counts, domain.Identity{}
}

type revision uint8

const (
	// The first revision of a row that was settled before it was written: it stands above a copy that wasn't.
	ByFirst   revision = 1
	ByRebuild revision = 1
	ByEvents  revision = 2
	// A refusal stands above what somebody makes of the row who read it before it was refused, also where that moves it.
	ByRefusal revision = 4
)

const (
	timeBits     = 42 // milliseconds, until the year 2109
	offsetBits   = 13
	revisionBits = 8

	mostOffset = 1<<offsetBits - 1 // what a version has of an offset
)

// Place fills in when and where the books hold the event: what the terms say of its position.
func (r *Row) Place(periods *domain.Periods) {
	r.RecordedAt = periods.RecordedAt(r.Position)
	r.Epoch = periods.Epoch(r.Position)
	r.Posting, r.Origin = periods.Posting(r.Event.Time, r.Position)
	local := r.Event.Time.In(periods.Zone())
	r.Day = time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
}

// Check holds a row against what must be true of every one before it is written: its lines sum to zero in every
// currency.
func (r *Row) Check() error {
	for i := range r.Lines {
		currency := r.Lines[i].Currency
		if i > 0 && currency == r.Lines[i-1].Currency {
			continue // the one before has summed it up
		}
		var sum domain.Amount
		for k := range r.Lines {
			if r.Lines[k].Currency == currency {
				sum += r.Lines[k].Amount
			}
		}
		if sum != 0 {
			return fmt.Errorf("event %s of %s: its entry sums to %s %s, not to zero", r.Event.ID, r.Event.Source, sum, currency)
		}
	}
	return nil
}

// Books reports whether a row says the same to the books as another of the same event.
func (r *Row) Books(o *Row) bool {
	return slices.Equal(r.Lines, o.Lines) && slices.Equal(r.Unpriced, o.Unpriced) && r.Posting == o.Posting &&
		r.Origin == o.Origin &&
		r.Day.Equal(o.Day) && r.RecordedAt.Equal(o.RecordedAt) && r.Epoch == o.Epoch && r.Standing == o.Standing &&
		r.Of == o.Of && r.SoldBy == o.SoldBy && r.With == o.With &&
		slices.Equal(r.Facts, o.Facts) && slices.Equal(r.Flags, o.Flags)
}

// CompleteLines gives lines that don't say of which step, case, currency and store they are those of the event. What a
// posting rule of one event makes says none of them.
func (r *Row) CompleteLines() {
	for i := range r.Lines {
		l := &r.Lines[i]
		if l.Step == domain.NoStep && r.Event.Effective() == domain.TypeOrderPlaced {
			l.Step = domain.Perfect
		}
		if l.Currency == "" {
			l.Case, l.Currency, l.Store, l.Order = r.Event.ErrorID, r.Event.Currency, r.Event.StoreID, ""
		}
	}
}

// Complete adds to the row of a record what its headers say of the customer; and what a person decided is booked with
// the order or case that it is about.
func (r *Row) Complete(headers map[string]string) {
	if r.Event.Type == domain.TypeOrderPlaced && r.Customer == "" {
		r.Customer = CustomerOf(headers)
	}
	if d := Decision(r.Event); d != nil {
		r.Event.OrderID, r.Event.ErrorID = d.OrderID, d.ErrorID
	}
}

// Decision is what a person decided in the event, or in the one that it takes back; nil where it is about another
// thing.
func Decision(e *domain.Event) *domain.FactDecided {
	for void, is := e.Data.(*domain.EventVoided); is; void, is = e.Data.(*domain.EventVoided) {
		e = void.Original
	}
	d, _ := e.Data.(*domain.FactDecided)
	return d
}
