package domain

// The codes of what can't be right. It is booked as far as it is known.
const (
	OverRefunded         = "over_refunded"
	PartUnknown          = "part_unknown"
	ReturnedTooMuch      = "returned_too_much"
	RemovedTooMuch       = "removed_too_much"
	RedeemedTooMuch      = "redeemed_too_much"
	RedeemedWithoutGrant = "redeemed_without_grant"
	SettledAboveFiled    = "settled_above_filed"
	SettledAboveAccepted = "settled_above_accepted"
	AcceptedAboveFiled   = "accepted_above_filed"
	CaseUnderTwoOrders   = "case_under_two_orders"
	OrderFromTwoStores   = "order_from_two_stores"
	FactVoidedAndSaid    = "fact_voided_and_said"
)

// FlagCode is a code with the sentence that explains it.
type FlagCode struct{ Code, Means string }

// FlagCodes lists every code of a Flag.
func FlagCodes() []FlagCode {
	return []FlagCode{
		{OverRefunded, "Refunds, lost disputes and what was taken off the order are together more than was paid for it."},
		{PartUnknown, "A part of the order was cancelled, and nothing says which lines: no goods come back into stock for it."},
		{ReturnedTooMuch, "More of an article came back than is on the order or was sent out again."},
		{RemovedTooMuch, "More was taken off a line of the order than is on it."},
		{RedeemedTooMuch, "More of a voucher or store credit was redeemed or lapsed than was granted."},
		{RedeemedWithoutGrant, "A voucher or store credit was redeemed or lapsed that nobody is known to have granted."},
		{SettledAboveFiled, "A claim was settled for more than was asked."},
		{SettledAboveAccepted, "A claim was settled for more than was accepted."},
		{AcceptedAboveFiled, "A claim was accepted for more than was asked."},
		{CaseUnderTwoOrders, "One case is named under two orders: what belongs to the second waits for a decision."},
		{OrderFromTwoStores, "Two stores placed one order: all that the second one's system sends for it waits for a decision."},
		{FactVoidedAndSaid, "One system took back what another one still says: what is still said counts until a person decides."},
	}
}
