package domain

import (
	"strings"
	"testing"
)

// overShipped says that q came, or p where sku is empty; how many and at what cost where that is said.
func overShipped(sku, quantity, cost string) *ErrorReported {
	l := ErrorLine{SKU: "p", Quantity: piece, UnitCost: Some(d("60")), ReceivedSKU: sku}
	if quantity != "" {
		l.ReceivedQuantity = Some(d(quantity))
	}
	if cost != "" {
		l.ReceivedUnitCost = Some(d(cost))
	}
	return &ErrorReported{Classification: Classification{Kind: "over_shipped"}, Found: FoundAfterDelivery,
		Lines: []ErrorLine{l}}
}

func sentAt(redelivery, cost string) *RedeliveryDispatched {
	return &RedeliveryDispatched{RedeliveryID: redelivery, Mode: "carrier", Lines: goodsLines("1", cost)}
}

// TestReadings holds what two readings of the contract would book apart to the one that holds.
func TestReadings(t *testing.T) {
	halves := &OrderPlaced{Lines: []OrderLine{
		{SKU: "p", Kind: LineService, Quantity: piece, UnitPrice: d("10.00004")},
		{SKU: "q", Kind: LineDeposit, Quantity: piece, UnitPrice: d("10.00004")},
	}}
	twins := &OrderPlaced{Lines: []OrderLine{line("1", "p", "20", "9"), line("2", "x", "20", "9")}}
	all := []RemovedLine{{LineID: "1", Quantity: piece}}
	for _, c := range []struct {
		name    string
		said    []told
		hold    map[Account]string
		flags   string
		closeAt int // -1: never
	}{
		{"over_shipped at a cost that nobody knew: what came back tells it", []told{
			{errorID: "c", data: overShipped("q", "5", "")},
			{minute: 1, errorID: "c", data: comesBack("q", "3", "70", WasWrongItem, GradeB, "50")},
		}, map[Account]string{Inventory: "-160", WriteDown: "160", ReturnAsset: "0"}, "", -1},
		{"over_shipped, all of it back as sold: one piece was ordered", []told{{data: sale},
			{minute: 1, errorID: "c", data: overShipped("", "10", "60")},
			{minute: 2, errorID: "c", data: comesBack("p", "10", "60", WasSold, GradeScrap, "")},
		}, map[Account]string{WriteDown: "540", ReturnAsset: "0", GoodsOwed: "0"}, "", -1},
		{"over_shipped, all of it back as sent by mistake", []told{{data: sale},
			{minute: 1, errorID: "c", data: overShipped("", "10", "60")},
			{minute: 2, errorID: "c", data: comesBack("p", "10", "60", WasWrongItem, GradeScrap, "")},
		}, map[Account]string{WriteDown: "600", ReturnAsset: "0", GoodsOwed: "0"}, "", -1},
		{"over_shipped, the article that was ordered comes back: it is sold goods", []told{{data: sale},
			{minute: 1, errorID: "c", data: overShipped("q", "1", "50")},
			{minute: 2, errorID: "c", data: comesBack("p", "1", "", WasSold, GradeSaleable, "")},
		}, map[Account]string{ReturnAsset: "50", GoodsOwed: "-60", Inventory: "-50", WriteDown: "0"}, "", -1},
		{"empties brought back by a change, and refunded: their money goes back once", []told{{data: sale},
			{minute: 1, data: &OrderChanged{By: ByCustomer, LinesAdded: []OrderLine{{LineID: "2", SKU: "crate",
				Kind: LineDeposit, Quantity: -2 * piece, UnitPrice: d("0.25")}}}},
			{minute: 2, data: refunded("r", "0.5", "0")},
		}, map[Account]string{Clearing: "104.07", Deposits: "0.5", Returns: "0"}, "", -1},
		{"cancelled at the sum that the lines were rounded from", []told{{data: halves},
			{minute: 1, data: &OrderCancelled{By: ByCustomer, Net: Some(d("20.0001"))}},
		}, map[Account]string{Clearing: "-0.0001"}, "", -1},
		{"cancelled at a thousandth more, which the till rounded it by", []told{{data: halves},
			{minute: 1, data: &OrderCancelled{By: ByCustomer, Net: Some(d("20.001"))}},
		}, map[Account]string{Clearing: "-0.001"}, "", -1},
		{"cancelled at a cent more", []told{{data: halves},
			{minute: 1, data: &OrderCancelled{By: ByCustomer, Net: Some(d("20.0101"))}},
		}, map[Account]string{Clearing: "-0.0101"}, OverRefunded, -1},
		{"all lines cancelled twice, which is no fact of one id", []told{{data: sale},
			{minute: 1, data: &OrderCancelled{By: ByBusiness, Lines: all}},
			{minute: 2, data: &OrderCancelled{By: ByBusiness, Lines: all}},
		}, map[Account]string{Inventory: "0", Sales: "0"}, RemovedTooMuch, -1},
		{"a double adds the tax of a cancellation after a close", []told{
			{data: &OrderCancelled{By: ByCustomer, Net: Some(d("100"))}},
			{source: "webhook", minute: 1, data: &OrderCancelled{By: ByCustomer, Net: Some(d("100")), Tax: Some(d("8"))}},
		}, map[Account]string{Tax: "8", Sales: "100", Clearing: "-108"}, "", 1},
		{"what is beyond what is owed is of the redelivery that went out last", []told{{data: sale},
			{minute: 1, errorID: "c", data: report("missing_item", "")},
			{minute: 2, errorID: "c", data: sentAt("a", "90")},
			{minute: 3, errorID: "c", data: sentAt("b", "70")},
			{minute: 4, errorID: "c", data: &RedeliveryCompleted{RedeliveryID: "a", Succeeded: false}},
			{minute: 5, errorID: "c", data: sentAt("a", "90")},
		}, map[Account]string{ReplacementGoods: "90"}, "", -1},
		{"lost, won, lost again with its tax: the later is lost", []told{
			{errorID: "c", data: &DisputeLost{DisputeID: "x", Amount: d("108")}},
			{minute: 1, errorID: "c", data: &DisputeWon{DisputeID: "x"}},
			{minute: 2, errorID: "c", data: &DisputeLost{DisputeID: "x", Amount: d("108"), Tax: d("8")}},
		}, map[Account]string{DisputeLosses: "100", Tax: "8", Clearing: "-108"}, "", -1},
		{"cancelled whole: what was booked goes back as each booking rounded it", []told{{data: halves},
			{minute: 1, data: &OrderChanged{By: ByCustomer, LinesAdded: halves.Lines}},
			{minute: 2, data: &OrderCancelled{By: ByCustomer}},
		}, map[Account]string{Clearing: "0", Sales: "0", Deposits: "0"}, "", -1},
		{"cancelled in part by its sum, then whole: what is left goes back", []told{{data: sale},
			{minute: 1, data: &OrderCancelled{ChangeID: "1", By: ByCustomer, Net: Some(d("30"))}},
			{minute: 2, data: &OrderCancelled{By: ByCustomer}},
		}, map[Account]string{Sales: "0", Inventory: "0"}, PartUnknown, -1},
		{"nobody reported it: what is redelivered is owed at what the order booked it at", []told{{data: sale},
			{minute: 1, errorID: "c", data: comesBack("x", "1", "55", WasWrongItem, GradeSaleable, "")},
			{minute: 2, errorID: "c", data: &RedeliveryDispatched{RedeliveryID: "r", Mode: "carrier",
				Lines: []GoodsLine{{SKU: "p", Quantity: piece}}}},
		}, map[Account]string{ReplacementGoods: "0", GoodsOwed: "0", Inventory: "-60"}, "", -1},
		{"found before delivery, a part of it sent: the rest can be owed by another case", []told{
			{data: &OrderPlaced{Lines: []OrderLine{{LineID: "1", SKU: "p", Quantity: 2 * piece, UnitCost: Some(d("60"))}}}},
			{minute: 1, errorID: "a", data: &ErrorReported{Classification: Classification{Kind: "defective"},
				Found: FoundBeforeDelivery, Lines: []ErrorLine{{SKU: "p", Quantity: 2 * piece}}}},
			{minute: 2, errorID: "b", data: report(KindMissingItem, "")},
			{minute: 3, errorID: "a", data: sent("r")},
		}, map[Account]string{GoodsOwed: "-60", ReplacementGoods: "0"}, "", -1},
		{"over_shipped: what nobody tells the cost of costs what the order booked it at", []told{{data: sale},
			{minute: 1, errorID: "c", data: &ErrorReported{Classification: Classification{Kind: KindOverShipped},
				Lines: []ErrorLine{{SKU: "p", Quantity: piece, ReceivedQuantity: Some(d("3"))}}}},
			{minute: 2, errorID: "c", data: comesBack("p", "2", "", WasWrongItem, GradeScrap, "")},
		}, map[Account]string{ReturnAsset: "0", WriteDown: "120", Inventory: "-180"}, "", -1},
		{"a wrong item comes back without a cost: it costs what the report says", []told{{data: sale},
			{minute: 1, errorID: "c", data: report(KindWrongItem, "55")},
			{minute: 2, errorID: "c", data: comesBack("q", "1", "", WasWrongItem, GradeSaleable, "")},
		}, map[Account]string{ReturnAsset: "0", WriteDown: "0", Inventory: "0"}, "", -1},
		{"the business takes a line off and the till refunds it in a case: its money goes back once", []told{{data: twoLines},
			{minute: 1, data: &OrderCancelled{By: ByBusiness, Lines: []RemovedLine{{LineID: "2", Quantity: piece}}}},
			{minute: 2, errorID: "c", data: refunded("r", "20", "0")},
		}, map[Account]string{Clearing: "96.57", Sales: "-100", Returns: "0"}, "", -1},
		{"two changes, refunded in a case at once", []told{{data: twoLines},
			{minute: 1, data: &OrderChanged{By: ByBusiness, LinesRemoved: []RemovedLine{{LineID: "2", Quantity: piece / 2}}}},
			{minute: 2, data: &OrderChanged{By: ByBusiness, LinesRemoved: []RemovedLine{{LineID: "2", Quantity: piece / 2}}}},
			{minute: 3, errorID: "c", data: refunded("r", "20", "0")},
		}, map[Account]string{Clearing: "96.57", Returns: "0"}, "", -1},
		{"each change is told once: the second refund of its amount is one of the case", []told{{data: twoLines},
			{minute: 1, data: &OrderChanged{By: ByBusiness, LinesRemoved: []RemovedLine{{LineID: "2", Quantity: piece / 2}}}},
			{minute: 2, errorID: "c", data: refunded("r", "10", "0")},
			{minute: 3, errorID: "c", data: refunded("r2", "10", "0")},
		}, map[Account]string{Clearing: "96.57", Returns: "10"}, "", -1},
		{"as much was taken off, but the refund pays for what came back in its case", []told{{data: twins},
			{minute: 1, data: &OrderCancelled{By: ByCustomer, Lines: []RemovedLine{{LineID: "2", Quantity: piece}}}},
			{minute: 2, errorID: "c", data: refunded("r", "20", "0")},
			{minute: 3, errorID: "c", data: comesBack("p", "1", "", WasSold, GradeSaleable, "")},
		}, map[Account]string{Clearing: "0", Returns: "20", ReplacementGoods: "-9", GoodsOwed: "0"}, "", -1},
		{"what came back was taken off before: the refund is of that", []told{{data: twins},
			{minute: 1, data: &OrderCancelled{By: ByCustomer, Lines: []RemovedLine{{LineID: "2", Quantity: piece}}}},
			{minute: 2, errorID: "c", data: refunded("r", "20", "0")},
			{minute: 3, errorID: "c", data: comesBack("x", "1", "", WasSold, GradeSaleable, "")},
		}, map[Account]string{Clearing: "20", Returns: "0", ReplacementGoods: "0", GoodsOwed: "0"}, "", -1},
		{"another amount is a refund of the case", []told{{data: twoLines},
			{minute: 1, data: &OrderCancelled{By: ByBusiness, Lines: []RemovedLine{{LineID: "2", Quantity: piece}}}},
			{minute: 2, errorID: "c", data: refunded("r", "15", "0")},
		}, map[Account]string{Clearing: "81.57", Returns: "15"}, "", -1},
	} {
		events := asEvents(c.said)
		arrival := make([]int, len(events))
		for i := range arrival {
			arrival[i] = i
		}
		terms, recordings := recorded(events, arrival, c.closeAt)
		s, err := terms.Settle(recordings)
		if err != nil {
			t.Fatal(err)
		}
		b := sumUp(s)
		for a, text := range c.hold {
			if want, err := ParseAmount(text); err != nil || b.byAccount[a] != want {
				t.Errorf("%s: %d holds %s, not %s", c.name, a, b.byAccount[a], text)
			}
		}
		var flags []string
		for _, f := range s.Flags {
			flags = append(flags, f.Code)
		}
		if got := strings.Join(flags, " "); got != c.flags {
			t.Errorf("%s: flagged %q, not %q", c.name, got, c.flags)
		}
	}
}

// TestOneSourceSendsAnOrderForTwoStores: the second sale waits; nothing tells which of them the rest is of, so it
// counts.
func TestOneSourceSendsAnOrderForTwoStores(t *testing.T) {
	s, _ := settleTold(t, []told{{data: sale}, {minute: 1, data: sale},
		{minute: 2, errorID: "c", data: refunded("r", "10", "0")}},
		func(events []*Event) { events[1].StoreID, events[2].StoreID = "s2", "s2" })
	if got := standings(s); got != "counts waits counts" {
		t.Errorf("%s", got)
	}
}

// TestOneOfTwoSalesIsDecidedAgainst: the other one that its source sent for its store waits by itself, and so does the
// rest of what the source sends, whichever came first.
func TestOneOfTwoSalesIsDecidedAgainst(t *testing.T) {
	for _, against := range []string{"e0", "e1"} {
		s, _ := settleTold(t, []told{{data: sale}, {minute: 1, data: sale}, {source: "shop", minute: 2, data: sale},
			{minute: 3, errorID: "c", data: refunded("r", "10", "0")},
			{minute: 4, data: &FactDecided{Source: "till", ID: against, Counts: No}}},
			func(events []*Event) { events[2].StoreID = "s2"; events[2].Time = events[0].Time.Add(-1) })
		want := "discarded waits counts waits counts"
		if against == "e1" {
			want = "waits discarded counts waits counts"
		}
		if got := standings(s); got != want {
			t.Errorf("%s decided against: %s", against, got)
		}
	}
}

// TestTheStoreOfACaseThatAnotherIsPartOf is that of the event that names it, where nobody reported it.
func TestTheStoreOfACaseThatAnotherIsPartOf(t *testing.T) {
	s, _ := settleTold(t, []told{{data: sale}, {minute: 1, errorID: "b", data: report("late", "")},
		{minute: 2, errorID: "b", data: &ErrorClassified{SameAs: "a"}},
		{minute: 3, errorID: "a", data: kindIs(KindMissingItem)}},
		func(events []*Event) { events[1].StoreID = "s2" })
	for _, l := range s.Events[3].Lines {
		if l.Store != "s1" {
			t.Errorf("%d is of store %q", l.Account, l.Store)
		}
	}
	if len(s.Events[3].Lines) == 0 {
		t.Error("nothing is owed")
	}
}

// TestNothingIsOwedInACaseThatIsNone: what is only said of a case makes none.
func TestNothingIsOwedInACaseThatIsNone(t *testing.T) {
	s, _ := settleTold(t, []told{{data: sale}, {minute: 1, errorID: "c", data: kindIs(KindMissingItem)}}, nil)
	if len(s.Events[1].Lines) > 0 || len(s.Cases) > 0 {
		t.Errorf("%+v of %+v", s.Events[1].Lines, s.Cases)
	}
}

// TestAStoreCreditThatOnlyGivesBackIsOfNoCase, even where somebody names one when it lapses.
func TestAStoreCreditThatOnlyGivesBackIsOfNoCase(t *testing.T) {
	credit := refunded("r", "100", "8")
	credit.Method = MethodStoreCredit
	s, _ := settleTold(t, []told{{data: sale}, {minute: 1, data: whole}, {minute: 2, data: credit},
		{minute: 3, errorID: "c", data: &VoucherExpired{ConcessionID: "r", Amount: d("108")}}}, nil)
	lapsed := Amount(0)
	for i := range s.Events {
		for _, l := range s.Events[i].Lines {
			if l.Account == Goodwill {
				lapsed += l.Amount
				if l.Case != "" || l.Step != Change {
					t.Errorf("posted to case %q, step %s", l.Case, l.Step)
				}
			}
		}
	}
	if lapsed.String() != "-108.0000" {
		t.Errorf("lapsed %s", lapsed)
	}
}

// TestAnOrderHasOneCurrency: what changes it in another one takes nothing off until somebody decides, and then it is of
// the order's currency.
func TestAnOrderHasOneCurrency(t *testing.T) {
	for _, change := range []Data{whole, &OrderCancelled{By: ByBusiness}, &OrderChanged{By: ByCustomer,
		LinesRemoved: []RemovedLine{{LineID: "1", Quantity: piece}},
		LinesAdded:   []OrderLine{line("9", "n", "250", "150")}}} {
		for _, c := range []struct {
			decided   Data
			standings string
			flags     int
		}{
			{&FeedbackReceived{}, "counts waits counts", 1},
			{&FactDecided{Source: "till", ID: "e1", Counts: Yes}, "counts counts counts", 0},
			{&FactDecided{Source: "till", ID: "e1", Separate: true}, "counts counts counts", 0},
			{&FactDecided{Source: "till", ID: "e1", Counts: No}, "counts discarded counts", 0},
		} {
			said := []told{{data: sale}, {minute: 1, data: change}, {minute: 2, data: c.decided}}
			s, _ := settleTold(t, said, func(events []*Event) { events[1].Currency = "EUR" })
			same, _ := settleTold(t, said, nil)
			if got := standings(s); got != c.standings || len(s.Flags) != c.flags {
				t.Errorf("%s: %s, flagged %v", inWords(s.Events[1].Lines), got, s.Flags)
			}
			b, want := sumUp(s), sumUp(same)
			if c.standings != "counts counts counts" {
				want.byAccount = map[Account]Amount{Sales: -100_0000, CostOfGoods: 60_0000}
			}
			for _, a := range []Account{Sales, CostOfGoods} {
				if b.byAccount[a] != want.byAccount[a] {
					t.Errorf("%T, decided %+v: %d holds %s, not %s", change, c.decided, a, b.byAccount[a], want.byAccount[a])
				}
			}
			for i := range s.Events {
				for _, l := range s.Events[i].Lines {
					if l.Currency != "USD" {
						t.Errorf("%T: a line of %s", change, l.Currency)
					}
				}
			}
		}
	}
}
