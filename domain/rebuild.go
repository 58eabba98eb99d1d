package domain

import "strings"

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

// RebuiltBy are the terms without the rebuilds that keep says no to. Rates and periods are those of t.
func (t *Terms) RebuiltBy(keep func(*Rebuild) bool) *Terms {
	fewer := *t
	fewer.Rebuilds = &Rebuilds{seen: t.Rebuilds.seen}
	for i := range t.Rebuilds.list {
		if keep(&t.Rebuilds.list[i]) {
			fewer.Rebuilds.list = append(fewer.Rebuilds.list, t.Rebuilds.list[i])
		}
	}
	return &fewer
}

// ChangedBetween reports whether the books stream holds a rate, a close, a reopening, a rebuild or the void of a rate
// from one offset on and before another: whether what was computed with the terms of the one still holds at the other.
// What exchange rates do to reports, and their voids, is no part of that.
func (t *Terms) ChangedBetween(from, before int64) bool {
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
