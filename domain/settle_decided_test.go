package domain

import (
	"math/rand/v2"
	"testing"
)

// Of two decisions the later one by time holds, wherever a close put them in the log.

// thirtyOrForty is a refund of 30, and of 40 as another source says, with what people decide on that.
func thirtyOrForty(decisions ...told) []told {
	return append([]told{{data: sale}, {minute: 1, errorID: "c", data: refunded("r", "30", "0")},
		{source: "webhook", minute: 2, errorID: "c", data: refunded("r", "40", "0")}}, decisions...)
}

// decidedCases are more rows like those of rightCases.
var decidedCases = []rightCase{
	{
		name: "decided for the second, then against it",
		said: thirtyOrForty(told{minute: 3, data: decided("webhook", 2, Yes, false)},
			told{minute: 4, data: decided("webhook", 2, No, false)}),
		net:     "30",
		against: 1,
	},
	{
		name: "decided against the second, then for it",
		said: thirtyOrForty(told{minute: 3, data: decided("webhook", 2, No, false)},
			told{minute: 4, data: decided("webhook", 2, Yes, false)}),
		net:     "40",
		against: 1,
	},
	{
		name: "decided for the first, then for the second",
		said: thirtyOrForty(told{minute: 3, data: decided("till", 1, Yes, false)},
			told{minute: 4, data: decided("webhook", 2, Yes, false)}),
		net:     "40",
		against: 1,
	},
	{
		name: "decided for the second, then that they are two",
		said: thirtyOrForty(told{minute: 3, data: decided("webhook", 2, Yes, false)},
			told{minute: 4, data: decided("webhook", 2, Unknown, true)}),
		net: "70",
	},
	{
		// Of two at one moment the one of the source that comes last is the later: that of the till.
		name: "decided for both at one moment",
		said: thirtyOrForty(told{source: "till", minute: 3, data: decided("webhook", 2, Yes, false)},
			told{source: "shop", minute: 3, data: decided("till", 1, Yes, false)}),
		net:     "40",
		against: 1,
	},
}

// TestDecisionsOnOrdersByTime: an order of two stores is that of the sale that was decided for last, and a case under
// two orders is of the order that was, in all orders of arrival, each split by a close at every place.
func TestDecisionsOnOrdersByTime(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	for _, c := range []struct {
		name   string
		said   []told
		change func([]*Event)
	}{
		{"two stores", []told{{source: "a", data: sale}, {source: "b", minute: 1, data: twoLines},
			{minute: 2, data: decided("a", 0, Yes, false)}, {minute: 3, data: decided("b", 1, Yes, false)}},
			func(events []*Event) { events[1].StoreID = "s2" }},
		{"two orders", []told{{errorID: "c", data: refunded("r", "10", "0")},
			{minute: 1, errorID: "c", data: refunded("s", "25", "0")},
			{minute: 2, data: decided("till", 0, Yes, false)}, {minute: 3, data: decided("till", 1, Yes, false)}},
			func(events []*Event) { events[1].OrderID = "o2" }},
	} {
		events := asEvents(c.said)
		c.change(events)
		for _, arrival := range arrivals(len(events), random) {
			for closeAt := -1; closeAt <= len(events); closeAt++ {
				terms, all := recorded(events, arrival, closeAt)
				s, err := terms.Settle(all)
				if err != nil {
					t.Fatal(err)
				}
				for n := range s.Events {
					of, is := all[n].Event, s.Events[n].Standing
					if of == events[0] && is == Counts || of == events[1] && is != Counts {
						t.Fatalf("%s, arriving as %v, closed before %d: %s is %s", c.name, arrival, closeAt, of.ID, is)
					}
				}
			}
		}
	}
}
