package domain

// Cases of one line that two error_ids tell of: the order has one piece of p, sold for 100, which cost 60.

var (
	missing = report(KindMissingItem, "")
	again   = &ErrorReported{Classification: Classification{Kind: KindMissingItem}, Found: FoundAfterDelivery}
)

// owedCases are more rows like those of rightCases.
var owedCases = []rightCase{
	{
		// 2410 −60 by c, +60 by r; nothing is left for d. In the log d may stand first: a close doesn't change that.
		name: "one failure reported twice, sent in the case that was reported first",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: missing}, {minute: 2, errorID: "d", data: missing},
			{minute: 3, errorID: "c", data: sent("r")}},
		net: "0",
	},
	{
		// 100 back, 60 of them in place of the piece that never left: 40.
		name: "one failure reported twice, refunded in the case that was reported first",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: missing}, {minute: 2, errorID: "d", data: missing},
			{minute: 3, errorID: "c", data: refunded("r", "100", "8")}},
		net: "40",
	},
	{
		// Of two pieces sent one was owed: the other one costs 60.
		name: "one failure reported twice, sent in both cases",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: missing}, {minute: 2, errorID: "d", data: missing},
			{minute: 3, errorID: "c", data: sent("r")}, {minute: 4, errorID: "d", data: sent("s")}},
		net:  "60",
		hold: map[Account]string{ReplacementGoods: "60", Inventory: "-120"},
	},
	{
		// r was the wrong part again: p is owed until s. Both parts that came by mistake, of 55, are still out. p left once.
		name: "the replacement was wrong too, reported as another case, sent again",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: report(KindWrongItem, "55")},
			{minute: 2, errorID: "c", data: sent("r")}, {minute: 3, errorID: "d", data: report(KindWrongItem, "55")},
			{minute: 4, errorID: "d", data: sent("s")}},
		net:  "0",
		hold: map[Account]string{ReturnAsset: "110", Inventory: "-170"},
	},
	{
		// 100 back, and p, which cost 60, is in stock: 40.
		name: "the replacement was wrong too, reported as another case, refunded",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: report(KindWrongItem, "55")},
			{minute: 2, errorID: "c", data: sent("r")}, {minute: 3, errorID: "d", data: report(KindWrongItem, "55")},
			{minute: 4, errorID: "d", data: refunded("r", "100", "8")}},
		net:  "40",
		hold: map[Account]string{ReturnAsset: "110", Inventory: "-110"},
	},
	{
		// The report has no lines: the order has one of goods, and p of it is owed again.
		name: "the replacement didn't come, reported as another case without lines, refunded",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: missing}, {minute: 2, errorID: "c", data: sent("r")},
			{minute: 3, errorID: "d", data: again}, {minute: 4, errorID: "d", data: refunded("r", "100", "8")}},
		net:  "40",
		hold: map[Account]string{Inventory: "0"},
	},
	{
		// Each replacement was lost; the third one came. One piece was owed at a time: p left once.
		name: "two replacements didn't come, each reported as another case",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: missing}, {minute: 2, errorID: "c", data: sent("r")},
			{minute: 3, errorID: "d", data: again}, {minute: 4, errorID: "d", data: sent("s")},
			{minute: 5, errorID: "e", data: missing}, {minute: 6, errorID: "e", data: sent("t")}},
		net:  "0",
		hold: map[Account]string{Inventory: "-60"},
	},
	{
		// The trip failed: r isn't out, c is still owed its piece. d isn't owed another one, and s costs 60.
		name: "the replacement came back, and another case sends one",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: missing}, {minute: 2, errorID: "c", data: sent("r")},
			{minute: 3, errorID: "c", data: &RedeliveryCompleted{RedeliveryID: "r"}},
			{minute: 4, errorID: "d", data: missing}, {minute: 5, errorID: "d", data: sent("s")}},
		net:  "60",
		hold: map[Account]string{GoodsOwed: "-60", ReplacementGoods: "60"},
	},
	{
		// Picked wrongly and sent rightly; then the customer says that it was wrong: p is owed until s.
		name: "found before delivery and sent, and wrong all the same",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: &ErrorReported{Classification: Classification{
			Kind: KindWrongItem}, Found: FoundBeforeDelivery, Lines: expected("", "")}},
			{minute: 2, errorID: "c", data: sent("r")}, {minute: 3, errorID: "d", data: missing},
			{minute: 4, errorID: "d", data: sent("s")}},
		net: "0",
	},
	{
		// Nobody reported d. Its first fix is the wrong part's way back, after r went out: p is owed until s.
		name: "the replacement was wrong too, and nobody reported that",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: missing}, {minute: 2, errorID: "c", data: sent("r")},
			{minute: 3, errorID: "d", data: comesBack("q", "1", "60", WasWrongItem, GradeSaleable, "")},
			{minute: 4, errorID: "d", data: sent("s")}},
		net: "0",
	},
}
