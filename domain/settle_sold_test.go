package domain

// Pieces of one order come back more than once: those that are counted first take what is on the order. Two pieces of
// p were sold, for 100 each, which cost 60; the customer took one off.

var oneOff = &OrderChanged{By: ByCustomer, LinesRemoved: []RemovedLine{{LineID: "1", Quantity: piece}}}

func back(id, was, grade string) *ReturnReceived {
	r := comesBack("p", "1", "", was, grade, "")
	r.ReturnID = id
	return r
}

// soldCases are more rows like those of rightCases.
var soldCases = []rightCase{
	{
		// The piece is back in c, where no money went back: 60 are owed. In d 100 went back for nothing.
		name: "one piece comes back in two cases, refunded in the second",
		said: []told{{data: twoPieces}, {minute: 1, data: oneOff},
			{minute: 2, errorID: "c", data: back("1", WasSold, GradeSaleable)},
			{minute: 3, errorID: "d", data: back("2", WasSold, GradeSaleable)},
			{minute: 4, errorID: "d", data: refunded("r", "100", "0")}},
		net:     "100",
		changes: "-40",
		hold:    map[Account]string{GoodsOwed: "-60", Inventory: "0"},
	},
	{
		// 100 went back for the piece, which cost 60: 40. d brings nothing more.
		name: "one piece comes back in two cases, refunded in the first",
		said: []told{{data: twoPieces}, {minute: 1, data: oneOff},
			{minute: 2, errorID: "c", data: back("1", WasSold, GradeSaleable)},
			{minute: 3, errorID: "d", data: back("2", WasSold, GradeSaleable)},
			{minute: 4, errorID: "c", data: refunded("r", "100", "0")}},
		net:     "40",
		changes: "-40",
		hold:    map[Account]string{Inventory: "0"},
	},
	{
		// Of two at one moment the one of the source that comes first is the first: that of d, of the shop.
		name: "one piece comes back in two cases at one moment",
		said: []told{{data: twoPieces}, {minute: 1, data: oneOff},
			{source: "till", minute: 2, errorID: "c", data: back("1", WasSold, GradeSaleable)},
			{source: "shop", minute: 2, errorID: "d", data: back("2", WasSold, GradeSaleable)},
			{minute: 4, errorID: "d", data: refunded("r", "100", "0")}},
		net:     "40",
		changes: "-40",
		hold:    map[Account]string{Inventory: "0"},
	},
	{
		// What came first was scrap: it is worth nothing, and nothing of p is left to come back. 100.
		name: "one piece comes back twice in one case, as scrap first",
		said: []told{{data: twoPieces}, {minute: 1, data: oneOff},
			{minute: 2, errorID: "c", data: back("1", WasSold, GradeScrap)},
			{minute: 3, errorID: "c", data: back("2", WasSold, GradeSaleable)},
			{minute: 4, errorID: "c", data: refunded("r", "100", "0")}},
		net:     "100",
		changes: "-40",
		hold:    map[Account]string{Inventory: "-60"},
	},
	{
		// Two came for one. The first that is back strayed, as good as new: 60 on, 60 off. The sold one is scrap.
		name: "over_shipped, both come back, the second as scrap",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: overShipped("", "2", "60")},
			{minute: 2, errorID: "c", data: back("1", WasSold, GradeSaleable)},
			{minute: 3, errorID: "c", data: back("2", WasSold, GradeScrap)}},
		net:  "0",
		hold: map[Account]string{WriteDown: "0", Inventory: "-60"},
	},
}

// ownCases are rows of refunds and disputes that name no case, and are one by their own id.
var ownCases = []rightCase{
	{
		// What a person says of r is of its case: p is owed, and 100 reach its price. 100 − 60.
		name: "a refund that is a case of its own, classified missing_item by its refund_id",
		said: []told{{data: sale}, {minute: 1, data: refunded("r", "100", "8")},
			{minute: 2, errorID: "r", data: kindIs(KindMissingItem)}},
		net: "40",
	},
	{
		name: "a refund that is a case of its own, whose customer had changed their mind",
		said: []told{{data: sale}, {minute: 1, data: refunded("r", "30", "0")},
			{minute: 2, errorID: "r", data: kindIs(KindChangedMind)}},
		net: "0",
		own: "6.57",
	},
	{
		name: "a refund that is a case of its own, rejected",
		said: []told{{data: sale}, {minute: 1, data: refunded("r", "30", "0")},
			{minute: 2, errorID: "r", data: &ErrorRejected{Reason: "nothing was wrong"}}},
		net: "0",
		own: "6.57",
	},
	{
		// Of two cases nobody knows which one r is of, until somebody says that it is of c: there p is owed. 100 − 60.
		name: "a refund that is a case of its own, which is the same as another one",
		said: []told{{data: sale}, {minute: 1, errorID: "c", data: missing},
			{minute: 2, errorID: "d", data: &ErrorReported{Classification: Classification{Kind: "late"}}},
			{minute: 3, data: refunded("r", "100", "8")},
			{minute: 4, errorID: "r", data: &ErrorClassified{SameAs: "c"}}},
		net: "40",
	},
	{
		name: "a lost dispute that is a case of its own, classified missing_item by its dispute_id",
		said: []told{{data: sale}, {minute: 1, data: &DisputeLost{DisputeID: "x", Amount: d("108"), Tax: d("8")}},
			{minute: 2, errorID: "x", data: kindIs(KindMissingItem)}},
		net: "40",
	},
}
