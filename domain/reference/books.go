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
	Case, Currency          string
	Step, Store             string // step is perfect, change or fix
	Order                   string // the order that the amount is of; "" where there is none
	Amount                  *big.Rat
}

// Entry is what one event did to the books. Events that post nothing have an entry without lines. A rebuild that
// prices closed epochs has an entry per unit that it changes.
type Entry struct {
	Identity
	Type                        string // full CloudEvents type
	OrderID, StoreID, ErrorID   string // as the event says; of a void as its original says
	Currency                    string
	OccurredAt, RecordedAt      time.Time
	Seq                         int64
	Epoch                       int
	OriginPeriod, PostingPeriod string // YYYY-MM in the books' time zone
	Lines                       []Line
	Unpriced                    []string // why something of it has no price
	Standing                    string   // counts, double, waits, voided, discarded or voids_nothing
	Of                          Identity // of a double, of what waits: the event that counts

	// PostedFor is the kind of the event, or of the one that it voids.
	PostedFor string

	unit int // which unit it is of
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
	Unpriced  []Entry
	Flags     []Flag

	zone   *time.Location
	events []*event
	cases  map[caseKey]*facts
	units  []*view // each with all its events
	orders map[string]*sale
}

// Standing lists the events of one standing, in the order in which they were recorded.
func (b *Books) Standing(standing string) []Identity {
	var all []Identity
	for _, e := range b.Entries {
		if e.Standing == standing && e.PostedFor != "books.rebuilt" {
			all = append(all, e.Identity)
		}
	}
	return all
}

// Units lists the events of each unit in its sequence: an order with its cases, or a case without an order. A rebuild
// that prices closed epochs stands in every one.
func (b *Books) Units() [][]Identity {
	var all [][]Identity
	for _, v := range b.units {
		var unit []Identity
		for _, e := range v.set {
			unit = append(unit, e.Identity)
		}
		all = append(all, unit)
	}
	return all
}

// EntriesOfUnit are the entries of the unit of that number in Units.
func (b *Books) EntriesOfUnit(n int) []Entry {
	return slices.DeleteFunc(slices.Clone(b.Entries), func(e Entry) bool { return e.unit != n })
}

// AsOf is what was recorded by t: Run over it gives the books of exactly those events.
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
	b := &Books{zone: zone, cases: map[caseKey]*facts{}, orders: map[string]*sale{}}
	events, err := b.firstRecorded(records)
	if err != nil {
		return nil, err
	}
	b.events = events
	t, err := termsOf(events, zone)
	if err != nil {
		return nil, err
	}
	byIdentity := make(map[Identity]*event)
	for _, e := range events {
		byIdentity[e.Identity] = e
	}
	for n, unit := range units(events) {
		b.enter(t, n, unit, byIdentity)
	}
	sort.SliceStable(b.Entries, func(i, j int) bool { return b.Entries[i].Seq < b.Entries[j].Seq })
	for _, e := range b.Entries {
		if len(e.Unpriced) > 0 {
			b.Unpriced = append(b.Unpriced, e)
		}
	}
	return b, nil
}

// enter makes the entries of a unit: "The entry of an event is what the position changes by when the event is added to
// those before it in the sequence."
func (b *Books) enter(t *terms, n int, unit []*event, all map[Identity]*event) {
	homes := homesOf(unit)
	whole := look(t, unit, homes)
	before := position{}
	for i, e := range unit {
		sofar := look(t, unit[:i+1], homes)
		now := sofar.position
		for id, c := range sofar.cases { // "what was known of it last", should it be none in the end
			last := *c
			last.gone = true
			b.cases[id] = &last
		}
		entry := b.entryOf(t, e, all)
		entry.unit = n
		entry.Lines = now.less(before)
		entry.Unpriced, entry.Standing, entry.Of = whole.unpriced[e.Identity], whole.standing[e.Identity],
			whole.instead[e.Identity]
		if entry.Standing == "" {
			entry.Standing = counts
		}
		before = now
		if e.kind != "books.rebuilt" || len(entry.Lines) > 0 || len(unit) == 1 {
			b.Entries = append(b.Entries, entry)
		}
	}
	b.Flags = append(b.Flags, whole.flags...)
	b.units = append(b.units, whole)
	for id, c := range whole.cases {
		b.cases[id] = c
	}
	for id, s := range whole.sales {
		b.orders[id] = s
	}
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
		if !slices.Contains(Types, e.kind) {
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

// entryOf dates an entry by the event itself and hangs it on what it is about: the event again, or what it voids.
func (b *Books) entryOf(t *terms, e *event, all map[Identity]*event) Entry {
	about := e
	for n := 0; about.kind == "event.voided" && n < len(all); n++ { // voids may void each other
		original := all[voided(about)]
		if original == nil {
			carried, err := decodeEnvelope(about.data.obj("original"))
			if err != nil {
				break // it is evidence alone
			}
			original = carried
		}
		about = original
	}
	origin := e.time.In(b.zone).Format("2006-01")
	return Entry{
		Identity: e.Identity, Type: "makegood." + e.kind + ".v1", OrderID: about.order(), StoreID: about.store(),
		ErrorID: about.named(), Currency: about.currency(), OccurredAt: e.time, RecordedAt: e.recordedAt, Seq: e.seq,
		Epoch: e.epoch, OriginPeriod: origin, PostingPeriod: postingPeriod(t.marks, origin, e.seq), PostedFor: about.kind,
	}
}

// Journal writes every line of the books as text, one a line, tab-separated, sorted: two books are the same exactly
// when their journals are.
func (b *Books) Journal() string {
	var rows []string
	for _, e := range b.Entries {
		for _, l := range e.Lines {
			rows = append(rows, strings.Join([]string{
				e.Source, e.ID, e.Type, e.OrderID, e.ErrorID, e.StoreID,
				e.OccurredAt.UTC().Format(time.RFC3339Nano), e.OriginPeriod, e.PostingPeriod,
				l.Currency, l.Account, l.Element, l.Basis, money(l.Amount), l.Case, l.Step, l.Order, l.Store,
			}, "\t"))
		}
	}
	slices.Sort(rows)
	return strings.Join(rows, "\n")
}

// CasesOfUnit says of each case of the unit of that number in Units, sorted, all that is known of it.
func (b *Books) CasesOfUnit(n int) []string {
	var all []string
	for _, c := range b.units[n].cases {
		all = append(all, fmt.Sprintf("%s %s: cause %s, at fault %s, vendor %s, employee %s, severity %s, avoidable %s, "+
			"before delivery %t, founded %t, reported %t, part of %s", c.id, c.kind, c.rootCause, c.atFault, c.vendor,
			c.employee, c.severity, c.avoidable, c.before(), c.founded, c.report != nil, c.sameAs))
	}
	slices.Sort(all)
	return all
}
