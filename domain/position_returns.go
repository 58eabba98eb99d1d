package domain

// This file counts what came by mistake and what came back, strayed or sold. See domain/README.md, "Goods of a case".

// received counts what came by mistake, less what a line added to the order takes of it: the customer keeps that, and
// pays.
func (v *view) received(g *goods, c *incident, o *order, currency name) {
	if c.report == none {
		return
	}
	d := v.u.statements[c.report].Data.(*ErrorReported)
	for l := range d.Lines {
		e := &d.Lines[l]
		sku, quantity, unit, came := e.strayed(c.facts.Kind)
		if !came {
			continue
		}
		x := g.stray(sku)
		if x == nil {
			g.strays = append(g.strays, stray{sku: sku})
			x = &g.strays[len(g.strays)-1]
		}
		x.came = plus(x.came, e.cameInAll())
		if unit.Set && quantity > 0 && !v.isForeign(c.report, currency) {
			x.cost.pieces(quantity, &cost{unit: unit.Value})
			x.stated = plus(x.stated, quantity)
		}
		if a := o.article(sku); a != nil && a.added > 0 {
			kept := min(quantity, a.added)
			a.added -= kept
			quantity -= kept
		}
		if quantity <= 0 {
			continue
		}
		x.mistake = plus(x.mistake, quantity)
		if k, ok := v.strayCost(g, o, c.report, sku, unit); ok {
			g.strayed.pieces(quantity, &k)
		}
	}
}

// strayed is what came of a line by mistake. Where a line says that something else came and not how many, as many
// came as were expected. Of an over-shipment with the sku that was expected it is what is above the expected
// quantity, or the quantity that it says, where that isn't more.
func (e *ErrorLine) strayed(kind string) (sku string, quantity Decimal, unit Optional, came bool) {
	over := kind == KindOverShipped
	if e.ReceivedSKU == "" && !e.ReceivedQuantity.Set && !e.ReceivedUnitCost.Set && !over {
		return "", 0, Optional{}, false
	}
	sku, unit = e.ReceivedSKU, e.ReceivedUnitCost
	if sku == "" && over {
		sku = e.SKU
	}
	quantity = e.cameInAll()
	if sku == e.SKU && !unit.Set {
		unit = e.UnitCost
	}
	if sku == e.SKU && over && quantity > e.Quantity {
		quantity -= e.Quantity
	}
	return sku, quantity, unit, true
}

// cameInAll is how many pieces came of a line: as many as were expected, where it doesn't say.
func (e *ErrorLine) cameInAll() Decimal {
	if e.ReceivedQuantity.Set {
		return e.ReceivedQuantity.Value
	}
	return e.Quantity
}

// returned counts what came back in a case, strayed or sold.
func (v *view) returned(g *goods, i, n int32, d *ReturnReceived) {
	c := &v.incidents[n]
	o := v.orderOf(c.order)
	strays := c.strays()
	for l := range d.Lines {
		r := &d.Lines[l]
		sold := r.Quantity
		if strays && c.facts.Kind == KindOverShipped {
			sold = v.overShippedBack(g, i, r, o)
		} else if strays && v.isStray(c, o, r) {
			v.strayedBack(g, i, r, r.Quantity, o)
			continue
		}
		if sold > 0 {
			v.soldBack(g, i, r, sold, o, g.currency)
		}
	}
}

// isStray reports whether a returned line of a wrong item is one of what came by mistake.
func (v *view) isStray(c *incident, o *order, r *ReturnLine) bool {
	if r.Was == WasWrongItem {
		return true
	}
	if a := o.article(r.SKU); a != nil && a.left > 0 || c.report == none {
		return false
	}
	d := v.u.statements[c.report].Data.(*ErrorReported)
	for l := range d.Lines {
		if d.Lines[l].ReceivedSKU == r.SKU && r.SKU != "" {
			return true
		}
	}
	return false
}

// strayedBack counts so many pieces of a line that strayed.
func (v *view) strayedBack(g *goods, i int32, r *ReturnLine, quantity Decimal, o *order) {
	if quantity == 0 {
		return
	}
	if c, ok := v.strayCost(g, o, i, r.SKU, r.UnitCost); ok {
		var all sum
		all.pieces(quantity, &c)
		g.strayedCost.plus(&all)
		worth := r.worth(&all, quantity)
		g.strayedWorth.plus(&worth)
	}
}

// overShippedBack counts of a line what strayed: pieces of its sku, up to those that came by mistake and haven't come
// back; where the line says that it was sent by mistake, up to all that came. It says how many of its pieces were sold.
func (v *view) overShippedBack(g *goods, i int32, r *ReturnLine, o *order) Decimal {
	x := g.stray(r.SKU)
	if x == nil {
		return r.Quantity
	}
	open := x.mistake
	if r.Was == WasWrongItem {
		open = x.came
	}
	strayed := min(r.Quantity, max(open-x.back, 0))
	x.back += strayed
	v.strayedBack(g, i, r, strayed, o)
	return r.Quantity - strayed
}

// soldBack counts a line of sold goods, as far as they are still on the order or out on a redelivery.
func (v *view) soldBack(g *goods, i int32, r *ReturnLine, quantity Decimal, o *order, currency name) {
	if o != nil && o.sale != none {
		a := o.make(r.SKU)
		if a.gone < quantity {
			v.flag(ReturnedTooMuch, i, v.u.names.text(v.caseName(v.stances[i].incident)), 0, 0)
		}
		a.gone = max(a.gone-quantity, 0)
		quantity = min(quantity, a.back)
		a.back -= quantity
	}
	if quantity == 0 || r.Grade != GradeSaleable && r.Grade != GradeB {
		return // it brings nothing back into stock
	}
	if r.Grade == GradeB && v.isForeign(i, currency) {
		v.unpriced(i, ItemCost, r.SKU)
		return
	}
	if c, ok := v.soldGoodsCost(o, i, r.SKU, r.UnitCost, currency); ok {
		var all sum
		all.pieces(quantity, &c)
		worth := r.worth(&all, quantity)
		g.soldWorth.plus(&worth)
	}
}

func (v *view) isForeign(i int32, currency name) bool {
	s := &v.u.statements[i]
	return s.currency != 0 && currency != 0 && s.currency != currency
}

// worth is what so many pieces of a returned line are worth that cost so much.
func (r *ReturnLine) worth(cost *sum, quantity Decimal) sum {
	switch r.Grade {
	case GradeSaleable:
		return *cost
	case GradeB:
		var nrv sum
		nrv.add(r.NRV.Value)
		nrv = part(nrv, quantity, r.Quantity)
		if nrv.cmp(cost) < 0 {
			return nrv
		}
		return *cost
	}
	return sum{}
}
