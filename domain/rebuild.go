package domain

import (
	"strings"
	"time"
)

// Rebuilds knows every rebuild of the books. It is fed with the books stream in order.
//
// A rebuild changes no event and no placement: it moves the point from which the events before it look for their rates.
// So what an event posts stays a function of the log alone, whoever posts it, whenever, and however often.
type Rebuilds struct {
	list []Rebuild
	seen map[identity]bool
}

// Rebuild is one of them.
type Rebuild struct {
	ID            string // as its event says
	Mark          Mark
	ClosedPeriods bool
}

// Placed is an event's time and its place in the log.
type Placed struct {
	Occurred time.Time
	At       Position
}

func (r *Rebuilds) apply(e *Event, m Mark) {
	d, is := e.Data.(*BooksRebuilt)
	if !is {
		return
	}
	id := identity{strings.Clone(e.Source), strings.Clone(e.ID)}
	if r.seen[id] {
		return // the same event again, or a conflict: the first stands
	}
	r.seen[id] = true
	r.list = append(r.list, Rebuild{ID: strings.Clone(d.RebuildID), Mark: m, ClosedPeriods: d.ClosedPeriods})
}

// All are the rebuilds in the order of the log, not to be changed.
func (r *Rebuilds) All() []Rebuild { return r.list }

// PricedAt is the place from which an event that occurred then and stands there looks for its rates: its own, or that
// of the last rebuild that covers it. with are the voids that negate the event: the lines of all of them move
// together or not at all, so a rebuild must cover those that stand before it as well.
func (t *Terms) PricedAt(occurred time.Time, at Position, with ...Placed) Position {
	for i := len(t.Rebuilds.list) - 1; i >= 0; i-- {
		r := &t.Rebuilds.list[i]
		if r.Mark.Precedes(at) {
			return at // and so do those before it
		}
		covered := t.covers(r, occurred, at)
		for j := 0; j < len(with) && covered; j++ {
			covered = r.Mark.Precedes(with[j].At) || t.covers(r, with[j].Occurred, with[j].At)
		}
		if covered {
			return Position{Stream: Books, Offset: r.Mark.Offset, Time: r.Mark.Time}
		}
	}
	return at
}

// place is where the books stream holds a rebuild.
func (r *Rebuild) place() Position {
	return Position{Stream: Books, Offset: r.Mark.Offset, Time: r.Mark.Time}
}

// PricedFrom is the place from which an event that stands there looks for its rates: its own, or that of the last
// rebuild of its own epoch that it stands before. The entries of closed epochs stay; what a rebuild changes of them
// is an entry of the rebuild, see Recorded.
func (t *Terms) PricedFrom(at Position) Position {
	if len(t.Rebuilds.list) == 0 {
		return at
	}
	return t.pricedAt(at, t.Periods.Epoch(at))
}

// pricedAt is PricedFrom of an event of a known epoch.
func (t *Terms) pricedAt(at Position, epoch int) Position {
	for i := len(t.Rebuilds.list) - 1; i >= 0; i-- {
		r := &t.Rebuilds.list[i]
		if r.Mark.Precedes(at) {
			return at // and so do those before it
		}
		if t.Periods.Epoch(r.place()) == epoch {
			return r.place()
		}
	}
	return at
}

// covers reports whether a rebuild posts an event anew that stands before it.
func (t *Terms) covers(r *Rebuild, occurred time.Time, at Position) bool {
	if r.ClosedPeriods {
		return true
	}
	_, frozen := t.frozen(r, occurred, at)
	return !frozen
}

// FrozenBy is the closed month for whose sake the last rebuild leaves an event as it is that stands before it; false
// where it does not.
func (t *Terms) FrozenBy(occurred time.Time, at Position) (Period, bool) {
	n := len(t.Rebuilds.list)
	if n == 0 || t.Rebuilds.list[n-1].ClosedPeriods {
		return 0, false
	}
	return t.frozen(&t.Rebuilds.list[n-1], occurred, at)
}

// frozen finds the first month, closed when the rebuild was recorded, whose report as of its close can hold the
// event: it happened in that month or before it, which is in what its statements open with, and stands before the
// close.
func (t *Terms) frozen(r *Rebuild, occurred time.Time, at Position) (Period, bool) {
	if len(t.Periods.changes) == 0 {
		return 0, false
	}
	origin := PeriodOf(occurred, t.Periods.zone)
	first, found := Period(0), false
	for i := range t.Periods.changes {
		of := t.Periods.changes[i].period
		if of < origin || found && of >= first {
			continue
		}
		if c := t.Periods.stateAt(of, r.Mark.Offset); c != nil && c.closed && !c.mark.Precedes(at) {
			first, found = of, true
		}
	}
	return first, found
}

// stateAt is the last close or reopening of a period that the books stream holds before an offset; nil where there is
// none.
func (p *Periods) stateAt(period Period, offset int64) *periodChange {
	for i := len(p.changes) - 1; i >= 0; i-- {
		if c := &p.changes[i]; c.period == period && c.mark.Offset < offset {
			return c
		}
	}
	return nil
}

// LaidDown reports whether the books stream holds a rate, a close, a reopening, a rebuild or the void of a rate from
// one offset on and before another: whether what was computed with the terms of the one still holds at the other.
// What exchange rates do to reports, and their voids, is no part of that.
func (t *Terms) LaidDown(from, before int64) bool {
	within := func(m *Mark) bool { return m.Offset >= from && m.Offset < before }
	for m := range t.Rates.marks {
		if within(m) {
			return true
		}
	}
	for i := range t.Periods.changes {
		if within(&t.Periods.changes[i].mark) {
			return true
		}
	}
	for i := range t.Rebuilds.list {
		if within(&t.Rebuilds.list[i].Mark) {
			return true
		}
	}
	return false
}
