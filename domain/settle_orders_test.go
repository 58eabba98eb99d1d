package domain

import "testing"

// underTwoOrders is a case c1 of order o2, and a case c2 of order o1 that is said to be the same.
func underTwoOrders(events []*Event) { events[0].OrderID = "o2" }

// TestACaseIsNoPartOfOneOfAnotherOrder: what says so waits; whatever a person says of that, each order keeps its own.
func TestACaseIsNoPartOfOneOfAnotherOrder(t *testing.T) {
	sent := []told{{errorID: "c1", data: report(KindMissingItem, "")},
		{minute: 1, errorID: "c2", data: &ErrorClassified{SameAs: "c1"}},
		{minute: 2, errorID: "c2", data: comesBack("p", "1", "60", WasWrongItem, GradeScrap, "")}}
	for _, decision := range []*FactDecided{nil, decided("till", 1, Yes, false), decided("till", 1, Unknown, true)} {
		said, want := sent, "counts waits counts"
		if decision != nil {
			said, want = append(sent[:3:3], told{minute: 3, data: decision}), "counts counts counts counts"
		}
		s, _ := settleTold(t, said, underTwoOrders)
		if got := standings(s); got != want {
			t.Errorf("%+v: %s, not %s", decision, got, want)
		}
		for _, l := range s.Events[2].Lines {
			if l.Case != "c2" {
				t.Errorf("%+v: what came back in case c2 is posted to %q", decision, l.Case)
			}
		}
		if len(s.Events[2].Lines) == 0 {
			t.Errorf("%+v: nothing came back", decision)
		}
	}
}

// TestWhatWaitsMakesNoCaseAPartOfAnother: the case c1 was reported under another order, so what is said of it under
// this one waits, and says nothing of case c2.
func TestWhatWaitsMakesNoCaseAPartOfAnother(t *testing.T) {
	s, _ := settleTold(t, []told{{errorID: "c1", data: report("not_delivered", "")},
		{minute: 1, errorID: "c1", data: &ErrorClassified{SameAs: "c2"}},
		{minute: 2, errorID: "c2", data: refunded("r", "10", "0")}}, underTwoOrders)
	if got := standings(s); got != "counts waits counts" {
		t.Error(got)
	}
}

// TestWhatWaitsWithItsOrderOpensNoCase: the second store's order waits, with its report. So the case is of the order
// that a refund names.
func TestWhatWaitsWithItsOrderOpensNoCase(t *testing.T) {
	s, _ := settleTold(t, []told{{source: "a", data: sale}, {source: "b", minute: 1, data: sale},
		{source: "b", minute: 2, errorID: "c", data: report(KindWrongItem, "")},
		{source: "b", minute: 3, errorID: "c", data: refunded("r", "10", "0")}},
		func(events []*Event) { events[1].StoreID, events[3].OrderID = "s2", "o2" })
	if got := standings(s); got != "counts waits waits counts" {
		t.Error(got)
	}
}

// TestACaseUnderTwoOrdersIsDecided: the last decision for an event of it says of which order it is; separate, it is a
// case under each.
func TestACaseUnderTwoOrdersIsDecided(t *testing.T) {
	sent := []told{{errorID: "c1", data: report(KindMissingItem, "")},
		{minute: 1, errorID: "c1", data: refunded("r", "10", "0")},
		{minute: 2, errorID: "c1", data: refunded("s", "5", "0")}}
	for _, c := range []struct {
		decisions []*FactDecided
		want      string
		flags     int
	}{
		{nil, "counts waits waits", 2},
		{[]*FactDecided{decided("till", 1, Yes, false)}, "discarded counts counts counts", 0},
		{[]*FactDecided{decided("till", 0, Yes, false)}, "counts waits waits counts", 2},
		{[]*FactDecided{decided("till", 2, Yes, false), decided("till", 0, Yes, false)}, "counts waits waits counts counts",
			2},
		{[]*FactDecided{decided("till", 0, Yes, false), decided("till", 2, Yes, false)},
			"discarded counts counts counts counts", 0},
		{[]*FactDecided{decided("till", 2, Unknown, true)}, "counts counts counts counts", 0},
	} {
		said := append(sent[:3:3], make([]told, len(c.decisions))...)
		for i, d := range c.decisions {
			said[3+i] = told{minute: 3 + i, data: d}
		}
		s, _ := settleTold(t, said, underTwoOrders)
		if got := standings(s); got != c.want || len(s.Flags) != c.flags {
			t.Errorf("%v: %s and %d flags, not %s and %d", c.decisions, got, len(s.Flags), c.want, c.flags)
		}
	}
}
