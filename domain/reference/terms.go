package reference

import (
	"math/big"
	"time"
)

// terms are what the books are kept by: rates, closes, rebuilds. They come from the stream books and act by their
// place in the log.
type terms struct {
	zone     *time.Location
	rates    []rateSet
	marks    []periodMark
	rebuilds []*event // in the order of the log
}

// termsOf gathers them from all events, which are in the order of the log and whose epochs are not known yet.
func termsOf(events []*event, zone *time.Location) (*terms, error) {
	t := &terms{zone: zone}
	for _, e := range events {
		switch e.kind {
		case "rate.set":
			r, err := newRate(e, firstVoid(events, e.Identity), zone)
			if err != nil {
				return nil, err
			}
			t.rates = append(t.rates, r)
		case "period.closed", "period.reopened":
			period, closed := e.data.str("period"), e.kind == "period.closed"
			if closedAt(t.marks, period, e.seq) != closed {
				t.marks = append(t.marks, periodMark{period, closed, e.seq})
			}
		case "books.rebuilt":
			t.rebuilds = append(t.rebuilds, e)
		}
	}
	for _, e := range events {
		e.epoch = epochOf(t.marks, e.seq)
	}
	return t, nil
}

// firstVoid is where the log first takes that event back; 0 where it never does.
func firstVoid(events []*event, id Identity) int64 {
	for _, v := range events {
		if v.kind == "event.voided" && voided(v) == id {
			return v.seq
		}
	}
	return 0
}

func voided(v *event) Identity {
	target := v.data.obj("voids")
	return Identity{target.str("source"), target.str("id")}
}

// pricedAt is the place in the log whose rates price an event: its own, or that of the last rebuild that covers it. A
// rebuild covers what was recorded before it in its own epoch; with closed_periods the epochs before that too, as soon
// as it is in the set: "a rebuild that prices closed epochs again posts the difference as an entry of its own".
func (t *terms) pricedAt(e *event, inSet map[Identity]*event) int64 {
	seq := e.seq
	for _, r := range t.rebuilds {
		reaches := r.epoch == e.epoch || r.data.boolText("closed_periods") == "true" && inSet[r.Identity] != nil
		if r.seq > e.seq && reaches {
			seq = r.seq
		}
	}
	return seq
}

// rate is the rate for an event; nil where there is none.
func (t *terms) rate(e *event, name, key, currency string, inSet map[Identity]*event) *big.Rat {
	return inForce(t.rates, name, key, currency, e.time, t.pricedAt(e, inSet))
}
