package domain

import "fmt"

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
	// Order is the order that the amount is of where that isn't the event's: of events that are settled together because
	// two orders name one case, one may change what another order's come to. Empty else.
	Order string
}

// Entry is what one event posts. Σ Amount of its lines is zero per currency. It is reused from event to event.
type Entry struct {
	Lines []Line
	// Unpriced names each rate that was missing, as rate:key: its line isn't there, and a rebuild posts it once the rate
	// is.
	Unpriced []string
	// Rated reports whether a rate was asked for, there or missing: what asks for none posts the same with any rates.
	Rated bool
}

// Balanced reports whether the lines, of one currency, sum to zero.
func (n *Entry) Balanced() bool {
	var sum Amount
	for i := range n.Lines {
		sum += n.Lines[i].Amount
	}
	return sum == 0
}

// Alone reports whether an event may be posted by itself, with Post, before anybody knows the other events of its
// unit: it posts nothing, or it posts the same as Settle makes of it alone. Whoever posts it so settles its unit
// where that has other events that aren't alone, or several of the same business fact.
func Alone(e *Event) bool {
	return e.ErrorID == "" && TypeOf(e.Data).Posts() != PostsSettled
}

// Post writes the entry of an event that posts alone into n, as Settle makes it, without what that takes. at is from
// where the event looks for its rates, see Terms.PricedFrom. Its error is ErrAmountOutOfRange, or says that the event
// doesn't post alone.
func Post(e *Event, rates *Rates, at Position, n *Entry) error {
	n.Lines, n.Unpriced, n.Rated = n.Lines[:0], n.Unpriced[:0], false
	if !Alone(e) {
		return fmt.Errorf("domain: %s is settled with its order, not posted alone", TypeOf(e.Data))
	}
	p := posting{Entry: n, event: e, rates: rates, at: at}
	switch d := e.Data.(type) {
	case *OrderPlaced:
		p.placed(d)
	case *QualitySpent:
		amount := p.decimal(d.Amount)
		p.put(Fix, qualityAccount(d), amount)
		p.put(Fix, AccruedCosts, -amount)
	}
	return p.err
}

// posting is one event on its way to its entry. err is the first error of its amounts.
type posting struct {
	*Entry
	event *Event
	rates *Rates
	at    Position
	err   error
}

// placed posts an order as Settle does, without what that takes.
func (p *posting) placed(d *OrderPlaced) {
	var b booking
	b.sales.add(d.DeliveryFee)
	b.tax.add(d.DeliveryTax)
	for i := range d.Lines {
		l := &d.Lines[i]
		l.addNet(&b.account(l).exact)
		b.tax.add(l.Tax)
		if kindOf(l) == LineGoods {
			p.cost(&b.cost.exact, l)
		}
	}
	var byCard exact
	for _, t := range d.Tenders {
		if t.Method == MethodGiftCard {
			byCard.add(t.Amount)
		}
	}
	sales, gift, tips, deposits := p.round(&b.sales), p.round(&b.gift), p.round(&b.tips), p.round(&b.deposits)
	tax, cost, card := p.round(&b.tax), p.round(&b.cost), p.round(&sum{exact: byCard})
	fee, delivery, commission := p.decimal(d.PaymentFee), p.decimal(d.DeliveryCost), p.decimal(d.Commission)
	total := sales + gift + tips + deposits + tax
	p.put(Perfect, Clearing, total-card-fee-commission)
	p.put(Perfect, Inventory, -cost)
	p.put(Perfect, Tax, -tax)
	p.put(Perfect, GiftCardLiability, card-gift)
	p.put(Perfect, TipsPayable, -tips)
	p.put(Perfect, Deposits, -deposits)
	p.put(Perfect, AccruedCosts, -delivery)
	p.put(Perfect, Sales, -sales)
	p.put(Perfect, CostOfGoods, cost)
	p.put(Perfect, PaymentFees, fee)
	p.put(Perfect, DeliveryCosts, delivery)
	p.put(Perfect, Commissions, commission)
	p.debitsFirst()
}

// cost adds what a line of goods cost.
func (p *posting) cost(sum *exact, l *OrderLine) {
	if l.Quantity == 0 {
		return
	}
	unit := l.UnitCost.Value
	if !l.UnitCost.Set {
		p.Rated = true
		var ok bool
		if unit, ok = p.rates.At(ItemCost, l.SKU, p.event.Currency, p.event.Time, p.at); !ok {
			p.Unpriced = append(p.Unpriced, ItemCost+":"+l.SKU)
			return
		}
	}
	sum.product(l.Quantity, unit)
}

// put adds a line.
func (p *posting) put(step Step, a Account, amount Amount) {
	if amount != 0 {
		p.Lines = append(p.Lines, Line{Account: a, Basis: basisOf(a), Amount: amount, Step: step,
			Currency: p.event.Currency, Store: p.event.StoreID})
	}
}

// debitsFirst moves the credits behind the debits and leaves both in their order.
func (p *posting) debitsFirst() {
	for i := 1; i < len(p.Lines); i++ {
		for j := i; j > 0 && p.Lines[j].Amount > 0 && p.Lines[j-1].Amount < 0; j-- {
			p.Lines[j], p.Lines[j-1] = p.Lines[j-1], p.Lines[j]
		}
	}
}

func (p *posting) round(s *sum) Amount {
	a, err := s.round(1)
	if err != nil && p.err == nil {
		p.err = err
	}
	return a
}

func (p *posting) decimal(d Decimal) Amount {
	var s sum
	s.add(d)
	return p.round(&s)
}
