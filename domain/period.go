package domain

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
)

// Period is a month of the books, counted from January of year 0.
type Period int32

// PeriodOf is the month of t on the calendar of zone.
func PeriodOf(t time.Time, zone *time.Location) Period {
	t = t.In(zone)
	return Period(t.Year()*12 + int(t.Month()) - 1)
}

// ParsePeriod reads YYYY-MM.
func ParsePeriod(s string) (Period, error) {
	t, err := time.Parse("2006-01", s)
	if err != nil {
		return 0, fmt.Errorf("period %.20q is not of the form YYYY-MM", s)
	}
	return PeriodOf(t, time.UTC), nil
}

// String writes YYYY-MM.
func (p Period) String() string { return fmt.Sprintf("%04d-%02d", p/12, p%12+1) }

// First is the period's first day, at midnight UTC.
func (p Period) First() time.Time {
	return time.Date(int(p/12), time.Month(p%12+1), 1, 0, 0, 0, 0, time.UTC)
}

// Position is where makegood's log holds a record. Time is a claim of the record's producer.
type Position struct {
	Stream    Stream
	Partition int32
	Offset    int64
	Time      time.Time
}

// Mark is the moment in the log at which a record of the books stream took effect. Offset is its own; Ends are the end
// offsets of the other streams' partitions read just before it was written, so that it divides what was recorded before
// from what came after by position, whatever any clock says. A record that a foreign producer wrote has no Ends: then
// only Time, the producers' claim, can tell.
type Mark struct {
	Offset int64
	Time   time.Time
	Ends   map[Partition]int64
}

// Partition is one partition of a stream.
type Partition struct {
	Stream Stream
	Number int32
}

// Precedes reports whether the record at p was recorded no earlier than the mark.
func (m *Mark) Precedes(p Position) bool {
	if p.Stream == Books {
		return m.Offset < p.Offset
	}
	if m.Ends == nil {
		return !m.Time.After(p.Time)
	}
	// A partition without an end is younger than the mark, and so is all that it holds.
	return p.Offset >= m.Ends[Partition{p.Stream, p.Partition}]
}

// Periods knows which months were closed when. It is fed with the books stream in order. To close what is closed, or
// to open what is open, changes nothing: of two closes the first counts, until the month is reopened.
type Periods struct {
	zone    *time.Location
	changes []periodChange
	seen    map[identity]bool
}

type periodChange struct {
	mark   Mark
	period Period
	closed bool
	id     identity
}

type identity struct{ source, id string }

// NewPeriods starts with every month open. Days and months are those of zone.
func NewPeriods(zone *time.Location) *Periods {
	return &Periods{zone: zone, seen: map[identity]bool{}}
}

// Zone is the time zone of the books.
func (p *Periods) Zone() *time.Location { return p.zone }

func (p *Periods) apply(e *Event, m Mark) {
	id := identity{strings.Clone(e.Source), strings.Clone(e.ID)}
	change := periodChange{mark: m, id: id}
	switch d := e.Data.(type) {
	case *PeriodClosed:
		change.period, change.closed = d.Period, true
	case *PeriodReopened:
		change.period = d.Period
	default:
		return
	}
	if p.seen[id] {
		return // the same event again, or a conflict: the first stands
	}
	p.seen[id] = true
	if p.IsClosed(change.period) == change.closed {
		return // it is so already: a second close must not change what the first froze
	}
	p.changes = append(p.changes, change)
}

// Posting tells in which period an event of that time, recorded at that position, is posted, and which period it
// belongs to by its time: the month of occurred, or where that was closed when the event was recorded, the first month
// after it that was open then.
func (p *Periods) Posting(occurred time.Time, at Position) (posting, origin Period) {
	origin = PeriodOf(occurred, p.zone)
	posting = origin
	for p.closedAt(posting, at) {
		posting++
	}
	return posting, origin
}

// Epoch is how many closes that counted the record at that place follows.
func (p *Periods) Epoch(at Position) int {
	n := 0
	for i := range p.changes {
		if c := &p.changes[i]; c.closed && c.mark.Precedes(at) {
			n++
		}
	}
	return n
}

func (p *Periods) closedAt(period Period, at Position) bool {
	for i := len(p.changes) - 1; i >= 0; i-- {
		if c := &p.changes[i]; c.period == period && c.mark.Precedes(at) {
			return c.closed
		}
	}
	return false
}

// RecordedAt is when the log took the record: the claim of its producer, but later than every close that the record
// follows by its position.
func (p *Periods) RecordedAt(at Position) time.Time { return p.RecordedSince(at.Time, at) }

// RecordedSince is RecordedAt of a record that the log had held before, at that time: it keeps that, but is never put
// before a close that it follows by its position.
func (p *Periods) RecordedSince(t time.Time, at Position) time.Time {
	for i := range p.changes {
		c := &p.changes[i]
		if c.closed && !t.After(c.mark.Time) && c.mark.Precedes(at) {
			t = c.mark.Time.Add(time.Millisecond)
		}
	}
	return t.UTC()
}

// LastClose is the mark of the period's last close; false where it was never closed.
func (p *Periods) LastClose(period Period) (Mark, bool) {
	for i := len(p.changes) - 1; i >= 0; i-- {
		if c := &p.changes[i]; c.period == period && c.closed {
			return c.mark, true
		}
	}
	return Mark{}, false
}

// IsClosed reports whether the period is closed now.
func (p *Periods) IsClosed(period Period) bool {
	for i := len(p.changes) - 1; i >= 0; i-- {
		if p.changes[i].period == period {
			return p.changes[i].closed
		}
	}
	return false
}

// EverClosed lists the periods that were closed at some time, in order, open again or not.
func (p *Periods) EverClosed() []Period {
	var all []Period
	for i := range p.changes {
		if c := &p.changes[i]; c.closed && !slices.Contains(all, c.period) {
			all = append(all, c.period)
		}
	}
	slices.Sort(all)
	return all
}

// Closed lists the periods that are closed now, in order.
func (p *Periods) Closed() []Period {
	state := map[Period]bool{}
	for i := range p.changes {
		state[p.changes[i].period] = p.changes[i].closed
	}
	var closed []Period
	for period, is := range state {
		if is {
			closed = append(closed, period)
		}
	}
	sort.Slice(closed, func(i, j int) bool { return closed[i] < closed[j] })
	return closed
}
