package onlineretail

import "strings"

// sort of thing that a StockCode stands for. Most are goods; the rest is everything that the wholesaler's system could
// put on an invoice only by giving it a code.
type thing uint8

const (
	goods thing = iota
	delivery
	charge
	apart // no order and no failure: the category says what
)

// meaning is what a code is on a sale and on a cancellation.
func meaning(code string, cancelled bool) (thing, Category) {
	switch code {
	case "POST", "DOT", "C2":
		return delivery, DeliveryFees
	case "M", "m", "PADS":
		return charge, OtherCharges
	case "S":
		// Two were sold; the others went to prospects, and nobody had paid for them.
		if cancelled {
			return apart, Samples
		}
		return charge, OtherCharges
	case "BANK CHARGES":
		// On a sale the bank's charge is passed on to a customer, on a cancellation it is the wholesaler's own.
		if cancelled {
			return apart, BankCharges
		}
		return charge, OtherCharges
	case "D":
		return apart, Discounts
	case "AMAZONFEE":
		return apart, MarketplaceFees
	case "CRUK":
		return apart, CharityCommission
	case "B":
		return apart, BadDebt
	}
	if strings.HasPrefix(code, "gift_") {
		return apart, GiftVouchers
	}
	return goods, SoldGoods
}

// writeOff reads the clerk's words: the kind of the case and its root cause; unspecified where they don't say.
func writeOff(words string) (kind, cause string) {
	words = strings.ToLower(words)
	for _, say := range writeOffWords {
		for _, w := range say.words {
			if strings.Contains(words, w) {
				return say.kind, say.cause
			}
		}
	}
	return "unspecified", "unknown"
}

// The first group with a word in the text wins. Who broke it isn't said, so the cause of damage stays unknown; counts,
// codes and sets that were mixed up are the inventory's own.
var writeOffWords = []struct {
	kind, cause string
	words       []string
}{
	{"defective", "supplier_quality", []string{"faulty", "incorrectly made", "printing smudges"}},
	{"damaged", "unknown",
		[]string{"damage", "dagamed", "smash", "crush", "broken", "break", "crack", "wet", "water", "rust",
			"mould", "thrown away", "throw away", "unsaleable"}},
	{"unspecified", "inventory_accuracy",
		[]string{"missing", "lost", "can't find", "mia", "rcvd", "check", "count", "adjust",
			"sold", "wrong", "mix", "barcode", "code", "stock", "found", "label", "dotcom", "20713", "credit"}},
}
