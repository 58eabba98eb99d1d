package domain

// Alone reports whether an event may be posted by itself, with Post, before anybody knows the other events of its
// unit: it posts nothing, or it posts the same as Settle makes of it alone. Whoever posts it so leaves it to Settle
// to post it again where the unit has other events that aren't alone, or several of the same business fact.
func Alone(e *Event) bool {
	return e.ErrorID == "" && TypeOf(e.Data).Posts() != PostsSettled
}

// placed posts an order as Settle does, without what that takes.
func (p *posting) placed(d *OrderPlaced) error {
	var b booking
	b.sales.add(d.DeliveryFee)
	b.tax.add(d.DeliveryTax)
	for i := range d.Lines {
		l := &d.Lines[i]
		l.addNet(&b.account(l).exact)
		b.tax.add(l.Tax)
		if kindOf(l) == LineGoods {
			p.cost(&b.cost.exact, l.SKU, l.Quantity, l.UnitCost)
		}
	}
	var byCard exact
	for _, t := range d.Tenders {
		if t.Method == MethodGiftCard {
			byCard.add(t.Amount)
		}
	}
	r := rounder{}
	sales, gift, tips, deposits := r.round(&b.sales), r.round(&b.gift), r.round(&b.tips), r.round(&b.deposits)
	tax, cost, card := r.round(&b.tax), r.round(&b.cost), r.round(&sum{exact: byCard})
	fee, delivery, commission := r.decimal(d.PaymentFee), r.decimal(d.DeliveryCost), r.decimal(d.Commission)
	if r.err != nil {
		return r.err
	}
	total := sales + gift + tips + deposits + tax
	p.put(Clearing, total-card-fee-commission)
	p.put(Inventory, -cost)
	p.put(Tax, -tax)
	p.put(GiftCardLiability, card-gift)
	p.put(TipsPayable, -tips)
	p.put(Deposits, -deposits)
	p.put(AccruedCosts, -delivery)
	p.put(Sales, -sales)
	p.put(CostOfGoods, cost)
	p.put(PaymentFees, fee)
	p.put(DeliveryCosts, delivery)
	p.put(Commissions, commission)
	p.debitsFirst()
	return nil
}

// put adds a line of the perfect order.
func (p *posting) put(a Account, amount Amount) {
	if amount != 0 {
		p.Lines = append(
			p.Lines,
			Line{
				Account:  a,
				Basis:    basisOf(a),
				Amount:   amount,
				Step:     Perfect,
				Currency: p.event.Currency,
				Store:    p.event.StoreID,
			},
		)
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

// rounder rounds, and keeps the first error.
type rounder struct{ err error }

func (r *rounder) round(s *sum) Amount {
	a, err := s.round(1)
	if err != nil && r.err == nil {
		r.err = err
	}
	return a
}

func (r *rounder) decimal(d Decimal) Amount {
	var s sum
	s.add(d)
	return r.round(&s)
}
