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
		f.say(domain.TypeErrorRejected, &domain.ErrorRejected{Reason: "what was delivered is what was ordered"})
		return
	}
	switch f.kind {
	case "wrong_item":
		f.sendAgain()
		f.comesBack("wrong_item", f.received())
		f.sorryPerhaps(40)
	case "missing_item":
		if f.chance(70) {
			f.sendAgain()
		} else {
			f.refund(100)
		}
		f.sorryPerhaps(25)
	case "damaged", "defective":
		if f.chance(65) {
			f.sendAgain()
		} else {
			f.refund(100)
		}
		f.comesBack("sold", &f.world.items[f.item])
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
	case "not_as_described", "unspecified", "changed_mind":
		f.refund(100)
		f.comesBack("sold", &f.world.items[f.item])
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

// work is somebody's minutes.
func (f *fix) work(role, activity string) {
	f.later(time.Minute, 40*time.Minute)
	minutes := domain.Decimal(40+f.random.IntN(260)) * one / 10
	e := f.say(domain.TypeLabourSpent,
		&domain.LabourSpent{LabourID: f.part("l"), Role: role, Minutes: minutes, Activity: activity})
	f.miskeyedPerhaps(e)
}

// sendAgain sends the right goods, by one of our trucks, a carrier, or to be picked up; now and then the first trip
// fails.
func (f *fix) sendAgain() {
	f.later(10*time.Minute, 8*time.Hour)
	id := f.part("r")
	mode := oneOf(f.Simulation, "own_truck", "own_truck", "own_truck", "carrier", "carrier", "pickup")
	d := &domain.RedeliveryDispatched{RedeliveryID: id, Mode: mode, Lines: []domain.GoodsLine{f.goods()}}
	if mode == "carrier" {
		d.CarrierCharge = fromCents(650 + f.random.Int64N(2400))
	}
	minute := time.Unix(0, f.at-f.at%int64(time.Minute)).In(f.zone)
	d.Promise.Until = minute.Add(time.Duration(1+f.random.IntN(24)) * time.Hour)
	f.say(domain.TypeRedeliveryDispatched, d)
	for range 2 {
		f.later(40*time.Minute, 20*time.Hour)
		c := &domain.RedeliveryCompleted{RedeliveryID: id, Succeeded: !f.chance(8), Stops: 1}
		switch mode {
		case "own_truck":
			c.Vehicle = f.store.trucks[f.random.IntN(len(f.store.trucks))]
			c.DriveMinutes = domain.Decimal(10+f.random.IntN(60)) * one
			c.SiteMinutes = domain.Decimal(5+f.random.IntN(20)) * one
			c.WaitMinutes = domain.Decimal(f.random.IntN(10)) * one
			c.DistanceKM = domain.Decimal(30+f.random.IntN(500)) * one / 10
			c.Stops = int64(1 + f.random.IntN(3))
		case "carrier":
			if !c.Succeeded {
				c.CarrierCharge = fromCents(400 + f.random.Int64N(500)) // it went back to the depot
			}
		}
		f.say(domain.TypeRedeliveryCompleted, c)
		if c.Succeeded {
			break
		}
	}
}

// refund gives back a part of the line, with its tax.
func (f *fix) refund(percent int64) {
	f.later(time.Hour, 72*time.Hour)
	net, tax, _ := worth(f.line)
	d := &domain.RefundIssued{RefundID: f.part("f"), Net: share(net, percent), Tax: share(tax, percent),
		Method: oneOf(f.Simulation, "card", "account")}
	f.miskeyedPerhaps(f.say(domain.TypeRefundIssued, d))
}

// comesBack is goods on their way back, what they still are, and what the wreck brings.
func (f *fix) comesBack(was string, it *item) {
	f.later(12*time.Hour, 9*24*time.Hour)
	l := domain.ReturnLine{
		GoodsLine: domain.GoodsLine{SKU: it.sku, Quantity: f.wrongQuantity(), UnitCost: domain.Some(it.cost)},
		Was:       was, Grade: oneOf(f.Simulation, "saleable", "saleable", "saleable", "b_grade", "scrap", "abandoned"),
	}
	if f.kind == "damaged" || f.kind == "defective" {
		l.Grade = oneOf(f.Simulation, "b_grade", "scrap", "scrap", "abandoned")
	}
	cost := l.Quantity / one * it.cost
	if l.Grade == "b_grade" {
		l.NRV = domain.Some(share(cost, 30+f.random.Int64N(50)))
	}
	d := &domain.ReturnReceived{ReturnID: f.part("b"), Lines: []domain.ReturnLine{l}}
	if l.Grade != "abandoned" {
		d.InspectRole, d.InspectMinutes = roleInspector, domain.Decimal(3+f.random.IntN(12))*one
		if f.chance(60) {
			d.FreightCharge = fromCents(500 + f.random.Int64N(1500))
		}
	}
	f.say(domain.TypeReturnReceived, d)
	if l.Grade == "scrap" && f.chance(40) {
		f.later(24*time.Hour, 20*24*time.Hour)
		f.say(domain.TypeSalvageSold, &domain.SalvageSold{SalvageID: f.part("s"), Amount: share(cost, 5+f.random.Int64N(15))})
	}
}

// tooMany is goods that nobody ordered: lost, unless the customer sends them back.
func (f *fix) tooMany() {
	f.later(time.Hour, 24*time.Hour)
	f.say(domain.TypeGoodsScrapped,
		&domain.GoodsScrapped{Reason: "left with the customer", Lines: []domain.GoodsLine{f.goods()}})
	if f.chance(50) {
		f.comesBack("sold", &f.world.items[f.item])
	}
}

func (f *fix) sorryPerhaps(percent uint32) {
	if f.chance(percent) {
		f.sorry()
	}
}

// sorry is something on top. Four in five vouchers are used, the others run out.
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
	if !valued {
		return
	}
	if f.chance(80) {
		f.tellOf(f.order, f.at+f.between(24*time.Hour, 80*24*time.Hour), f.errorID, domain.TypeVoucherRedeemed,
			&domain.VoucherRedeemed{ConcessionID: d.ConcessionID, Amount: d.Amount})
		return
	}
	// What is released is the liability that was booked: the part that was expected to be used.
	f.tellOf(f.order, d.Expires.UnixNano(), f.errorID, domain.TypeVoucherExpired,
		&domain.VoucherExpired{ConcessionID: d.ConcessionID, Amount: share(d.Amount, 80)})
}

// penaltyPerhaps is a marketplace fining its seller.
func (f *fix) penaltyPerhaps() {
	if f.placed.Channel == "marketplace" && f.chance(60) {
		f.later(24*time.Hour, 6*24*time.Hour)
		f.say(domain.TypeMarketplaceCharged,
			&domain.MarketplaceCharged{ChargeID: f.part("m"), Amount: fromCents(300 + f.random.Int64N(1700))})
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

// claim is accepted, and mostly settled weeks later.
func (f *fix) claim(party, id string, amount domain.Decimal) {
	f.later(24*time.Hour, 12*24*time.Hour)
	claim := f.part("k")
	f.say(domain.TypeClaimAccepted, &domain.ClaimAccepted{ClaimID: claim, Party: party, PartyID: id, Amount: amount})
	if f.chance(80) {
		f.tellOf(f.order, f.at+f.between(5*24*time.Hour, 45*24*time.Hour), f.errorID, domain.TypeClaimSettled,
			&domain.ClaimSettled{ClaimID: claim, Party: party, PartyID: id, Amount: amount})
	}
}

// disputed is the customer's bank taking the money back, for now or for good.
func (f *fix) disputed() {
	f.later(3*24*time.Hour, 20*24*time.Hour)
	net, tax, _ := worth(f.line)
	id := f.part("d")
	f.say(domain.TypeDisputeOpened, &domain.DisputeOpened{DisputeID: id, Amount: net + tax, Fee: 15 * one})
	f.work(roleAgent, "evidence for the bank")
	f.later(10*24*time.Hour, 40*24*time.Hour)
	if f.chance(35) {
		f.say(domain.TypeDisputeWon, &domain.DisputeWon{DisputeID: id, Amount: net + tax})
	} else {
		f.say(domain.TypeDisputeLost, &domain.DisputeLost{DisputeID: id, Amount: net + tax})
	}
}

func (f *fix) miskeyedPerhaps(e *domain.Event) {
	if f.chance(1) {
		f.keyedTwice(f.order, e)
	}
}
