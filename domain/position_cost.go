package domain

// This file finds what goods cost, and what is left of them on an order. See domain/README.md, "Cost".

// article is what an order has of a sku, in all its lines of goods.
type article struct {
	sku  string
	left Decimal // on the order now, components of kits among it
	// What cases may still take of it: owed to the customer, received back, kept by the customer and paid.
	owed, back, added Decimal
	gone              Decimal // sold or sent out again, and not come back

	cost   cost // mean of what its lines were booked at
	costed bool
	total  sum
	pieces Decimal // of the lines that were booked at a cost

	price sum // net, of so many sold
	sold  Decimal

	vendor  string
	vendors int
}

// rate finds a rate in force for a statement, and notes where there is none.
func (v *view) rate(i int32, rate, key, currency string) (Decimal, bool) {
	s := &v.u.statements[i]
	v.u.rated[s.given] = true
	at := s.rates
	if v.repricing != nil && v.repricing.epoch > s.epoch {
		at = v.repricing.at
	}
	value, ok := v.u.terms.Rates.At(rate, key, currency, s.Time, at)
	if !ok {
		v.unpriced(i, rate, key)
	}
	return value, ok
}

// unpriced notes that something of a statement has no price.
func (v *view) unpriced(i int32, rate, key string) {
	if v.final && !v.silent {
		e := &v.settled.Events[v.u.statements[i].given]
		e.Unpriced = append(e.Unpriced, rate+":"+key)
	}
}

// flag notes that something of a statement can't be right.
func (v *view) flag(code string, i int32, incident string, currency name, amount Amount) {
	if v.final && !v.silent {
		s := &v.u.statements[i]
		v.settled.Flags = append(v.settled.Flags, Flag{Code: code, Event: Identity{s.Source, s.ID}, Case: incident,
			Currency: v.u.names.text(currency), Amount: amount})
	}
}

// costOf is the cost of a piece that a statement speaks of: its own, else the rate. It is in the currency of the
// goods, or there is none.
func (v *view) costOf(i int32, sku string, unit Optional, goods name) (cost, bool) {
	said := v.stances[i].currency
	if said != 0 && goods != 0 && said != goods {
		v.unpriced(i, ItemCost, sku)
		return cost{}, false
	}
	if unit.Set {
		return cost{unit: unit.Value}, true
	}
	value, ok := v.rate(i, ItemCost, sku, v.u.names.text(max(goods, said)))
	return cost{unit: value}, ok
}

// stock counts what an order has of each sku.
func (v *view) stock(o *order) {
	v.silent = true // lines without a cost were noted when they were booked
	for n := range o.lines {
		l := &o.lines[n]
		if kindOf(l.line) != LineGoods {
			continue
		}
		a := o.make(l.line.SKU)
		a.left = plus(a.left, l.left)
		if l.added {
			a.added = plus(a.added, l.left)
		}
		net := netOf(l.line)
		a.price.plus(&net)
		a.sold = plus(a.sold, l.line.Quantity)
		a.gone = plus(a.gone, l.line.Quantity)
		if l.line.VendorID != "" && l.line.VendorID != a.vendor {
			a.vendor = l.line.VendorID
			a.vendors++
		}
		if c, ok := v.soldCost(l.by, l.line); ok {
			a.isBookedAt(&c, l.line.Quantity)
		}
		for _, k := range l.line.Components {
			part := o.make(k.SKU)
			part.left = plus(part.left, times(l.left, k.Quantity))
			part.gone = plus(part.gone, times(l.line.Quantity, k.Quantity))
		}
	}
	v.silent = false
	for n := range o.articles {
		a := &o.articles[n]
		a.owed, a.back = a.left, a.left
	}
}

// isBookedAt adds to the mean of what an article costs.
func (a *article) isBookedAt(c *cost, quantity Decimal) {
	if !a.costed {
		a.cost = *c
	}
	a.total.pieces(quantity, c)
	a.pieces = plus(a.pieces, quantity)
	if a.costed && (a.cost.mean != nil || a.cost.unit != c.unit) {
		a.cost = meanOf(&a.total, a.pieces)
	}
	a.costed = true
}

func (o *order) make(sku string) *article {
	if a := o.article(sku); a != nil {
		return a
	}
	o.articles = append(o.articles, article{sku: sku})
	if n := len(o.articles); n > fewNames {
		if o.bySKU == nil {
			o.bySKU = make(map[string]int32, 2*n)
		}
		if len(o.bySKU) == 0 {
			for i := range o.articles {
				o.bySKU[o.articles[i].sku] = int32(i)
			}
		}
		o.bySKU[sku] = int32(n - 1)
	}
	return &o.articles[len(o.articles)-1]
}

// article finds a sku on an order; nil where it never was.
func (o *order) article(sku string) *article {
	if o == nil {
		return nil
	}
	if len(o.articles) > fewNames {
		if n, is := o.bySKU[sku]; is {
			return &o.articles[n]
		}
		return nil
	}
	for n := range o.articles {
		if o.articles[n].sku == sku {
			return &o.articles[n]
		}
	}
	return nil
}

// strayCost is what goods cost that came by mistake: as the statement says, else as the report says of the article,
// else as the order booked it, else the rate.
func (v *view) strayCost(g *goods, o *order, i int32, sku string, unit Optional) (cost, bool) {
	if !unit.Set && !v.isForeign(i, g.currency) {
		if x := g.stray(sku); x != nil && x.stated > 0 {
			return meanOf(&x.cost, x.stated), true
		}
		if a := o.article(sku); a != nil && a.costed {
			return a.cost, true
		}
	}
	return v.costOf(i, sku, unit, g.currency)
}

// soldGoodsCost is what sold goods cost: as their order booked them, else as costOf says.
func (v *view) soldGoodsCost(o *order, i int32, sku string, unit Optional, goods name) (cost, bool) {
	if a := o.article(sku); a != nil && a.costed {
		return a.cost, true
	}
	return v.costOf(i, sku, unit, goods)
}

// plus adds quantities; what is beyond all numbers stays there.
func plus(a, b Decimal) Decimal {
	sum := a + b
	if a > 0 && b > 0 && sum < 0 {
		return 1<<63 - 1
	}
	return sum
}

// times multiplies quantities, in millionths; what is beyond all numbers stays there.
func times(a, b Decimal) Decimal {
	var e exact
	e.product(a, b)
	if e.over || e.high != 0 || e.low/one > 1<<63-1 {
		return 1<<63 - 1
	}
	return Decimal(e.low / one)
}
