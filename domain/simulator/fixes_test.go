package simulator

import (
	"github.com/makegood/makegood/domain"
)

// takeFix checks an event of a case against those before it.
func (b *telling) takeFix(e *domain.Event) {
	switch d := e.Data.(type) {
	case *domain.ErrorClassified:
		if d.SameAs != "" && (b.cases[d.SameAs] == nil && d.SameAs == e.ErrorID) {
			b.Errorf("%s is the same as itself", b.name)
		}
	case *domain.RedeliveryDispatched:
		if b.trips[d.RedeliveryID]++; b.trips[d.RedeliveryID] != 1 {
			b.Errorf("%s: %s is out already", b.name, d.RedeliveryID)
		}
	case *domain.RedeliveryCompleted:
		if b.trips[d.RedeliveryID] != 1 {
			b.Errorf("%s: redelivery %s is not under way", b.name, d.RedeliveryID)
		}
		if !d.Succeeded {
			b.trips[d.RedeliveryID]--
		}
	case *domain.RefundIssued:
		b.refunded(e, d)
	case *domain.ConcessionGranted:
		b.vouchers[d.ConcessionID] = d.Amount
	case *domain.VoucherRedeemed:
		b.use(d.ConcessionID, d.RedemptionID, d.Amount)
	case *domain.VoucherExpired:
		b.use(d.ConcessionID, d.RedemptionID, d.Amount)
		if b.vouchers[d.ConcessionID] != 0 {
			b.Errorf("%s leaves %s of a voucher", b.name, b.vouchers[d.ConcessionID])
		}
	case *domain.DisputeOpened:
		b.disputes[d.DisputeID] = d.Amount
	case *domain.DisputeWon:
		if b.disputes[d.DisputeID] != d.Amount {
			b.Errorf("%s: dispute %s is not open", b.name, d.DisputeID)
		}
	case *domain.DisputeLost:
		if opened, is := b.disputes[d.DisputeID]; is && opened != d.Amount || d.Tax >= d.Amount {
			b.Errorf("%s: %s lost of %s, %s of it tax", b.name, d.Amount, opened, d.Tax)
		}
	default:
		b.takeClaim(e)
	}
}

// refunded: what goes back for what was taken off is no more than that, all else no more than was paid.
func (b *telling) refunded(e *domain.Event, d *domain.RefundIssued) {
	bill := b.orders[e.OrderID]
	if d.Net <= 0 || d.FeeReturned > bill.placed.PaymentFee {
		b.Errorf("%s: refund of %s, %s of the fee", b.name, d.Net, d.FeeReturned)
	}
	all := d.Net + d.Tax
	if d.Method == "store_credit" {
		b.vouchers[d.RefundID] = all
	}
	switch {
	case bill.off == 0, e.ErrorID != "" && bill.off+bill.repaid+all <= bill.paid:
		bill.repaid += all
	default:
		if bill.back += all; bill.back > bill.off {
			b.Errorf("%s gives back %s, and %s was taken off", b.name, bill.back, bill.off)
		}
	}
	if bill.off+bill.repaid > bill.paid {
		b.Errorf("%s: %s taken off and %s given back, of %s", b.name, bill.off, bill.repaid, bill.paid)
	}
}

func (b *telling) use(concession, redemption string, amount domain.Decimal) {
	if redemption != "" && b.redeemed[redemption] {
		return
	}
	b.redeemed[redemption] = true
	b.vouchers[concession] -= amount
	if amount <= 0 || b.vouchers[concession] < 0 {
		b.Errorf("%s takes %s, %s more than there is", b.name, amount, -b.vouchers[concession])
	}
}

func (b *telling) takeClaim(e *domain.Event) {
	of := func(id string) *claim {
		if b.claims[id] == nil {
			b.claims[id] = &claim{}
		}
		return b.claims[id]
	}
	switch d := e.Data.(type) {
	case *domain.ClaimFiled:
		of(d.ClaimID).filed = d.Amount
	case *domain.ClaimAccepted:
		c := of(d.ClaimID)
		if c.accepted = d.Amount; c.filed > 0 && c.filed < d.Amount {
			b.Errorf("%s accepts %s of %s", b.name, d.Amount, c.filed)
		}
	case *domain.ClaimSettled:
		c := of(d.ClaimID)
		if c.settled += d.Amount; c.settled > c.accepted {
			b.Errorf("%s: %s settled of %s", b.name, c.settled, c.accepted)
		}
	case *domain.ClaimClosed:
		c := of(d.ClaimID)
		paid := c.accepted > 0 && c.settled == c.accepted
		short := c.accepted > c.settled && c.settled > 0
		if d.Reason == "paid" && !paid || d.Reason == "short_paid" && !short ||
			(d.Reason == "refused" || d.Reason == "withdrawn") && (c.accepted > 0 || c.filed == 0) {
			b.Errorf("%s closes a claim as %s: %+v", b.name, d.Reason, *c)
		}
	}
}
