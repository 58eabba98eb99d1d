package wire

import (
	"time"

	"github.com/makegood/makegood/domain"
)

// The stream redeliveries, as in the contract's §3.

var _ = event(object(
	orderID[domain.RedeliveryDispatched](optional),
	storeID[domain.RedeliveryDispatched](optional),
	errorID[domain.RedeliveryDispatched](required),
	id("redelivery_id", required, func(r *domain.RedeliveryDispatched) *string { return &r.RedeliveryID }),
	word("mode", required, domain.Modes(), func(r *domain.RedeliveryDispatched) *string { return &r.Mode }),
	currency[domain.RedeliveryDispatched](required),
	list("lines", required, goodsLine,
		func(r *domain.RedeliveryDispatched) *[]domain.GoodsLine { return &r.Lines },
		func(s *store) *[]domain.GoodsLine { return &s.goodsLines }),
	amount("carrier_charge", optional, func(r *domain.RedeliveryDispatched) *domain.Decimal { return &r.CarrierCharge }),
	nested("promise", optional, promise, func(r *domain.RedeliveryDispatched) *domain.Promise { return &r.Promise }),
).checked(caseBound[domain.RedeliveryDispatched], ofStore))

var _ = event(object(
	orderID[domain.RedeliveryCompleted](optional),
	storeID[domain.RedeliveryCompleted](optional),
	errorID[domain.RedeliveryCompleted](required),
	id("redelivery_id", required, func(r *domain.RedeliveryCompleted) *string { return &r.RedeliveryID }),
	id("trip_id", optional, func(r *domain.RedeliveryCompleted) *string { return &r.TripID }),
	flag("succeeded", func(r *domain.RedeliveryCompleted) *bool { return &r.Succeeded }),
	currency[domain.RedeliveryCompleted](required),
	id("vehicle", optional, func(r *domain.RedeliveryCompleted) *string { return &r.Vehicle }),
	amount("drive_minutes", optional, func(r *domain.RedeliveryCompleted) *domain.Decimal { return &r.DriveMinutes }),
	amount("site_minutes", optional, func(r *domain.RedeliveryCompleted) *domain.Decimal { return &r.SiteMinutes }),
	amount("wait_minutes", optional, func(r *domain.RedeliveryCompleted) *domain.Decimal { return &r.WaitMinutes }),
	amount("distance_km", optional, func(r *domain.RedeliveryCompleted) *domain.Decimal { return &r.DistanceKM }),
	stops,
	amount("carrier_charge", optional, func(r *domain.RedeliveryCompleted) *domain.Decimal { return &r.CarrierCharge }).
		described("What was not charged at dispatch."),
).checked(func(d *Decoder, r *domain.RedeliveryCompleted) {
	r.Stops = max(r.Stops, oneStop)
	d.checkCase()
}, ofStore))

// oneStop is what a trip has where it isn't said: it was made for this case alone.
const oneStop = 1

var stops = field[domain.RedeliveryCompleted]{
	name: "stops", schema: JSON{"description": "How many share the trip. Default 1.",
		"anyOf": wholeFrom(oneStop, "^[0-9]*[1-9][0-9]*$")["anyOf"]},
	read: func(d *Decoder, r *domain.RedeliveryCompleted) uint64 {
		if r.Stops = d.whole(oneStop, maxWhole); r.Stops == oneStop {
			return 0
		}
		return hashNumber(domain.Decimal(r.Stops) * millionths)
	},
	write: func(b []byte, _ *domain.Event, r *domain.RedeliveryCompleted) []byte {
		if r.Stops <= oneStop {
			return b
		}
		return (domain.Decimal(r.Stops) * millionths).Append(b)
	},
}

var _ = event(object(
	orderID[domain.LabourSpent](optional),
	storeID[domain.LabourSpent](optional),
	errorID[domain.LabourSpent](required),
	id("labour_id", required, func(l *domain.LabourSpent) *string { return &l.LabourID }),
	id("role", required, func(l *domain.LabourSpent) *string { return &l.Role }),
	amount("minutes", required, func(l *domain.LabourSpent) *domain.Decimal { return &l.Minutes }),
	text("activity", optional, func(l *domain.LabourSpent) *string { return &l.Activity }),
	currency[domain.LabourSpent](required),
).checked(caseBound[domain.LabourSpent], ofStore))

var _ = event(object(
	orderID[domain.RefundIssued](optional),
	storeID[domain.RefundIssued](optional),
	errorID[domain.RefundIssued](optional),
	id("refund_id", required, func(r *domain.RefundIssued) *string { return &r.RefundID }),
	currency[domain.RefundIssued](required),
	amount("net", required, func(r *domain.RefundIssued) *domain.Decimal { return &r.Net }),
	amount("tax", optional, func(r *domain.RefundIssued) *domain.Decimal { return &r.Tax }),
	text("method", optional, func(r *domain.RefundIssued) *string { return &r.Method }).
		described("Any word; gift_card and store_credit have a meaning."),
	amount("fee_returned", optional, func(r *domain.RefundIssued) *domain.Decimal { return &r.FeeReturned }).
		described("The part of the payment fee that the processor gives back."),
	perhaps("replaces_goods", func(r *domain.RefundIssued) *bool { return &r.ReplacesGoods }).
		described("The customer gets the money in place of goods that are still owed."),
).checked(caseBound[domain.RefundIssued], ofOrderOrCase))

var _ = event(object(
	orderID[domain.ConcessionGranted](optional),
	storeID[domain.ConcessionGranted](optional),
	errorID[domain.ConcessionGranted](required),
	id("concession_id", required, func(c *domain.ConcessionGranted) *string { return &c.ConcessionID }),
	word("kind", required, domain.ConcessionKinds(), func(c *domain.ConcessionGranted) *string { return &c.Kind }),
	currency[domain.ConcessionGranted](required),
	amount("amount", required, func(c *domain.ConcessionGranted) *domain.Decimal { return &c.Amount }).described("Net."),
	amount("tax", optional, func(c *domain.ConcessionGranted) *domain.Decimal { return &c.Tax }),
	moment("expires", optional, timesOrDates, func(c *domain.ConcessionGranted) *time.Time { return &c.Expires }),
).checked(caseBound[domain.ConcessionGranted], ofStore))

var _ = event(money("concession_id",
	func(v *domain.VoucherRedeemed) *string { return &v.ConcessionID },
	func(v *domain.VoucherRedeemed) *domain.Decimal { return &v.Amount },
	id("redemption_id", optional, func(v *domain.VoucherRedeemed) *string { return &v.RedemptionID })))

var _ = event(money("concession_id",
	func(v *domain.VoucherExpired) *string { return &v.ConcessionID },
	func(v *domain.VoucherExpired) *domain.Decimal { return &v.Amount },
	id("redemption_id", optional, func(v *domain.VoucherExpired) *string { return &v.RedemptionID })))

var returnLine = object(
	id("sku", required, func(l *domain.ReturnLine) *string { return &l.SKU }),
	amount("quantity", required, func(l *domain.ReturnLine) *domain.Decimal { return &l.Quantity }),
	maybe("unit_cost", unitDecimals, func(l *domain.ReturnLine) *domain.Optional { return &l.UnitCost }),
	word("was", required, domain.ReturnedAs(), func(l *domain.ReturnLine) *string { return &l.Was }),
	word("grade", required, domain.Grades(), func(l *domain.ReturnLine) *string { return &l.Grade }),
	maybe("nrv", amountDecimals, func(l *domain.ReturnLine) *domain.Optional { return &l.NRV }).
		described("What the whole line still brings."),
).checked(func(d *Decoder, l *domain.ReturnLine) {
	if l.Grade == domain.GradeB && !l.NRV.Set {
		d.failAt("nrv", CodeRequired, "nrv is required: what is a %s is worth what it still brings", domain.GradeB)
	}
}, when(is("grade", domain.GradeB), said("nrv")))

var _ = event(object(
	orderID[domain.ReturnReceived](optional),
	storeID[domain.ReturnReceived](optional),
	errorID[domain.ReturnReceived](required),
	id("return_id", required, func(r *domain.ReturnReceived) *string { return &r.ReturnID }),
	currency[domain.ReturnReceived](required),
	list("lines", required, returnLine,
		func(r *domain.ReturnReceived) *[]domain.ReturnLine { return &r.Lines },
		func(s *store) *[]domain.ReturnLine { return &s.returnLines }),
	amount("freight_charge", optional, func(r *domain.ReturnReceived) *domain.Decimal { return &r.FreightCharge }),
	amount("inspect_minutes", optional, func(r *domain.ReturnReceived) *domain.Decimal { return &r.InspectMinutes }),
	id("inspect_role", optional, func(r *domain.ReturnReceived) *string { return &r.InspectRole }),
).checked(caseBound[domain.ReturnReceived], ofStore))

var _ = event(money("salvage_id",
	func(v *domain.SalvageSold) *string { return &v.SalvageID },
	func(v *domain.SalvageSold) *domain.Decimal { return &v.Amount }))

var _ = event(moneyOfOrder("dispute_id",
	func(v *domain.DisputeOpened) *string { return &v.DisputeID },
	func(v *domain.DisputeOpened) *domain.Decimal { return &v.Amount },
	amount("fee", optional, func(v *domain.DisputeOpened) *domain.Decimal { return &v.Fee })))

var _ = event(moneyOfOrder("dispute_id",
	func(v *domain.DisputeWon) *string { return &v.DisputeID },
	func(v *domain.DisputeWon) *domain.Decimal { return &v.Amount },
	amount("fee_returned", optional, func(v *domain.DisputeWon) *domain.Decimal { return &v.FeeReturned }).
		described("Of the dispute's fee.")))

var _ = event(moneyOfOrder("dispute_id",
	func(v *domain.DisputeLost) *string { return &v.DisputeID },
	func(v *domain.DisputeLost) *domain.Decimal { return &v.Amount },
	amount("tax", optional, func(v *domain.DisputeLost) *domain.Decimal { return &v.Tax }).
		described("The part of the amount that is sales tax."),
).checked(func(d *Decoder, v *domain.DisputeLost) {
	d.checkCase()
	if v.Tax > v.Amount {
		d.failAt("tax", CodeOutOfRange, "%s is more than the amount of %s that it is part of", v.Tax, v.Amount)
	}
}))

var _ = event(money("charge_id",
	func(v *domain.MarketplaceCharged) *string { return &v.ChargeID },
	func(v *domain.MarketplaceCharged) *domain.Decimal { return &v.Amount },
	amount("tax", optional, func(v *domain.MarketplaceCharged) *domain.Decimal { return &v.Tax }).
		described("Beside the amount, which is net.")))

var _ = event(money("claim_id",
	func(v *domain.ClaimFiled) *string { return &v.ClaimID },
	func(v *domain.ClaimFiled) *domain.Decimal { return &v.Amount },
	word("party", required, domain.Claimants(), func(v *domain.ClaimFiled) *string { return &v.Party }),
	id("party_id", optional, func(v *domain.ClaimFiled) *string { return &v.PartyID }),
	list("lines", optional, goodsLine,
		func(v *domain.ClaimFiled) *[]domain.GoodsLine { return &v.Lines },
		func(s *store) *[]domain.GoodsLine { return &s.goodsLines })))

var _ = event(money("claim_id",
	func(v *domain.ClaimAccepted) *string { return &v.ClaimID },
	func(v *domain.ClaimAccepted) *domain.Decimal { return &v.Amount },
	word("party", required, domain.Claimants(), func(v *domain.ClaimAccepted) *string { return &v.Party }),
	id("party_id", optional, func(v *domain.ClaimAccepted) *string { return &v.PartyID })))

var _ = event(money("claim_id",
	func(v *domain.ClaimSettled) *string { return &v.ClaimID },
	func(v *domain.ClaimSettled) *domain.Decimal { return &v.Amount },
	word("party", required, domain.Claimants(), func(v *domain.ClaimSettled) *string { return &v.Party }),
	id("party_id", optional, func(v *domain.ClaimSettled) *string { return &v.PartyID }),
	id("payment_id", optional, func(v *domain.ClaimSettled) *string { return &v.PaymentID })))

var _ = event(object(
	orderID[domain.ClaimClosed](optional),
	storeID[domain.ClaimClosed](optional),
	errorID[domain.ClaimClosed](required),
	id("claim_id", required, func(c *domain.ClaimClosed) *string { return &c.ClaimID }),
	word("reason", required, domain.ClaimEnds(), func(c *domain.ClaimClosed) *string { return &c.Reason }),
).checked(caseBound[domain.ClaimClosed], ofStore))

// money is an event that says of one thing of a case (a voucher, a claim…) what it brought or cost.
func money[T any](thing string, idAt func(*T) *string, amountAt func(*T) *domain.Decimal, more ...field[T]) *shape[T] {
	return moneyOf(required, thing, idAt, amountAt, more).checked(caseBound[T], ofStore)
}

// moneyOfOrder is money of an order, of which the sender need not know the case.
func moneyOfOrder[T any](
	thing string, idAt func(*T) *string, amountAt func(*T) *domain.Decimal, more ...field[T],
) *shape[T] {
	return moneyOf(optional, thing, idAt, amountAt, more).checked(caseBound[T], ofOrderOrCase)
}

func moneyOf[T any](
	ofCase need, thing string, idAt func(*T) *string, amountAt func(*T) *domain.Decimal, more []field[T],
) *shape[T] {
	return object(append([]field[T]{
		orderID[T](optional),
		storeID[T](optional),
		errorID[T](ofCase),
		id(thing, required, idAt),
		currency[T](required),
		amount("amount", required, amountAt),
	}, more...)...)
}
