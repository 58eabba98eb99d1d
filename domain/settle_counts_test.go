package domain

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// settleTold settles what is told in the order in which it is told, before any close.
func settleTold(t *testing.T, said []told, change func([]*Event)) (*Settlement, []*Event) {
	t.Helper()
	events := asEvents(said)
	if change != nil {
		change(events)
	}
	arrival := make([]int, len(events))
	for i := range arrival {
		arrival[i] = i
	}
	terms, all := recorded(events, arrival, -1)
	s, err := terms.Settle(all)
	if err != nil {
		t.Fatal(err)
	}
	return s, events
}

func standings(s *Settlement) string {
	var words []string
	for i := range s.Events {
		words = append(words, s.Events[i].Standing.String())
	}
	return strings.Join(words, " ")
}

func voids(source string, n int) *EventVoided {
	return &EventVoided{Source: source, ID: fmt.Sprint("e", n), Original: &Event{Data: &FeedbackReceived{}}}
}

func decided(source string, n int, counts Truth, separate bool) *FactDecided {
	return &FactDecided{Source: source, ID: fmt.Sprint("e", n), Counts: counts, Separate: separate}
}

// TestWhatCounts: the standings of what is told, and what it comes to.
func TestWhatCounts(t *testing.T) {
	first := told{errorID: "c", data: refunded("r", "30", "0")}
	other := told{source: "webhook", minute: 1, errorID: "c", data: refunded("r", "40", "0")}
	agrees := told{source: "webhook", minute: 1, errorID: "c", data: refunded("r", "30", "0")}
	third := told{source: "erp", minute: 2, errorID: "c", data: refunded("r", "50", "0")}
	for _, c := range []struct {
		name, standings, net string
		said                 []told
	}{
		{"a void", "voided counts", "0", []told{first, {minute: 1, data: voids("till", 0)}}},
		{"a void that is void", "counts voided counts", "30", []told{first, {minute: 1, data: voids("till", 0)}, {minute: 2,
			data: voids("till", 1)}}},
		{"voids that void each other: the first one holds", "counts counts voided", "30", []told{first, {minute: 1,
			data: voids("till", 2)}, {minute: 2, data: voids("till", 1)}}},
		{"two voids of one event, one of them void", "voided voided counts counts", "0", []told{first, {minute: 1,
			data: voids("till", 0)}, {minute: 2, data: voids("till", 0)},
			{minute: 3, data: voids("till", 1)}}},
		{"a contradiction: the first counts", "counts waits", "30", []told{first, other}},
		{"two that contradict the first, one of them a double", "counts waits double", "30", []told{first, other,
			{source: "erp", minute: 3, errorID: "c", data: refunded("r", "30", "0")}}},
		{"decided for the second", "discarded counts counts", "40", []told{first, other, {minute: 2,
			data: decided("webhook", 1, Yes, false)}}},
		{"decided against the second", "counts discarded counts", "30", []told{first, other, {minute: 2,
			data: decided("webhook", 1, No, false)}}},
		{"decided for the first", "counts discarded counts", "30", []told{first, other, {minute: 2, data: decided("till", 0,
			Yes, false)}}},
		{"two facts", "counts counts counts", "70", []told{first, other, {minute: 2, data: decided("webhook", 1, Unknown,
			true)}}},
		{"doubles that are two facts", "counts counts counts", "60", []told{first, agrees, {minute: 2,
			data: decided("webhook", 1, Unknown, true)}}},
		{"a decision that is void", "counts waits voided counts", "30", []told{first, other, {minute: 2,
			data: decided("webhook", 1, Yes, false)}, {minute: 3, data: voids("till", 2)}}},
		{"of two decisions the later one", "counts discarded counts counts", "30", []told{first, other, {minute: 2,
			data: decided("webhook", 1, Yes, false)},
			{minute: 3, data: decided("webhook", 1, No, false)}}},
		{"what comes after a decision, and contradicts", "discarded counts counts discarded", "40", []told{first, other,
			{minute: 2, data: decided("webhook", 1, Yes, false)},
			{source: "erp", minute: 4, errorID: "c", data: refunded("r", "50", "0")}}},
		{"three that contradict", "counts waits waits", "30", []told{first, other, third}},
		{"voided by one source, still said by another", "voided counts waits", "30", []told{first, agrees, {minute: 2,
			data: voids("till", 0)}}},
		{"voided and said again by one source", "voided counts counts", "40", []told{first, {minute: 1, data: voids("till",
			0)}, {minute: 2, errorID: "c", data: refunded("r", "40", "0")}}},
		{"what is still said was decided for", "voided counts counts counts", "30", []told{first, agrees, {minute: 2,
			data: voids("till", 0)}, {minute: 3, data: decided("webhook", 1, Yes, false)}}},
		{"the void was decided for", "voided discarded counts counts", "0", []told{first, agrees, {minute: 2,
			data: voids("till", 0)}, {minute: 3, data: decided("till", 2, Yes, false)}}},
		{"the void was decided against", "counts double discarded counts", "30", []told{first, agrees, {minute: 2,
			data: voids("till", 0)}, {minute: 3, data: decided("till", 2, No, false)}}},
		{"a void of what isn't there", "counts voids_nothing", "30", []told{first, {minute: 1, data: voids("till", 7)}}},
		{"a payment of a claim without an id is each its own", "counts counts", "-20", []told{{errorID: "c",
			data: &ClaimSettled{ClaimID: "k", Amount: d("10")}},
			{minute: 1, errorID: "c", data: &ClaimSettled{ClaimID: "k", Amount: d("10")}}}},
		{"a case that is part of another", "counts counts counts counts", "0", []told{{errorID: "c",
			data: report("missing_item", "")}, {minute: 1, errorID: "d", data: report("missing_item", "")},
			{minute: 2, errorID: "d", data: sent("r")}, {minute: 3, errorID: "d", data: &ErrorClassified{SameAs: "c"}}}},
		{"without that, the other case is sent for nothing", "counts counts counts", "0", []told{{errorID: "c",
			data: report("missing_item", "")}, {minute: 1, errorID: "d", data: report("missing_item", "")},
			{minute: 2, errorID: "d", data: sent("r")}}},
	} {
		s, _ := settleTold(t, c.said, nil)
		if got := standings(s); got != c.standings {
			t.Errorf("%s: %s, not %s", c.name, got, c.standings)
		}
		if net := sumUp(s).net; net.String() != c.net+".0000" {
			t.Errorf("%s: net %s, not %s", c.name, net, c.net)
		}
	}
}

// TestTheDoubleThatSaysTheMostCounts, and takes what it leaves out from the others.
func TestTheDoubleThatSaysTheMostCounts(t *testing.T) {
	s, _ := settleTold(
		t,
		[]told{
			{data: refunded("r", "32.4", "0")},
			{source: "webhook", minute: 1, errorID: "c", data: refunded("r", "32.4", "0")},
			{source: "erp", minute: 2, data: refunded("r", "30", "2.4")},
		},
		nil,
	)
	if got := standings(s); got != "double counts double" {
		t.Errorf("%s", got)
	}
	cases := map[string]Amount{}
	for i := range s.Events {
		for _, l := range s.Events[i].Lines {
			if l.Account == Returns {
				cases[l.Case] += l.Amount
			}
		}
	}
	if cases["c"].String() != "30.0000" || cases["r"] != 0 {
		t.Errorf("posted to %v", cases)
	}
	if net := sumUp(s).net; net.String() != "30.0000" {
		t.Errorf("net %s: the tax isn't taken from the double", net)
	}
}

// TestOneOrderOfTwoStores: the second waits with all that its source sends, until somebody decides.
func TestOneOrderOfTwoStores(t *testing.T) {
	said := []told{
		{data: sale},
		{source: "b", minute: 1, data: sale},
		{source: "b", minute: 2, errorID: "c", data: refunded("r", "10", "0")},
		{minute: 3, errorID: "d", data: refunded("q", "5", "0")},
	}
	change := func(events []*Event) { events[1].StoreID, events[2].StoreID = "s2", "s2" }
	s, _ := settleTold(t, said, change)
	if got := standings(s); got != "counts waits waits counts" {
		t.Errorf("undecided: %s", got)
	}
	s, _ = settleTold(t, append(said, told{minute: 4, data: decided("b", 1, Yes, false)}), change)
	if got := standings(s); got != "discarded counts counts discarded counts" {
		t.Errorf("decided for the second: %s", got)
	}
	s, _ = settleTold(t, append(said, told{minute: 4, data: decided("b", 1, No, false)}), change)
	if got := standings(s); got != "counts discarded discarded counts counts" {
		t.Errorf("decided against the second: %s", got)
	}
	s, _ = settleTold(t, append(said, told{minute: 4, data: decided("b", 1, Unknown, true)}), change)
	if got := standings(s); got != "counts counts counts counts counts" {
		t.Errorf("two facts: %s", got)
	}
}

// TestOneCaseUnderTwoOrders: the order that is named first has it; what names the other waits, and is flagged.
func TestOneCaseUnderTwoOrders(t *testing.T) {
	said := []told{
		{data: sale},
		{minute: 1, errorID: "c", data: report("missing_item", "")},
		{minute: 2, errorID: "c", data: refunded("r", "10", "0")},
	}
	change := func(events []*Event) { events[2].OrderID = "o2" }
	s, _ := settleTold(t, said, change)
	if got := standings(s); got != "counts counts waits" || len(s.Flags) != 1 || s.Flags[0].Code != CaseUnderTwoOrders {
		t.Errorf("undecided: %s, %v", got, s.Flags)
	}
	s, _ = settleTold(t, append(said, told{minute: 3, data: decided("till", 2, Yes, false)}), change)
	if got := standings(s); got != "counts discarded counts counts" {
		t.Errorf("decided for the other order: %s", got)
	}
	s, _ = settleTold(t, append(said, told{minute: 3, data: decided("till", 2, Unknown, true)}), change)
	if got := standings(s); got != "counts counts counts counts" || len(s.Cases) != 2 {
		t.Errorf("two cases: %s, %v", got, s.Cases)
	}
}

// TestACaseBeforeItsOrderIsNamed belongs to the order that other events of it name.
func TestACaseBeforeItsOrderIsNamed(t *testing.T) {
	s, _ := settleTold(
		t,
		[]told{
			{data: sale},
			{minute: 1, errorID: "c", data: &ErrorReported{Classification: Classification{Kind: "missing_item"}}},
			{minute: 2, errorID: "c", data: refunded("r", "10", "0")},
		},
		func(events []*Event) { events[1].OrderID = "" },
	)
	if owed := sumUp(s).byAccount[GoodsOwed]; owed.String() != "-60.0000" {
		t.Errorf("owed %s: the order's only line", owed)
	}
}

// TestACaseOverAMonthsEnd: what a close saw stays, and both months are right.
func TestACaseOverAMonthsEnd(t *testing.T) {
	for _, c := range []struct {
		name          string
		said          []told
		closeAt       int
		before, after string
		open          map[Account]string
	}{
		{"reported, closed, sent", []told{{data: sale}, {minute: 1, errorID: "c", data: report("wrong_item", "55")},
			{minute: 50_000, errorID: "c", data: sent("r")}}, 2, "0", "0",
			map[Account]string{GoodsOwed: "-60", ReturnAsset: "55"}},
		{"goods back, closed, refunded", []told{{data: sale}, {minute: 1, errorID: "c", data: report("defective", "")},
			{minute: 2, errorID: "c", data: comesBack("p", "1", "", "sold", "saleable", "")}, {minute: 50_000, errorID: "c",
				data: refunded("r", "100", "8")}}, 3, "0", "40",
			map[Account]string{GoodsOwed: "-60"}},
	} {
		events := asEvents(c.said)
		arrival := make([]int, len(events))
		for i := range arrival {
			arrival[i] = i
		}
		terms, all := recorded(events, arrival, c.closeAt)
		s, err := terms.Settle(all)
		if err != nil {
			t.Fatal(err)
		}
		closed := *s
		closed.Events = s.Events[:c.closeAt]
		before, whole := sumUp(&closed), sumUp(s)
		if before.net.String() != c.before+".0000" || (whole.net-before.net).String() != c.after+".0000" {
			t.Errorf("%s: %s before the close and %s after it", c.name, before.net, whole.net-before.net)
		}
		for a, want := range c.open {
			if before.byAccount[a].String() != want+".0000" {
				t.Errorf("%s: at the close %d holds %s, not %s", c.name, a, before.byAccount[a], want)
			}
		}
	}
}

// TestWhatWasSoldComesBackAtItsCost, whatever the article costs by then.
func TestWhatWasSoldComesBackAtItsCost(t *testing.T) {
	events := asEvents(
		[]told{
			{data: sale},
			{minute: 50_000, errorID: "c", data: comesBack("p", "1", "", "sold", "saleable", "")},
			{minute: 50_001, errorID: "c", data: refunded("r", "100", "8")},
		},
	)
	terms, all := recorded(events, []int{0, 1, 2}, -1)
	terms.Apply(
		rateEvent("9", ItemCost, "p", "80", "USD", when.Add(time.Hour)),
		Mark{Offset: 20, Ends: map[Partition]int64{{Orders, 0}: 1}},
	)
	s, err := terms.Settle(all)
	if err != nil {
		t.Fatal(err)
	}
	if b := sumUp(s); b.net.String() != "40.0000" || b.byAccount[Inventory] != 0 {
		t.Errorf("net %s, inventory %s", b.net, b.byAccount[Inventory])
	}
}

// TestWhatCantBeRightIsFlagged, and is booked as far as it is known.
func TestWhatCantBeRightIsFlagged(t *testing.T) {
	for _, c := range []struct {
		name, code, currency, amount string
		said                         []told
	}{
		{"more refunded than paid", OverRefunded, "USD", "12.0000", []told{{data: sale}, {minute: 1, errorID: "c",
			data: refunded("r", "120", "0")}}},
		{"refunded and lost in a dispute", OverRefunded, "USD", "108.0000", []told{{data: sale}, {minute: 1, errorID: "c",
			data: refunded("r", "100", "8")},
			{minute: 2, errorID: "c", data: &DisputeLost{DisputeID: "d", Amount: d("108"), Tax: d("8")}}}},
		{"a part that nobody can place", PartUnknown, "", "0.0000", []told{{data: sale}, {minute: 1,
			data: &OrderCancelled{By: "business", Net: Some(d("30"))}}}},
		{"a return of more than was sold", ReturnedTooMuch, "", "0.0000", []told{{data: sale}, {minute: 1, errorID: "c",
			data: comesBack("p", "2", "60", "sold", "saleable", "")}}},
		{"more taken off than is on the order", RemovedTooMuch, "", "0.0000", []told{{data: sale}, {minute: 1,
			data: &OrderChanged{By: "customer", LinesRemoved: []RemovedLine{{SKU: "p", Quantity: d("2")}}}}}},
		{"more redeemed than granted", RedeemedTooMuch, "USD", "5.0000", []told{{errorID: "c",
			data: &ConcessionGranted{ConcessionID: "v", Kind: "voucher", Amount: d("10")}},
			{minute: 1, errorID: "c", data: &VoucherRedeemed{ConcessionID: "v", Amount: d("15")}}}},
		{"settled for more than was filed", SettledAboveFiled, "USD", "5.0000", []told{{errorID: "c",
			data: &ClaimFiled{ClaimID: "k", Amount: d("10")}},
			{minute: 1, errorID: "c", data: &ClaimSettled{ClaimID: "k", Amount: d("15")}}}},
		{"settled for more than was accepted", SettledAboveAccepted, "USD", "5.0000", []told{{errorID: "c",
			data: &ClaimAccepted{ClaimID: "k", Amount: d("10")}},
			{minute: 1, errorID: "c", data: &ClaimSettled{ClaimID: "k", Amount: d("15")}}}},
	} {
		s, events := settleTold(t, c.said, nil)
		last := events[len(events)-1]
		if len(s.Flags) != 1 || s.Flags[0].Code != c.code || s.Flags[0].Currency != c.currency ||
			s.Flags[0].Amount.String() != c.amount ||
			s.Flags[0].Event.ID != last.ID {
			t.Errorf("%s: %+v", c.name, s.Flags)
		}
	}
}
