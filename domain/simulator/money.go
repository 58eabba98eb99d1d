package simulator

import (
	"strconv"
	"time"

	"github.com/makegood/makegood/domain"
)

// Money that goes back, what is given on top, and what others pay.

// refund gives back a part of what is wrong, with its tax.
func (f *fix) refund(percent int64) {
	f.later(time.Hour, 72*time.Hour)
	d := f.refundOf(percent)
	if percent == 100 && f.chance(10) {
		d.Method = "store_credit"
	} else if d.Method == "card" && f.placed.PaymentFee > 0 && f.chance(20) {
		d.FeeReturned = portion(f.placed.PaymentFee, d.Net+d.Tax, max(f.sold.total(), d.Net+d.Tax))
	}
	f.giveBack(d)
}

// refundOf is a refund of so much of what the goods that are wrong were sold for.
func (f *fix) refundOf(percent int64) *domain.RefundIssued {
	net, tax, _ := worth(f.line)
	if wrong := f.wrongQuantity(); wrong != f.line.Quantity { // up to the next cent: the rest of the line pays for it
		net = fromCents(1) + portion(net-1, wrong, f.line.Quantity)
		tax = portion(tax, wrong, f.line.Quantity)
	}
	return &domain.RefundIssued{
		RefundID: f.part("f"), Net: share(net, percent), Tax: share(tax, percent),
		Method: oneOf(f.Simulation, "card", "account"),
	}
}

// giveBack tells a refund: some tills don't say for what case, some refunds are told by the payment system too, and a
// few of those not alike.
func (f *fix) giveBack(d *domain.RefundIssued) {
	errorID := f.errorID
	if f.alone && !f.sold.changed && f.chance(5) {
		errorID = ""
	}
	e := f.tellOf(f.order, f.at, errorID, domain.TypeRefundIssued, d)
	switch n := f.random.Uint32N(100); {
	case n < 12:
		f.refundTwice(e, d)
	case n < 14 && d.Method != "store_credit": // or more of it would be used than there is
		f.refundContradicted(f.sold, e, d)
	case n < 15:
		f.keyedTwice(f.order, e)
	}
	if d.Method == "store_credit" {
		f.used(d.RefundID, d.Net+d.Tax, time.Unix(0, f.at).In(f.zone).Truncate(time.Second).AddDate(0, 3, 0))
	}
}

func (f *fix) sorryPerhaps(percent uint32) {
	if f.chance(percent) {
		f.sorry()
	}
}

// sorry is something on top.
func (f *fix) sorry() {
	f.later(5*time.Minute, 24*time.Hour)
	d := &domain.ConcessionGranted{
		ConcessionID: f.part("c"), Amount: fromCents(500 * (1 + f.random.Int64N(5))),
		Kind: oneOf(f.Simulation, "discount", "price_reduction", "cash", "fee_waiver", "voucher", "voucher", "voucher",
			"store_credit"),
	}
	valued := d.Kind == "voucher" || d.Kind == "store_credit"
	if valued {
		d.Expires = time.Unix(0, f.at).In(f.zone).Truncate(time.Second).AddDate(0, 3, 0)
	} else if d.Kind != "cash" {
		d.Tax = share(d.Amount, taxPercent)
	}
	f.miskeyedPerhaps(f.say(domain.TypeConcessionGranted, d))
	if valued {
		f.used(d.ConcessionID, d.Amount, d.Expires)
	}
}

// used is what becomes of a voucher or a store credit: four in five are used, some of them bit by bit; what is left on
// the last day lapses. Newer tills number the redemptions, and some of those tell one twice.
func (f *fix) used(concession string, amount domain.Decimal, expires time.Time) {
	numbered := f.chance(80)
	left, at := amount, f.at
	for n := 1; left > 0 && n <= 3 && f.chance(85); n++ {
		at += f.between(24*time.Hour, 26*24*time.Hour)
		part := left
		if f.chance(25) {
			part = portion(left, domain.Decimal(1+f.random.IntN(9))*one, 10*one)
		}
		if part == 0 || at >= expires.UnixNano() {
			break
		}
		left -= part
		d := &domain.VoucherRedeemed{ConcessionID: concession, Amount: part}
		if numbered {
			d.RedemptionID = concession + "-u" + strconv.Itoa(n)
		}
		e := f.tellOf(f.order, at, f.errorID, domain.TypeVoucherRedeemed, d)
		if numbered && f.chance(3) {
			f.toldAgain(e, f.world.shop, f.between(time.Second, time.Minute), d)
		}
	}
	if left > 0 {
		d := &domain.VoucherExpired{ConcessionID: concession, Amount: left}
		if numbered {
			d.RedemptionID = concession + "-x"
		}
		f.tellOf(f.order, expires.UnixNano(), f.errorID, domain.TypeVoucherExpired, d)
	}
}

// recover asks those whose fault it was to pay.
func (f *fix) recover() {
	cost := f.wrongQuantity() / one * f.line.UnitCost.Value
	switch f.cause {
	case supplier:
		if f.chance(60) {
			f.claim("supplier", f.line.VendorID, share(cost, 50+f.random.Int64N(51)))
		}
	case carriage:
		switch n := f.random.Uint32N(10); {
		case n < 4:
			f.claim("carrier", f.carrier.id, share(cost, 30+f.random.Int64N(71)))
		case n == 4:
			f.claim("insurer", "", share(cost, 80))
		}
	}
	if f.placed.Channel == "marketplace" && f.chance(10) {
		f.claim("marketplace", "", share(cost, 20))
	}
}

// claim is mostly filed, then accepted for no more than that, or refused, and settled weeks later: in full, in two
// parts, or short. Some are closed, and of some nothing more is heard.
func (f *fix) claim(party, id string, amount domain.Decimal) {
	f.later(24*time.Hour, 12*24*time.Hour)
	claim := f.part("k")
	closed := func(at int64, reason string) {
		f.tellOf(f.order, at, f.errorID, domain.TypeClaimClosed, &domain.ClaimClosed{ClaimID: claim, Reason: reason})
	}
	if f.chance(60) {
		d := &domain.ClaimFiled{ClaimID: claim, Party: party, PartyID: id, Amount: amount}
		if f.line != nil && f.chance(50) {
			d.Lines = []domain.GoodsLine{f.goods()}
		}
		f.say(domain.TypeClaimFiled, d)
		f.later(24*time.Hour, 12*24*time.Hour)
		switch n := f.random.Uint32N(100); {
		case n < 10:
			closed(f.at, "refused")
			return
		case n < 14:
			closed(f.at, "withdrawn")
			return
		case n < 30:
			amount = share(amount, 60+f.random.Int64N(40)) // they accept less
		}
	}
	f.say(domain.TypeClaimAccepted, &domain.ClaimAccepted{ClaimID: claim, Party: party, PartyID: id, Amount: amount})
	at := f.at + f.between(5*24*time.Hour, 30*24*time.Hour)
	settled := func(part domain.Decimal, payment string) {
		d := &domain.ClaimSettled{ClaimID: claim, Party: party, PartyID: id, Amount: part}
		if payment != "" {
			d.PaymentID = claim + payment
		}
		f.tellOf(f.order, at, f.errorID, domain.TypeClaimSettled, d)
		at += f.between(24*time.Hour, 15*24*time.Hour)
	}
	switch n := f.random.Uint32N(100); {
	case n < 45:
		settled(amount, "")
	case n < 60:
		settled(amount, "-p1")
		closed(at, "paid")
	case n < 68:
		settled(share(amount, 40), "-p1")
		settled(amount-share(amount, 40), "-p2")
	case n < 82:
		settled(share(amount, 50+f.random.Int64N(40)), "-p1")
		closed(at, "short_paid")
	}
}

// disputed is the customer's bank taking the money back, for now or for good. Some are only told when they are lost,
// and now and then the bank changes its mind.
func (f *fix) disputed() {
	f.later(3*24*time.Hour, 20*24*time.Hour)
	net, tax, _ := worth(f.line)
	id := f.part("d")
	lost := &domain.DisputeLost{DisputeID: id, Amount: net + tax}
	if f.chance(60) {
		lost.Tax = tax
	}
	if f.chance(90) {
		f.say(domain.TypeDisputeOpened, &domain.DisputeOpened{DisputeID: id, Amount: net + tax, Fee: 15 * one})
	} else {
		f.say(domain.TypeDisputeLost, lost)
		return
	}
	f.work(roleAgent, "evidence for the bank")
	f.later(10*24*time.Hour, 40*24*time.Hour)
	won := &domain.DisputeWon{DisputeID: id, Amount: net + tax}
	if f.chance(60) {
		won.FeeReturned = 15 * one
	}
	switch n := f.random.Uint32N(100); {
	case n < 33:
		f.say(domain.TypeDisputeWon, won)
	case n < 36:
		f.say(domain.TypeDisputeLost, lost)
		f.later(10*24*time.Hour, 20*24*time.Hour)
		f.say(domain.TypeDisputeWon, won)
	default:
		e := f.say(domain.TypeDisputeLost, lost)
		if f.chance(8) { // the bank's own notice doesn't know of tax
			other := *lost
			other.Tax = 0
			f.toldAgain(e, f.world.payments, f.between(time.Minute, 12*time.Hour), &other)
		}
	}
}
