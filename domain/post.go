package domain

// Line is one line of a journal entry: debit positive, credit negative.
type Line struct {
	Account Account
	Element Element
	Basis   Basis
	Amount  Amount

	Step     Step
	Case     string // empty where the amount is of no case
	Currency string
	Store    string
}

// Entry is what one event posts. Σ Amount of its lines is zero. It is reused from event to event.
type Entry struct {
	Lines []Line
	// Unpriced names each rate that was missing: its line isn't there, and a rebuild posts it once the rate is.
	Unpriced []string
	// Rated reports whether a rate was asked for, there or missing: what asks for none posts the same with any rates.
	Rated bool

	draft []draftLine
}

// Balanced reports whether the lines sum to zero.
func (n *Entry) Balanced() bool {
	var sum Amount
	for i := range n.Lines {
		sum += n.Lines[i].Amount
	}
	return sum == 0
}

// Post writes the journal entry of e into n, by the table of the contract's §4. at is where the log holds e: of the
// rates, only those recorded by then count. A void posts the negation of its original as that would be booked at the
// void's own position; where the original is in the books, Negate its lines instead.
func Post(e *Event, rates *Rates, at Position, n *Entry) error {
	n.Lines, n.Unpriced, n.Rated, n.draft = n.Lines[:0], n.Unpriced[:0], false, n.draft[:0]
	if v, ok := e.Data.(*EventVoided); ok {
		if err := Post(v.Original, rates, at, n); err != nil {
			return err
		}
		Negate(n.Lines)
		return nil
	}
	p := posting{Entry: n, event: e, rates: rates, at: at}
	if d, is := e.Data.(*OrderPlaced); is {
		return p.placed(d)
	}
	p.table()
	if err := n.close(); err != nil {
		return err
	}
	for i := range n.Lines {
		l := &n.Lines[i]
		l.Step, l.Case, l.Currency, l.Store = stepOf(e), e.ErrorID, e.Currency, e.StoreID
	}
	return nil
}

// Negate turns every debit into the same credit and back.
func Negate(lines []Line) {
	for i := range lines {
		lines[i].Amount = -lines[i].Amount
	}
}

// table is the posting table of the contract, in its order and its words: debits, then credits.
func (p *posting) table() {
	switch d := p.event.Data.(type) {
	case *OrderCancelled:
		refund, goods := NoElement, NoElement
		if d.By == "business" {
			refund, goods = Refund, Goods
		}
		p.debit(Sales, refund, Cash, of(d.Net.Value))
		p.debit(Tax, NoElement, Cash, of(d.Tax.Value))
		p.debit(Inventory, NoElement, Accrued, of(d.Cost.Value))
		p.credit(CostOfGoods, goods, Accrued, of(d.Cost.Value))
		p.balance(Clearing, Cash)

	case *ErrorReported:
		if d.Kind != "wrong_item" && d.Kind != "missing_item" {
			return
		}
		expected, received := p.mistake(d)
		p.debit(Inventory, NoElement, Accrued, expected)
		p.credit(ReplacementGoods, Goods, Accrued, expected)
		p.credit(Inventory, NoElement, Accrued, received)
		p.balance(ReturnAsset, Accrued)

	case *GoodsScrapped:
		cost := p.goods(d.Lines)
		p.debit(WriteDown, WriteDownElement, Accrued, cost)
		p.credit(Inventory, NoElement, Accrued, cost)

	case *RedeliveryDispatched:
		cost := p.goods(d.Lines)
		p.debit(ReplacementGoods, Goods, Accrued, cost)
		p.credit(Inventory, NoElement, Accrued, cost)
		p.owed(RedeliveryFreight, FreightOut, d.CarrierCharge)

	case *RedeliveryCompleted:
		p.truck(d)
		p.owed(RedeliveryFreight, FreightOut, d.CarrierCharge)

	case *LabourSpent:
		p.labour(d.Role, d.Minutes)

	case *RefundIssued:
		p.debit(Returns, Refund, Cash, of(d.Net))
		p.debit(Tax, NoElement, Cash, of(d.Tax))
		p.balance(Clearing, Cash)

	case *ConcessionGranted:
		switch d.Kind {
		case "voucher", "store_credit":
			worth := p.voucher(d)
			p.debit(Goodwill, Concession, Accrued, worth)
			p.credit(VoucherLiability, NoElement, Accrued, worth)
		default:
			p.debit(Allowances, Concession, Cash, of(d.Amount))
			p.debit(Tax, NoElement, Cash, of(d.Tax))
			p.balance(Clearing, Cash)
		}

	case *VoucherRedeemed:
		p.move(VoucherLiability, NoElement, Clearing, NoElement, Cash, d.Amount)
	case *VoucherExpired:
		p.move(VoucherLiability, NoElement, Goodwill, Concession, Accrued, d.Amount)

	case *ReturnReceived:
		p.returned(d)
		p.owed(ReturnFreight, FreightReturn, d.FreightCharge)
		p.labour(d.InspectRole, d.InspectMinutes)

	case *SalvageSold:
		p.move(Clearing, NoElement, Salvage, SalvageElement, Cash, d.Amount)

	case *DisputeOpened:
		p.debit(DisputeReceivable, NoElement, Cash, of(d.Amount))
		p.debit(DisputeFees, Dispute, Cash, of(d.Fee))
		p.balance(Clearing, Cash)
	case *DisputeWon:
		p.move(Clearing, NoElement, DisputeReceivable, NoElement, Cash, d.Amount)
	case *DisputeLost:
		p.move(DisputeLosses, Dispute, DisputeReceivable, NoElement, Accrued, d.Amount)

	case *MarketplaceCharged:
		p.move(MarketplaceCharge, Marketplace, Clearing, NoElement, Cash, d.Amount)

	case *ClaimAccepted:
		p.move(ClaimsReceivable, NoElement, Recoveries, Recovery, Accrued, d.Amount)
	case *ClaimSettled:
		p.move(Clearing, NoElement, ClaimsReceivable, NoElement, Cash, d.Amount)

	case *QualitySpent:
		account := Prevention
		if d.Category == "appraisal" {
			account = Appraisal
		}
		p.owed(account, NoElement, d.Amount)
	}
}

// returned posts the lines of a return. What was delivered wrongly leaves the return asset, as stock, as stock at its
// lower value (IAS 2), or as a write-down; what was sold comes back into stock against the goods that replaced it.
func (p *posting) returned(d *ReturnReceived) {
	var stock, writtenDown, asset, resold exact
	for i := range d.Lines {
		l := &d.Lines[i]
		wrong := l.Was == "wrong_item"
		if !wrong && (l.Grade == "scrap" || l.Grade == "abandoned") {
			continue // nothing comes back into stock, and it never stood in the return asset
		}
		if !wrong && l.Grade == "b_grade" {
			stock.add(l.NRV.Value)
			resold.add(l.NRV.Value)
			continue
		}
		var cost exact
		if !p.cost(&cost, l.SKU, l.Quantity, l.UnitCost) {
			continue
		}
		switch {
		case !wrong:
			stock.plus(&cost)
			resold.plus(&cost)
			continue
		case l.Grade == "saleable":
			stock.plus(&cost)
		case l.Grade == "b_grade":
			stock.add(l.NRV.Value)
			writtenDown.plus(&cost)
			writtenDown.subtract(l.NRV.Value)
		default:
			writtenDown.plus(&cost)
		}
		asset.plus(&cost)
	}
	p.debit(Inventory, NoElement, Accrued, &stock)
	p.debit(WriteDown, WriteDownElement, Accrued, &writtenDown)
	p.credit(ReplacementGoods, Goods, Accrued, &resold)
	if !asset.isZero() {
		p.balance(ReturnAsset, Accrued)
	}
}

// truck posts our own vehicle's trip: ((drive+site+wait)/60 × fleet_hour + km × fleet_km) / stops. It is our own where
// minutes or kilometres are given; a carrier's trip has a charge instead.
func (p *posting) truck(d *RedeliveryCompleted) {
	minutes := d.DriveMinutes + d.SiteMinutes + d.WaitMinutes
	var sixtyTimes exact
	if minutes != 0 {
		hour, ok := p.rate(FleetHour, d.Vehicle)
		if !ok {
			return
		}
		sixtyTimes.product(minutes, hour)
	}
	if d.DistanceKM != 0 {
		km, ok := p.rate(FleetKM, d.Vehicle)
		if !ok {
			return
		}
		sixtyTimes.scaled(d.DistanceKM, km, 60)
	}
	p.absorb(TruckRoll, Fleet, AbsorbedFleet, &sixtyTimes, 60*max(d.Stops, 1))
}

// labour posts minutes/60 × labour_hour(role).
func (p *posting) labour(role string, minutes Decimal) {
	if minutes == 0 {
		return
	}
	hour, ok := p.rate(LabourHour, role)
	if !ok {
		return
	}
	var sixtyTimes exact
	sixtyTimes.product(minutes, hour)
	p.absorb(RecoveryLabour, Labour, AbsorbedLabour, &sixtyTimes, 60)
}

// mistake sums up what was expected and what was received wrongly. Where a line says that something else came and not
// how many, as many came as were expected.
func (p *posting) mistake(d *ErrorReported) (expected, received *exact) {
	expected, received = new(exact), new(exact)
	for i := range d.Lines {
		l := &d.Lines[i]
		p.cost(expected, l.SKU, l.Quantity, l.UnitCost)
		if l.ReceivedSKU == "" && !l.ReceivedQuantity.Set && !l.ReceivedUnitCost.Set {
			continue
		}
		quantity := l.Quantity
		if l.ReceivedQuantity.Set {
			quantity = l.ReceivedQuantity.Value
		}
		p.cost(received, l.ReceivedSKU, quantity, l.ReceivedUnitCost)
	}
	return expected, received
}

func (p *posting) goods(lines []GoodsLine) *exact {
	cost := new(exact)
	for i := range lines {
		p.cost(cost, lines[i].SKU, lines[i].Quantity, lines[i].UnitCost)
	}
	return cost
}

// voucher is what a voucher will cost in the end: the part of it that is redeemed.
func (p *posting) voucher(d *ConcessionGranted) *exact {
	worth := new(exact)
	if d.Amount == 0 {
		return worth
	}
	if fraction, ok := p.rate(VoucherRedemption, d.Kind); ok {
		worth.product(d.Amount, fraction)
	}
	return worth
}

// cost adds quantity × unit cost to sum, or the sku's rate where the line has no cost; false where there is neither.
func (p *posting) cost(sum *exact, sku string, quantity Decimal, unit Optional) bool {
	if quantity == 0 {
		return true
	}
	cost := unit.Value
	if !unit.Set {
		var ok bool
		if cost, ok = p.rate(ItemCost, sku); !ok {
			return false
		}
	}
	sum.product(quantity, cost)
	return true
}

// rate finds a rate in force for the event, and notes where there is none.
func (p *posting) rate(name, key string) (Decimal, bool) {
	p.Rated = true
	v, ok := p.rates.At(name, key, p.event.Currency, p.event.Time, p.at)
	if !ok {
		p.Unpriced = append(p.Unpriced, name+":"+key)
	}
	return v, ok
}
