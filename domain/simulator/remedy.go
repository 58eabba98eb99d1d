package simulator

import (
	"time"

	"github.com/makegood/makegood/domain"
)

// remedy makes the case good, by its kind.
func (f *fix) remedy() {
	f.work(roleAgent, "call with the customer")
	if f.cause != customer && f.chance(6) {
		f.later(time.Hour, 48*time.Hour)
		f.sold.failed = false
		f.say(domain.TypeErrorRejected, &domain.ErrorRejected{Reason: "what was delivered is what was ordered"})
		return
	}
	switch f.kind {
	case "wrong_item":
		f.wrongItem()
	case "missing_item":
		f.missingItem()
	case "damaged", "defective":
		if f.chance(65) {
			f.sendAgain()
		} else {
			f.refund(100)
		}
		f.comesBack("sold", f.bought())
		f.recover()
		f.sorryPerhaps(30)
	case "over_shipped":
		f.tooMany()
	case "late":
		f.sorryPerhaps(60)
		f.penaltyPerhaps()
		if f.cause == carriage {
			f.recover()
		}
	case "not_delivered":
		switch f.random.Uint32N(3) {
		case 0:
			f.disputed()
		case 1:
			f.refund(100)
		default:
			f.sendAgain()
		}
		f.recover()
	case "wrong_address":
		f.sendAgain()
	case "changed_mind":
		f.changedMind()
	case "not_as_described", "unspecified":
		f.refund(100)
		f.comesBack("sold", f.bought())
		if f.kind == "not_as_described" {
			f.penaltyPerhaps()
		}
	case "billing_error":
		f.work(rolePicker, "order checked against the invoice")
		f.refund(int64(5 + f.random.IntN(20)))
	case "credit_not_processed":
		f.disputed()
	case "document_error":
		f.work(roleAgent, "documents written again")
	case "service_conduct":
		f.work(roleSupervisor, "apology")
		f.sorry()
	}
}

// bought is the item of the line that is wrong.
func (f *fix) bought() *item { return &f.world.items[f.item] }

// wrongItem is mostly the right part sent and the wrong one taken back. Some want their money, and some keep what came.
func (f *fix) wrongItem() {
	switch n := f.random.Uint32N(100); {
	case n < 78:
		f.sendAgain()
		f.comesBack("wrong_item", f.received())
	case n < 90:
		f.refund(100)
		f.comesBack("wrong_item", f.received())
	default:
		f.keptInstead()
	}
	f.sorryPerhaps(40)
}

func (f *fix) missingItem() {
	switch n := f.random.Uint32N(100); {
	case n < 55:
		f.sendAgain()
	case n < 68: // something off, while the part is on its way
		f.refund(10)
		f.sendAgain()
	case n < 75: // less than its price, in place of the part
		f.later(time.Hour, 72*time.Hour)
		d := f.refundOf(80)
		d.ReplacesGoods = true
		f.giveBack(d)
	default:
		f.refund(100)
	}
	f.sorryPerhaps(25)
}

// changedMind is no failure: the part comes back for its money, or in exchange for another one.
func (f *fix) changedMind() {
	if f.line.Quantity != f.wrongQuantity() || f.chance(60) {
		f.refund(100)
		f.comesBack("sold", f.bought())
		return
	}
	f.later(time.Hour, 48*time.Hour)
	o := f.sold
	c := f.edit(o, "customer", "exchanged")
	l := domain.OrderLine{}
	other := f.random.IntN(len(f.world.items))
	f.goodsLine(&l, o.nextLineID(), other, f.line.Quantity/one)
	c.remove(f.Simulation, 0, f.line.Quantity)
	c.add(l)
	// The old part goes back by itself, and the new one is promised for another day.
	o.until = f.at
	f.movePromise(c, f.between(24*time.Hour, 72*time.Hour))
	f.tellEdit(c, f.at)
	d := &domain.OrderDelivered{Lines: []domain.DeliveredLine{{SKU: l.SKU, Quantity: l.Quantity}}}
	f.tellOf(o, o.until-f.between(time.Minute, 5*time.Hour), "", domain.TypeOrderDelivered, d)
	f.comesBack("sold", f.bought())
}

// keptInstead is the customer keeping the wrong part, and paying for it in place of the right one.
func (f *fix) keptInstead() {
	f.later(time.Hour, 48*time.Hour)
	o := f.sold
	c := f.edit(o, "customer", "keeps the other size")
	var l domain.OrderLine
	f.goodsLine(&l, o.nextLineID(), otherSize(f.item), f.wrongQuantity()/one)
	c.remove(f.Simulation, 0, f.wrongQuantity())
	c.add(l)
	f.tellEdit(c, f.at)
}

// tooMany is goods that nobody ordered. Some come back, some are kept and paid for, some aren't worth the way.
func (f *fix) tooMany() {
	f.later(time.Hour, 24*time.Hour)
	was := oneOf(f.Simulation, "wrong_item", "sold")
	switch n := f.random.Uint32N(100); {
	case n < 45:
		f.comesBack(was, f.bought())
	case n < 70:
		c := f.edit(f.sold, "customer", "keeps what came on top")
		var l domain.OrderLine
		f.goodsLine(&l, f.sold.nextLineID(), f.item, f.wrongQuantity()/one)
		c.add(l)
		f.tellEdit(c, f.at)
	case f.wrongQuantity() > one: // one back, the others stay
		f.returned(f.returnLine(was, "saleable", f.bought(), one))
		f.returned(f.returnLine(was, "abandoned", f.bought(), f.wrongQuantity()-one))
	default:
		f.returned(f.returnLine(was, "abandoned", f.bought(), f.wrongQuantity()))
	}
}

// work is somebody's minutes.
func (f *fix) work(role, activity string) {
	f.later(time.Minute, 40*time.Minute)
	minutes := domain.Decimal(40+f.random.IntN(260)) * one / 10
	d := &domain.LabourSpent{LabourID: f.part("l"), Role: role, Minutes: minutes, Activity: activity}
	f.miskeyedPerhaps(f.say(domain.TypeLabourSpent, d))
}

// penaltyPerhaps is a marketplace fining its seller.
func (f *fix) penaltyPerhaps() {
	if f.placed.Channel != "marketplace" || !f.chance(60) {
		return
	}
	f.later(24*time.Hour, 6*24*time.Hour)
	d := &domain.MarketplaceCharged{ChargeID: f.part("m"), Amount: fromCents(300 + f.random.Int64N(1700))}
	if f.chance(30) {
		d.Tax = share(d.Amount, taxPercent)
	}
	f.say(domain.TypeMarketplaceCharged, d)
}

func (f *fix) miskeyedPerhaps(e *domain.Event) {
	if f.chance(1) {
		f.keyedTwice(f.order, e)
	}
}
