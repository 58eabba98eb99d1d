package domain

// This file posts what an event of a fix costs by itself: labour, trips, freight, scrap, money paid. Which of them a
// kind of event posts stands with the kind. See domain/README.md, "By event".

// byEvent posts what a statement posts whatever the others say.
func (v *view) byEvent(i int32) {
	if d, is := v.u.statements[i].Data.(poster); is {
		d.post(v, i)
	}
}

// qualityAccount is what money for doing it right the first time is posted to.
func qualityAccount(d *QualitySpent) Account {
	if d.Category == CategoryAppraisal {
		return Appraisal
	}
	return Prevention
}

// owed posts a cost that somebody will bill.
func (v *view) owed(i int32, a Account, element Element, d Decimal) {
	if d != 0 {
		v.move(v.ofCase(Fix, i), a, element, AccruedCosts, v.money(d))
	}
}

// paid posts an amount that is net of the statement's tax, and was paid.
func (v *view) paid(i int32, a Account, element Element, d Decimal) {
	to := v.ofCase(Fix, i)
	net, tax := v.money(d), v.money(v.stances[i].tax)
	v.post(to, a, element, net)
	v.post(to, Tax, NoElement, tax)
	v.post(to, Clearing, NoElement, -net-tax)
}

// scrapped posts stock lost to a failure.
func (v *view) scrapped(i int32, d *GoodsScrapped) {
	var all sum
	for n := range d.Lines {
		l := &d.Lines[n]
		if l.Quantity == 0 {
			continue
		}
		if c, ok := v.costOf(i, l.SKU, l.UnitCost, v.u.statements[i].currency); ok {
			all.pieces(l.Quantity, &c)
		}
	}
	v.move(v.ofCase(Fix, i), WriteDown, WriteDownElement, Inventory, v.round(&all))
}

// truck posts our own vehicle's trip: ((drive+site+wait)/60 × fleet_hour + km × fleet_km) / stops. It is our own
// where minutes or kilometres are given; a carrier's trip has a charge instead.
func (v *view) truck(i int32, d *RedeliveryCompleted) {
	currency := v.u.statements[i].Currency
	minutes := d.DriveMinutes + d.SiteMinutes + d.WaitMinutes
	var sixtyTimes sum
	if minutes != 0 {
		hour, ok := v.rate(i, FleetHour, d.Vehicle, currency)
		if !ok {
			return
		}
		sixtyTimes.product(minutes, hour)
	}
	if d.DistanceKM != 0 {
		km, ok := v.rate(i, FleetKM, d.Vehicle, currency)
		if !ok {
			return
		}
		sixtyTimes.scaled(d.DistanceKM, km, 60)
	}
	v.absorb(i, TruckRoll, Fleet, AbsorbedFleet, &sixtyTimes, 60*max(d.Stops, 1))
}

// labour posts minutes/60 × labour_hour(role).
func (v *view) labour(i int32, role string, minutes Decimal) {
	if minutes == 0 {
		return
	}
	hour, ok := v.rate(i, LabourHour, role, v.u.statements[i].Currency)
	if !ok {
		return
	}
	var sixtyTimes sum
	sixtyTimes.product(minutes, hour)
	v.absorb(i, RecoveryLabour, Labour, AbsorbedLabour, &sixtyTimes, 60)
}

// absorb posts a cost that the general ledger has already, in its wages or its fleet.
func (v *view) absorb(i int32, a Account, element Element, absorbed Account, amount *sum, divisor int64) {
	rounded, err := amount.round(divisor)
	if err != nil {
		v.fail(err)
		return
	}
	v.move(v.ofCase(Fix, i), a, element, absorbed, rounded)
}
