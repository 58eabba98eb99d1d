package simulator

import (
	"strconv"
	"time"

	"github.com/makegood/makegood/domain"
)

// Goods that go out again, and goods that come back.

// sendAgain sends the right goods, by one of our trucks, a carrier, or to be picked up. Now and then a trip fails: then
// the goods come back to the house and go out once more.
func (f *fix) sendAgain() {
	f.later(10*time.Minute, 8*time.Hour)
	id := f.part("r")
	mode := oneOf(f.Simulation, "own_truck", "own_truck", "own_truck", "carrier", "carrier", "pickup")
	minute := time.Unix(0, f.at-f.at%int64(time.Minute)).In(f.zone)
	promise := domain.Promise{Until: minute.Add(time.Duration(1+f.random.IntN(24)) * time.Hour)}
	const trips = 3
	for trip := 1; trip <= trips; trip++ {
		d := &domain.RedeliveryDispatched{
			RedeliveryID: id, Mode: mode, Lines: []domain.GoodsLine{f.goods()}, Promise: promise,
		}
		if mode == "carrier" {
			d.CarrierCharge = fromCents(650 + f.random.Int64N(2400))
		}
		f.say(domain.TypeRedeliveryDispatched, d)
		f.later(40*time.Minute, 20*time.Hour)
		c := f.trip(id, mode)
		c.Succeeded = trip == trips || !f.chance(8)
		if trip > 1 || f.chance(50) {
			c.TripID = id + "-" + strconv.Itoa(trip)
		}
		if mode == "carrier" && !c.Succeeded {
			c.CarrierCharge = fromCents(400 + f.random.Int64N(500)) // it went back to the depot
		}
		f.say(domain.TypeRedeliveryCompleted, c)
		if c.Succeeded {
			return
		}
		f.later(2*time.Hour, 20*time.Hour)
	}
}

// trip is what a way to the customer took, where it is our own truck's.
func (f *fix) trip(id, mode string) *domain.RedeliveryCompleted {
	c := &domain.RedeliveryCompleted{RedeliveryID: id, Stops: 1}
	if mode == "own_truck" {
		c.Vehicle = f.store.trucks[f.random.IntN(len(f.store.trucks))]
		c.DriveMinutes = domain.Decimal(10+f.random.IntN(60)) * one
		c.SiteMinutes = domain.Decimal(5+f.random.IntN(20)) * one
		c.WaitMinutes = domain.Decimal(f.random.IntN(10)) * one
		c.DistanceKM = domain.Decimal(30+f.random.IntN(500)) * one / 10
		c.Stops = int64(1 + f.random.IntN(3))
	}
	return c
}

// comesBack is goods on their way back, what they still are, and what the wreck brings.
func (f *fix) comesBack(was string, it *item) {
	f.later(12*time.Hour, 9*24*time.Hour)
	grade := oneOf(f.Simulation, "saleable", "saleable", "saleable", "b_grade", "scrap", "abandoned")
	if f.kind == "damaged" || f.kind == "defective" {
		grade = oneOf(f.Simulation, "b_grade", "scrap", "scrap", "abandoned")
	}
	f.returned(f.returnLine(was, grade, it, f.wrongQuantity()))
	if grade == "scrap" && f.chance(40) {
		f.later(24*time.Hour, 20*24*time.Hour)
		cost := f.wrongQuantity() / one * it.cost
		sold := &domain.SalvageSold{SalvageID: f.part("s"), Amount: share(cost, 5+f.random.Int64N(15))}
		f.say(domain.TypeSalvageSold, sold)
	}
}

func (f *fix) returnLine(was, grade string, it *item, quantity domain.Decimal) domain.ReturnLine {
	l := domain.ReturnLine{
		GoodsLine: domain.GoodsLine{SKU: it.sku, Quantity: quantity, UnitCost: domain.Some(it.cost)}, Was: was, Grade: grade,
	}
	if grade == "b_grade" {
		l.NRV = domain.Some(share(quantity/one*it.cost, 30+f.random.Int64N(50)))
	}
	return l
}

// returned tells a return. What the customer keeps is abandoned: nobody carries it, nobody looks at it.
func (f *fix) returned(l domain.ReturnLine) {
	d := &domain.ReturnReceived{ReturnID: f.part("b"), Lines: []domain.ReturnLine{l}}
	if l.Grade != "abandoned" {
		d.InspectRole, d.InspectMinutes = roleInspector, domain.Decimal(3+f.random.IntN(12))*one
		if f.chance(60) {
			d.FreightCharge = fromCents(500 + f.random.Int64N(1500))
		}
	}
	f.say(domain.TypeReturnReceived, d)
}
