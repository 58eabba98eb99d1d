package domain

// The codes of what can't be right. It is booked as far as it is known.
const (
	OverRefunded         = "over_refunded"
	PartUnknown          = "part_unknown"
	ReturnedTooMuch      = "returned_too_much"
	RemovedTooMuch       = "removed_too_much"
	RedeemedTooMuch      = "redeemed_too_much"
	SettledAboveFiled    = "settled_above_filed"
	SettledAboveAccepted = "settled_above_accepted"
	CaseUnderTwoOrders   = "case_under_two_orders"
	OtherCurrency        = "other_currency"
	PaidByHand           = "paid_by_hand"
)

// FlagCode is a code with the sentence that explains it.
type FlagCode struct{ Code, Means string }

// FlagCodes lists every code of a Flag.
func FlagCodes() []FlagCode {
	return []FlagCode{
		{OverRefunded, "Refunds, lost disputes and what was taken off the order are together more than was paid for it."},
		{
			PartUnknown,
			"A part of the order was cancelled, and nothing says which lines: no goods come back into stock for it.",
		},
		{ReturnedTooMuch, "More of an article came back than is on the order or was sent out again."},
		{RemovedTooMuch, "More was taken off a line of the order than is on it."},
		{RedeemedTooMuch, "More of a voucher or store credit was redeemed or lapsed than was granted."},
		{SettledAboveFiled, "A claim was settled for more than was asked."},
		{SettledAboveAccepted, "A claim was settled for more than was accepted."},
		{CaseUnderTwoOrders, "One case is named under two orders: what belongs to the second waits for a decision."},
		{OtherCurrency, "An order was changed or cancelled in another currency than its own: that waits for a decision."},
		{PaidByHand, "No payment service made this refund: somebody has to see that it was paid, and decide that it counts."},
	}
}
