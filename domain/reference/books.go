package reference

import (
	"fmt"
	"math/big"
	"slices"
	"sort"
	"strings"
	"time"
)

// Line is one journal line: debit above, credit below zero, whole to 4 decimals.
type Line struct {
	Account, Element, Basis string
	Amount                  *big.Rat
}

// Entry is what one event did to the books. Events that post nothing have an entry without lines.
type Entry struct {
	Identity
	Type                        string // full CloudEvents type
	OrderID, StoreID, ErrorID   string
	Currency                    string
	OccurredAt, RecordedAt      time.Time
	Seq                         int64
	OriginPeriod, PostingPeriod string // YYYY-MM in the books' time zone
	Lines                       []Line
	Unpriced                    []string // why something of it has no price

	// PostedFor is the kind of the event whose lines these are: its own, or that of the event it voids.
	PostedFor string
	// CancelledBy is customer or business where the lines are those of an order.cancelled.
	CancelledBy string
}

// Refusal is a record that changes nothing, and why.
type Refusal struct {
	Identity
	Seq    int64
	Reason string
}

// Books is everything the records came to.
type Books struct {
	Entries   []Entry // in the order in which they were recorded
	Conflicts []Refusal
	Refused   []Refusal
	Unpriced  []Entry

	zone  *time.Location
	cases map[string]caseFacts
}

// AsOf is what was recorded by t: Run over it gives the books as they stood then.
func AsOf(records []Record, t time.Time) []Record {
	var out []Record
	for _, r := range records {
		if !r.RecordedAt.After(t) {
			out = append(out, r)
		}
	}
	return out
}

// Run keeps the books of the records. zone decides which day and month a moment is in.
func Run(records []Record, zone *time.Location) (*Books, error) {
	b := &Books{zone: zone}
	events, err := b.firstRecorded(records)
	if err != nil {
		return nil, err
	}
	voidOf := b.acceptVoids(events)

	rates, marks, err := clocks(events, voidOf, zone)
	if err != nil {
		return nil, err
	}
	postAt := func(e *event, seq int64) ([]Line, []string) {
		return post(e.kind, e.data, func(name, key string) *big.Rat {
			return inForce(rates, name, key, e.data.str("currency"), e.time, seq)
		})
	}

	rebuilds := rebuildsOf(events)
	own := make(map[Identity][]Line)
	lacking := make(map[Identity][]string) // of the voids that stand as they were posted
	for _, e := range events {
		entry := b.entryOf(e, e, marks)
		v := voidOf[e.Identity]
		switch {
		case v == nil:
			entry.Lines, entry.Unpriced = postAt(e, pricedAt(rebuilds, marks, []Entry{entry})) // a void's own row is empty
		case closedBetween(marks, b.entryOf(v, e, marks), e.seq):
			carried, err := decodeEnvelope(v.data.obj("original"))
			if err != nil {
				return nil, fmt.Errorf("original of void %v: %w", v.Identity, err)
			}
			entry.Lines, lacking[v.Identity] = postAt(carried, pricedAt(rebuilds, marks, []Entry{b.entryOf(v, e, marks), entry}))
		default:
			entry.Lines, entry.Unpriced = postAt(e, pricedAt(rebuilds, marks, []Entry{entry, b.entryOf(v, e, marks)}))
		}
		own[e.Identity] = entry.Lines
		b.Entries = append(b.Entries, entry)
	}
	accepted := make(map[Identity]*event)
	for _, v := range voidOf {
		accepted[v.Identity] = v
	}
	byIdentity := make(map[Identity]*event)
	for _, e := range events {
		byIdentity[e.Identity] = e
	}
	kept := b.Entries[:0]
	for _, entry := range b.Entries {
		e := byIdentity[entry.Identity]
		if e.kind == "event.voided" {
			if accepted[e.Identity] == nil {
				continue // refused: listed, never in the books
			}
			original, found := byIdentity[voided(e)]
			var originalLines []Line
			if found {
				originalLines = own[original.Identity]
				entry = b.entryOf(e, original, marks)
				entry.Unpriced = lacking[e.Identity]
			} else {
				if original, err = decodeEnvelope(e.data.obj("original")); err != nil {
					return nil, fmt.Errorf("original of void %v: %w", e.Identity, err)
				}
				entry = b.entryOf(e, original, marks)
				originalLines, entry.Unpriced = postAt(original, pricedAt(rebuilds, marks, []Entry{entry}))
			}
			entry.Lines = negated(originalLines)
		}
		kept = append(kept, entry)
		if len(entry.Unpriced) > 0 {
			b.Unpriced = append(b.Unpriced, entry)
		}
	}
	b.Entries = kept
	b.cases = gatherCases(events, voidOf)
	return b, nil
}

// firstRecorded leaves one event per identity, in the order of recording, and lists the others that differ from it.
func (b *Books) firstRecorded(records []Record) ([]*event, error) {
	records = slices.Clone(records)
	sort.SliceStable(records, func(i, j int) bool { return records[i].Seq < records[j].Seq })
	var events []*event
	first := make(map[Identity]*event)
	for _, r := range records {
		e, err := decodeRecord(r)
		if err != nil {
			return nil, err
		}
		if !known(e.kind) {
			return nil, fmt.Errorf("record %d: unknown type %q", r.Seq, e.kind)
		}
		switch earlier := first[e.Identity]; {
		case earlier == nil:
			first[e.Identity] = e
			events = append(events, e)
		case !sameContent(earlier, e):
			b.Conflicts = append(b.Conflicts, Refusal{e.Identity, e.seq,
				fmt.Sprintf("conflict: other content than the event recorded as %d", earlier.seq)})
		}
	}
	return events, nil
}

func voided(v *event) Identity {
	target := v.data.obj("voids")
	return Identity{target.str("source"), target.str("id")}
}

// acceptVoids finds the void of each voided identity: the first recorded. It does not matter whether the original came before it.
func (b *Books) acceptVoids(events []*event) map[Identity]*event {
	isVoid := make(map[Identity]bool)
	for _, e := range events {
		isVoid[e.Identity] = e.kind == "event.voided"
	}
	voidOf := make(map[Identity]*event)
	for _, e := range events {
		if e.kind != "event.voided" {
			continue
		}
		target := voided(e)
		switch {
		case isVoid[target] || e.data.obj("original").str("type") == "makegood.event.voided.v1":
			b.Refused = append(b.Refused, Refusal{e.Identity, e.seq, "a void is not voided"})
		case voidOf[target] != nil:
			b.Refused = append(b.Refused, Refusal{e.Identity, e.seq, "already voided by " + voidOf[target].Source + " " + voidOf[target].ID})
		default:
			voidOf[target] = e
		}
	}
	return voidOf
}

// clocks gathers what the books are kept by: the rates and the closings.
func clocks(events []*event, voidOf map[Identity]*event, zone *time.Location) ([]rateSet, []periodMark, error) {
	var rates []rateSet
	var marks []periodMark
	for _, e := range events {
		var voidedSeq int64
		if v := voidOf[e.Identity]; v != nil {
			voidedSeq = v.seq
		}
		switch e.kind {
		case "rate.set":
			r, err := newRate(e, voidedSeq, zone)
			if err != nil {
				return nil, nil, err
			}
			rates = append(rates, r)
		case "period.closed", "period.reopened":
			if period, closed := e.data.str("period"), e.kind == "period.closed"; closedAt(marks, period, e.seq) != closed {
				marks = append(marks, periodMark{period, closed, e.seq, voidedSeq})
			}
		}
	}
	return rates, marks, nil
}

// entryOf dates an entry by the event itself and hangs it on what about is about: the event again, or what it voids.
func (b *Books) entryOf(e, about *event, marks []periodMark) Entry {
	origin := e.time.In(b.zone).Format("2006-01")
	entry := Entry{
		Identity: e.Identity, Type: "makegood." + e.kind + ".v1",
		OrderID: about.data.str("order_id"), StoreID: about.data.str("store_id"), ErrorID: about.data.str("error_id"),
		Currency: about.data.str("currency"), OccurredAt: e.time, RecordedAt: e.recordedAt, Seq: e.seq,
		OriginPeriod: origin, PostingPeriod: postingPeriod(marks, origin, e.seq), PostedFor: about.kind,
	}
	if about.kind == "order.cancelled" {
		entry.CancelledBy = about.data.str("by")
	}
	return entry
}

func negated(lines []Line) []Line {
	var out []Line
	for _, l := range lines {
		l.Amount = new(big.Rat).Neg(l.Amount)
		out = append(out, l)
	}
	return out
}

// Journal writes every line of the books as text, one a line, tab-separated, sorted: two books are the same exactly when
// their journals are.
func (b *Books) Journal() string {
	var rows []string
	for _, e := range b.Entries {
		for _, l := range e.Lines {
			rows = append(rows, strings.Join([]string{
				e.Source, e.ID, e.Type, e.OrderID, e.ErrorID, e.StoreID,
				e.OccurredAt.UTC().Format(time.RFC3339Nano), e.OriginPeriod, e.PostingPeriod,
				e.Currency, l.Account, l.Element, l.Basis, money(l.Amount),
			}, "\t"))
		}
	}
	slices.Sort(rows)
	return strings.Join(rows, "\n")
}
