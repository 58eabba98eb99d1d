package domain

import "testing"

// moreCases are rows like those of rightCases: of parts of the tables that those don't reach. How a value was worked
// out stands above its row.
var moreCases = []rightCase{
	{
		// 10 back, and the piece of 60 isn't owed any longer, whatever its price: 10 − 60.
		name: "a small refund says that it replaces the goods",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: missing},
			{minute: 2, errorID: "c", data: &RefundIssued{RefundID: "r", Net: d("10"), ReplacesGoods: true}}},
		net: "-50",
	},
	{
		// The bank took 100 and 8 tax: that reaches the price of what is owed. 100 − 60.
		name: "missing_item, the bank takes the money back",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: missing},
			{minute: 2, errorID: "c", data: &DisputeLost{DisputeID: "x", Amount: d("108"), Tax: d("8")}}},
		net: "40",
	},
	{
		// Two pieces on the order; a says one twice and sends one, so it takes one of them. b is owed the other one: 60.
		name: "found before delivery in two lines of one article, one piece sent; another case is owed the other one",
		said: []told{{data: twoPieces}, {minute: 1, errorID: "a", data: &ErrorReported{
			Classification: Classification{Kind: "defective"}, Found: FoundBeforeDelivery,
			Lines: []ErrorLine{expected("", "")[0], expected("", "")[0]}}},
			{minute: 2, errorID: "b", data: missing}, {minute: 3, errorID: "a", data: sent("r")}},
		net:  "0",
		hold: map[Account]string{GoodsOwed: "-60", Inventory: "-60", ReplacementGoods: "0"},
	},
	{
		// One kit of three x: of five that are said to be missing three are on the order, 3 × 10.
		name: "more parts of a kit are said to be missing than it has",
		said: []told{{data: kit}, {minute: 1, errorID: "c", data: &ErrorReported{Classification: Classification{
			Kind: KindMissingItem}, Lines: []ErrorLine{{SKU: "x", Quantity: 5 * piece, UnitCost: Some(d("10"))}}}}},
		net:  "0",
		hold: map[Account]string{GoodsOwed: "-30", Inventory: "-30"},
	},
	{
		// Three x of one kit were sold, so three may come back: 3 × 10, and no money went the other way yet.
		name: "all parts of a kit come back",
		said: []told{{data: kit}, {minute: 1, errorID: "c", data: comesBack("x", "3", "10", WasSold, GradeSaleable, "")}},
		net:  "0",
		hold: map[Account]string{GoodsOwed: "-30", Inventory: "-30"},
	},
	{
		// One piece sent (60), one back as good as new (−60): goods went the other way, so nothing stays owed.
		name: "exchanged for another piece of the same",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: report("defective", "")},
			{minute: 2, errorID: "c", data: sent("r")},
			{minute: 3, errorID: "c", data: comesBack("p", "1", "", WasSold, GradeSaleable, "")}},
		net:  "0",
		hold: map[Account]string{Inventory: "-60"},
	},
	{
		// 100 − 60 are the cancellation's. r costs 60, and its piece is back in another case: −60.
		name: "sent again in one case, cancelled whole, back in another case",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: report("defective", "")},
			{minute: 2, errorID: "c", data: sent("r")}, {minute: 3, data: whole},
			{minute: 4, errorID: "d", data: comesBack("p", "1", "", WasSold, GradeSaleable, "")}},
		net:  "40",
		hold: map[Account]string{Inventory: "0"},
	},
	{
		// The same: a cancellation of all its lines is one of the whole order.
		name: "sent again in one case, cancelled line by line, back in another case",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: report("defective", "")},
			{minute: 2, errorID: "c", data: sent("r")},
			{minute: 3, data: &OrderCancelled{By: ByBusiness, Lines: []RemovedLine{{LineID: "1", Quantity: piece}}}},
			{minute: 4, errorID: "d", data: comesBack("p", "1", "", WasSold, GradeSaleable, "")}},
		net:  "40",
		hold: map[Account]string{Inventory: "0"},
	},
	{
		// Two q of 55 came, one of them is kept and paid (90, cost 55): 55 strayed. p and x are owed: 60 + 9.
		name: "two wrong parts came, the customer keeps one and pays it",
		said: []told{{data: twoLines}, {minute: 1, errorID: "c", data: &ErrorReported{
			Classification: Classification{Kind: KindWrongItem}, Lines: []ErrorLine{
				{SKU: "p", Quantity: piece, ReceivedSKU: "q", ReceivedUnitCost: Some(d("55"))},
				{SKU: "x", Quantity: piece, ReceivedSKU: "q", ReceivedUnitCost: Some(d("55"))}}}},
			{minute: 2, data: &OrderChanged{By: ByCustomer, LinesAdded: []OrderLine{line("3", "q", "90", "55")}}}},
		net:     "0",
		changes: "35",
		hold:    map[Account]string{ReturnAsset: "55", GoodsOwed: "-69", Inventory: "-110"},
	},
	{
		// One of two pieces is left on the order, so one of the two that come back counts: half of 50, below its cost.
		name: "two b_grade pieces come back of which one counts",
		said: []told{{data: twoPieces},
			{minute: 1, data: &OrderChanged{By: ByCustomer, LinesRemoved: []RemovedLine{{LineID: "1", Quantity: piece}}}},
			{minute: 2, errorID: "c", data: comesBack("p", "2", "", WasSold, GradeB, "50")}},
		net:     "0",
		changes: "-40",
		hold:    map[Account]string{GoodsOwed: "-25", Inventory: "-35"},
	},
	{
		// Two of three strayed: 120, worth 2/3 of 90: 60 are lost. The third was sold: worth 30, and no money for it yet.
		name: "over_shipped, three b_grade pieces come back of which two strayed",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: overShipped("", "3", "60")},
			{minute: 2, errorID: "c", data: comesBack("p", "3", "", WasSold, GradeB, "90")}},
		net:  "60",
		hold: map[Account]string{WriteDown: "60", GoodsOwed: "-30", Inventory: "-90"},
	},
	{
		// 20 of the 30 were taken off (20 − 9 by the customer); 10 are of a failure, and so is the fee that comes back: 9.
		name: "a refund gives back what was taken off and more, with its fee",
		said: []told{{data: twoLines},
			{minute: 1, data: &OrderChanged{By: ByCustomer, LinesRemoved: []RemovedLine{{LineID: "2", Quantity: piece}}}},
			{minute: 2, data: &RefundIssued{RefundID: "r", Net: d("30"), FeeReturned: d("1")}}},
		net:     "9",
		changes: "-11",
	},
	{
		// 120, of it 50 by gift card. 100 go back: the 70 in cash first, then 30 to the card: 20 of it are used.
		name: "paid by gift card and cash, the dearer line taken off",
		said: []told{{data: &OrderPlaced{Lines: twoLines.Lines, Tenders: []Tender{{Method: MethodGiftCard, Amount: d("50")},
			{Method: "card", Amount: d("70")}}}},
			{minute: 1, data: &OrderChanged{By: ByCustomer, LinesRemoved: []RemovedLine{{LineID: "1", Quantity: piece}}}}},
		net:     "0",
		changes: "-40",
		hold:    map[Account]string{GiftCardLiability: "20", Clearing: "0"},
	},
}

var (
	twoPieces = &OrderPlaced{Lines: []OrderLine{
		{LineID: "1", SKU: "p", Quantity: 2 * piece, UnitPrice: d("100"), UnitCost: Some(d("60"))}}}
	kit = &OrderPlaced{Lines: []OrderLine{{LineID: "1", SKU: "k", Quantity: piece, UnitPrice: d("100"),
		UnitCost: Some(d("60")), Components: []Component{{SKU: "x", Quantity: 3 * piece}}}}}
)

// TestACircleOfCases: cases that are part of one another are the one whose error_id comes first, b, whichever of them
// was said first: all that was given back is of it.
func TestACircleOfCases(t *testing.T) {
	for _, ids := range [][]string{{"b", "c", "d"}, {"d", "b", "c"}, {"c", "d", "b"}, {"d", "c", "b"}} {
		var said []told
		for i, id := range ids {
			said = append(said, told{minute: 2 * i, errorID: id, data: refunded("r"+id, "10", "0")},
				told{minute: 2*i + 1, errorID: id, data: &ErrorClassified{SameAs: ids[(i+1)%3]}})
		}
		s, _ := settleTold(t, said, nil)
		given := map[string]Amount{}
		for i := range s.Events {
			for _, l := range s.Events[i].Lines {
				if l.Account == Returns {
					given[l.Case] += l.Amount
				}
			}
		}
		if given["b"] != 30_0000 || given["c"] != 0 || given["d"] != 0 {
			t.Errorf("in a circle of %v: %v", ids, given)
		}
	}
}

// TestADoubleThatSaysMore counts in the place of the first one, but not where a close saw that.
func TestADoubleThatSaysMore(t *testing.T) {
	events := asEvents([]told{{data: refunded("r", "30", "0")},
		{source: "webhook", minute: 1, errorID: "c", data: refunded("r", "30", "0")}})
	for closeAt, want := range map[int]string{-1: "double counts", 0: "double counts", 1: "counts double",
		2: "double counts"} {
		terms, all := recorded(events, []int{0, 1}, closeAt)
		s, err := terms.Settle(all)
		if err != nil {
			t.Fatal(err)
		}
		if got := standings(s); got != want {
			t.Errorf("closed before %d: %s, not %s", closeAt, got, want)
		}
	}
}
