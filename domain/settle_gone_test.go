package domain

import "testing"

// lastFacts are what the events say last of each case, in the sequence.
func lastFacts(s *Settlement) map[string]CaseFacts {
	last := map[string]CaseFacts{}
	for _, i := range s.Sequence {
		for _, f := range s.Events[i].Cases {
			last[f.Case] = f
		}
	}
	return last
}

// TestACaseThatIsGone: what makes no case any more says so, and keeps what was known of it last.
func TestACaseThatIsGone(t *testing.T) {
	refund := refunded("r1", "30", "0")
	for _, c := range []struct {
		name string
		said []told
		gone string
		kind string
		left int
	}{
		{"its report is voided", []told{{data: sale}, {minute: 1, errorID: "c", data: report("wrong_item", "55")},
			{minute: 2, errorID: "c", data: &EventVoided{Source: "till", ID: "e1"}}}, "c", "wrong_item", 0},
		{"its report is voided, what was said of it stays", []told{{data: sale},
			{minute: 1, errorID: "c", data: report("wrong_item", "55")}, {minute: 2, errorID: "c", data: kindIs("damaged")},
			{minute: 3, errorID: "c", data: &EventVoided{Source: "till", ID: "e1"}}}, "c", "damaged", 0},
		{"its only fix is voided", []told{{data: sale}, {minute: 1, errorID: "c", data: sent("r")},
			{minute: 2, errorID: "c", data: &EventVoided{Source: "till", ID: "e1"}}}, "c", "", 0},
		{"a refund finds the report that it belongs to", []told{{data: sale}, {minute: 1, data: refund},
			{minute: 2, errorID: "c", data: report("damaged", "")}}, "r1", "", 1},
		{"a refund finds the change that it gives back", []told{{data: sale}, {minute: 1, data: refund},
			{minute: 2, data: &OrderCancelled{By: ByCustomer, Net: Some(d("100"))}}}, "r1", "", 0},
		{"a refund is decided against", []told{{data: sale}, {minute: 1, errorID: "c", data: refund},
			{minute: 2, data: &FactDecided{Source: "till", ID: "e1", Counts: No}}}, "c", "", 0},
	} {
		events := asEvents(c.said)
		for closeAt := -1; closeAt <= len(events); closeAt++ {
			arrival := make([]int, len(events))
			for i := range arrival {
				arrival[i] = i
			}
			terms, all := recorded(events, arrival, closeAt)
			s, err := terms.Settle(all)
			if err != nil {
				t.Fatal(err)
			}
			if f := lastFacts(s)[c.gone]; !f.Gone || f.Kind != c.kind {
				t.Errorf("%s, closed before %d: %+v", c.name, closeAt, f)
			}
			if len(s.Cases) != c.left {
				t.Errorf("%s, closed before %d: %d cases are left: %+v", c.name, closeAt, len(s.Cases), s.Cases)
			}
		}
	}
}

// TestACaseThatWentToAnotherOrder: where what made a case of an order is voided, and another order has a fix of it, the
// case is of that one, and the first order says that it is gone.
func TestACaseThatWentToAnotherOrder(t *testing.T) {
	events := asEvents([]told{{data: sale}, {minute: 1, errorID: "c", data: sent("r")},
		{minute: 2, errorID: "c", data: refunded("r1", "30", "0")},
		{minute: 3, errorID: "c", data: &EventVoided{Source: "till", ID: "e1"}}})
	events[2].OrderID = "o2"
	terms, all := recorded(events, []int{0, 1, 2, 3}, -1)
	s, err := terms.Settle(all)
	if err != nil {
		t.Fatal(err)
	}
	if f := lastFacts(s)["c"]; !f.Gone {
		t.Errorf("the order that the case left says of it %+v", f)
	}
	if len(s.Cases) != 1 || s.Cases[0].Gone {
		t.Errorf("the case is %+v", s.Cases)
	}
}

// TestWhatIsSaidOfACaseMakesNone: only a report, a fix, and a case that is part of it do.
func TestWhatIsSaidOfACaseMakesNone(t *testing.T) {
	for _, c := range []struct {
		name string
		said []told
		want int
	}{
		{"classified", []told{{data: sale}, {minute: 1, errorID: "c", data: kindIs("damaged")}}, 0},
		{"rejected", []told{{data: sale}, {minute: 1, errorID: "c", data: &ErrorRejected{}}}, 0},
		{"part of it is a case", []told{{data: sale}, {minute: 1, errorID: "a", data: report("damaged", "")},
			{minute: 2, errorID: "a", data: &ErrorClassified{SameAs: "c"}}}, 2},
		{"part of it is none", []told{{data: sale}, {minute: 2, errorID: "a", data: &ErrorClassified{SameAs: "c"}}}, 0},
	} {
		terms, all := recorded(asEvents(c.said), []int{0, 1, 2}[:len(c.said)], -1)
		s, err := terms.Settle(all)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Cases) != c.want {
			t.Errorf("%s: %+v", c.name, s.Cases)
		}
	}
}
