package domain

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"testing"
)

// crossed are two orders that name one case, c2. The second order.placed of o2 makes all of its source wait, so that c2
// is of o1: o1 has two cases then, and its refund without one is a case of its own.
func crossed() []*Event {
	events := asEvents([]told{{source: "a", data: sale},
		{source: "a", minute: 1, errorID: "c1", data: report("damaged", "")},
		{source: "a", minute: 2, errorID: "c1", data: &ErrorRejected{}},
		{source: "a", minute: 3, data: refunded("r", "18.928", "0")},
		{source: "x", minute: 4, data: sale},
		{source: "b", minute: 5, errorID: "c2", data: refunded("s", "7", "0")},
		{source: "a", minute: 6, errorID: "c2", data: refunded("t", "9", "0")},
		{source: "b", minute: 7, data: sale}})
	for _, i := range []int{4, 5, 7} {
		events[i].OrderID = "o2"
	}
	events[7].StoreID = "s2"
	return events
}

// TestWhatAnEventChangesOfAnotherOrder is that order's: the amounts, and what is known of its cases; in any order of
// arrival, and closed at any place.
func TestWhatAnEventChangesOfAnotherOrder(t *testing.T) {
	events := crossed()
	all := arrivals(len(events), rand.New(rand.NewPCG(1, 1)))
	for range len(events) {
		all = append(all, []int{0, 1, 2, 3, 4, 5, 6, 7}) // each is closed somewhere else
	}
	for n, arrival := range all {
		closeAt := -1
		if n >= len(all)-len(events) {
			closeAt = len(all) - n
		}
		terms, recorded := recorded(events, arrival, closeAt)
		s, err := terms.Settle(recorded)
		if err != nil {
			t.Fatal(err)
		}
		net, known := map[string]Amount{}, map[string]CaseFacts{}
		for _, i := range s.Sequence {
			for _, l := range s.Events[i].Lines {
				if l.Element != NoElement {
					net[cmp.Or(l.Order, recorded[i].Event.OrderID)+" "+l.Case] += l.Amount
				}
			}
			for _, f := range s.Events[i].Cases {
				known[cmp.Or(f.Order, recorded[i].Event.OrderID)+" "+f.Case] = f
			}
		}
		closed := fmt.Sprintf("arrival %v, closed before %d", arrival, closeAt)
		for name, want := range map[string]string{"o1 c1": "0.0000", "o1 r": "18.9280", "o1 c2": "9.0000", "o2 c2": "0.0000",
			"o2 r": "0.0000"} {
			if net[name].String() != want {
				t.Errorf("%s: %s cost %s, not %s", closed, name, net[name], want)
			}
		}
		for name, gone := range map[string]bool{"o1 c2": false, "o1 r": false, "o2 c2": true} {
			if f := known[name]; f.Gone != gone || !f.Founded {
				t.Errorf("%s: of %s is known %+v", closed, name, f)
			}
		}
	}
}
