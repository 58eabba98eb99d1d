package domain

// Two pieces of p were sold, for 100 each, which cost 60; the customer took one off: 100 went back. c is owed the other
// one, d was late. In each of them 100 are refunded; one of the two refunds tells of the change.

var (
	wasLate  = &ErrorReported{Classification: Classification{Kind: "late"}, Found: FoundAfterDelivery}
	bothOff  = &OrderChanged{By: ByCustomer, LinesRemoved: []RemovedLine{{LineID: "1", Quantity: 2 * piece}}}
	asCard   = &RefundIssued{RefundID: "r", Net: d("100"), Method: MethodGiftCard}
	halfCard = &OrderPlaced{Lines: twoPieces.Lines,
		Tenders: []Tender{{Method: "card", Amount: d("100")}, {Method: MethodGiftCard, Amount: d("100")}}}
)

func oneOffAnd(more ...told) []told {
	return append([]told{{data: twoPieces}, {minute: 1, data: oneOff}, {minute: 2, errorID: "c", data: missing},
		{minute: 3, errorID: "d", data: wasLate}}, more...)
}

// refundCases are more rows like those of rightCases.
var refundCases = []rightCase{
	{
		// What c refunded first is the piece that was taken off: its own one is still owed. d's 100 are lost.
		name: "100 taken off, refunded in two cases, in the one that is owed first",
		said: oneOffAnd(told{minute: 4, errorID: "c", data: refunded("r", "100", "0")},
			told{minute: 5, errorID: "d", data: refunded("s", "100", "0")}),
		net:     "100",
		changes: "-40",
		hold:    map[Account]string{GoodsOwed: "-60", Inventory: "0"},
	},
	{
		// d tells of the change; c's 100 are in place of a piece that cost 60.
		name: "100 taken off, refunded in two cases, in the one that is owed last",
		said: oneOffAnd(told{minute: 4, errorID: "d", data: refunded("s", "100", "0")},
			told{minute: 5, errorID: "c", data: refunded("r", "100", "0")}),
		net:     "40",
		changes: "-40",
		hold:    map[Account]string{Inventory: "0"},
	},
	{
		// Of two at one moment the one of the source that comes first is the first: that of d, of the shop.
		name: "100 taken off, refunded in two cases at one moment",
		said: oneOffAnd(told{source: "till", minute: 4, errorID: "c", data: refunded("r", "100", "0")},
			told{source: "shop", minute: 4, errorID: "d", data: refunded("s", "100", "0")}),
		net:     "40",
		changes: "-40",
		hold:    map[Account]string{Inventory: "0"},
	},
	{
		// c tells of the change; nothing taken off is left for s, which is a case of its own.
		name: "100 taken off, refunded in a case and then in none",
		said: oneOffAnd(told{minute: 4, errorID: "c", data: refunded("r", "100", "0")},
			told{minute: 5, data: refunded("s", "100", "0")}),
		net:     "100",
		changes: "-40",
		hold:    map[Account]string{GoodsOwed: "-60", Inventory: "0"},
	},
	{
		// s gives back what was taken off; c's 100 are in place of a piece that cost 60.
		name: "100 taken off, refunded in no case and then in one",
		said: oneOffAnd(told{minute: 4, data: refunded("s", "100", "0")},
			told{minute: 5, errorID: "c", data: refunded("r", "100", "0")}),
		net:     "40",
		changes: "-40",
		hold:    map[Account]string{Inventory: "0"},
	},
	{
		// Of the 200 that went back 100 were cash: r puts them on a card.
		name: "both taken off, paid in halves, refunded to a card and then in cash",
		said: []told{{data: halfCard}, {minute: 1, data: bothOff},
			{minute: 2, data: asCard}, {minute: 3, data: refunded("s", "100", "0")}},
		net:     "0",
		changes: "-80",
		hold:    map[Account]string{GiftCardLiability: "-100", Clearing: "100"},
	},
	{
		// The cash went back as cash by s, and r is what is on the card already.
		name: "both taken off, paid in halves, refunded in cash and then to a card",
		said: []told{{data: halfCard}, {minute: 1, data: bothOff},
			{minute: 2, data: refunded("s", "100", "0")}, {minute: 3, data: asCard}},
		net:     "0",
		changes: "-80",
		hold:    map[Account]string{Clearing: "0"},
	},
	{
		// x was opened before y: the piece is owed to it, and 100 reach its price. 100 − 60.
		name: "two disputes that are cases of their own, both of a missing item, the first one lost after the second began",
		said: []told{{data: sale}, {minute: 1, data: &DisputeOpened{DisputeID: "x", Amount: d("108")}},
			{minute: 2, data: &DisputeOpened{DisputeID: "y", Amount: d("108")}},
			{minute: 3, data: &DisputeLost{DisputeID: "x", Amount: d("108"), Tax: d("8")}},
			{minute: 4, errorID: "x", data: kindIs(KindMissingItem)}, {minute: 5, errorID: "y", data: kindIs(KindMissingItem)}},
		net:  "40",
		hold: map[Account]string{DisputeReceivable: "108"},
	},
}
