package domain

import (
	"cmp"
	"slices"
)

// This file says what is owed to which case, and what has met it. See domain/README.md, "Goods of a case".

// owing is a line of goods that is owed to the customer.
type owing struct {
	sku      string
	quantity Decimal // still on the order
	open     Decimal // of it, not yet out at what it costs
	unmet    Decimal // of it, not yet out at all
	cost     cost
	costed   bool
}

// met is what of the goods that a case was owed a dispatch has sent: it is there to be owed to another case, if that
// was reported later. The right article was sent out, and something else or nothing came.
type met struct {
	order    name
	sku      string
	quantity Decimal
	by       int32 // the dispatch
}

// takeTurns puts the cases in the order in which they are owed: that of their reports by time, wherever those stand in
// the log. What nobody reported comes after them, by its first fix.
func (v *view) takeTurns() {
	v.turns, v.met = v.turns[:0], v.met[:0]
	for n := range v.incidents {
		if c := &v.incidents[n]; c.root == int32(n) && (c.report != none || c.is || c.name == 0) {
			v.turns = append(v.turns, int32(n))
		}
	}
	if len(v.turns) < 2 {
		return
	}
	slices.SortStableFunc(v.turns, func(a, b int32) int {
		c, d := &v.incidents[a], &v.incidents[b]
		if (c.report == none) != (d.report == none) {
			return cmp.Compare(d.report, c.report)
		}
		i, j := v.openerOf(c), v.openerOf(d)
		switch {
		case i != none && j != none:
			return v.compareTimes(i, j)
		case i != j:
			return cmp.Compare(j, i)
		}
		return cmp.Compare(v.u.names.text(c.name), v.u.names.text(d.name))
	})
}

// openerOf is the report of a case, else its first fix by time; none where it has neither.
func (v *view) openerOf(c *incident) int32 {
	if c.report != none {
		return c.report
	}
	return c.first
}

// free is what of an article a case may still be owed: what is on the order, less what the cases before it are owed,
// and what met those before this one was reported.
func (v *view) free(n int32, a *article) Decimal {
	c := &v.incidents[n]
	opener := v.openerOf(c)
	free := a.owed
	for k := range v.met {
		m := &v.met[k]
		if m.order == c.order && m.sku == a.sku && (opener == none || v.compareTimes(m.by, opener) < 0) {
			free = plus(free, m.quantity)
		}
	}
	return max(free, 0)
}

// meets notes what is out of what a case is owed.
func (v *view) meets(g *goods, n int32, o *order) {
	if o == nil || o.sale == none || len(g.owings) == 0 {
		return
	}
	for k := range v.outs {
		t := &v.outs[k]
		if t.incident != n {
			continue
		}
		left := t.line.Quantity
		for w := range g.owings {
			owed := &g.owings[w]
			if q := min(left, owed.unmet); q > 0 && owed.sku == t.line.SKU {
				v.met = append(v.met, met{v.incidents[n].order, owed.sku, q, t.by})
				owed.unmet -= q
				left -= q
			}
		}
	}
}

// expects finds what the customer was to have, by the report, and is still on the order.
func (v *view) expects(g *goods, n int32, o *order, currency name) {
	c := &v.incidents[n]
	if c.report == none {
		return
	}
	d := v.u.statements[c.report].Data.(*ErrorReported)
	g.known = len(d.Lines) > 0
	for l := range d.Lines {
		e := &d.Lines[l]
		w := owing{sku: e.SKU, quantity: e.Quantity}
		if a := o.article(e.SKU); o != nil && o.sale != none {
			if a == nil {
				continue
			}
			w.quantity = min(w.quantity, v.free(n, a))
			a.owed -= w.quantity
		}
		if w.quantity <= 0 {
			continue
		}
		w.open, w.unmet = w.quantity, w.quantity
		w.cost, w.costed = v.soldGoodsCost(o, c.report, e.SKU, e.UnitCost, currency)
		if w.costed {
			g.owed.pieces(w.quantity, &w.cost)
		}
		g.owings = append(g.owings, w)
	}
}

// owesOnly counts as owed the order's line of goods, if only one is left: the report doesn't say, and nothing is out.
func (v *view) owesOnly(g *goods, n int32, o *order) {
	if o == nil || o.sale == none {
		return
	}
	var only *soldLine
	for k := range o.lines {
		if l := &o.lines[k]; l.left > 0 && kindOf(l.line) == LineGoods {
			if only != nil {
				return
			}
			only = l
		}
	}
	if only == nil {
		return
	}
	a := o.article(only.line.SKU)
	q := min(only.left, v.free(n, a))
	a.owed -= q
	if a.costed {
		g.owed.pieces(q, &a.cost)
	}
	g.owings = append(g.owings, owing{sku: a.sku, quantity: q, cost: a.cost, costed: a.costed})
}

// owesSent counts what is out as owed, as far as it is on the order, and reports whether anything is out. It is owed at
// what the order booked it at, as all that was sold.
func (v *view) owesSent(g *goods, n int32, o *order, currency name) bool {
	sent := false
	for k := range v.outs {
		t := &v.outs[k]
		if t.incident != n {
			continue
		}
		sent = true
		w := owing{sku: t.line.SKU, quantity: t.line.Quantity}
		if o != nil && o.sale != none {
			a := o.make(w.sku)
			w.quantity = min(w.quantity, v.free(n, a))
			a.owed -= w.quantity
		}
		if w.quantity == 0 {
			continue // it isn't on the order
		}
		w.open, w.unmet = w.quantity, w.quantity
		v.silently(func() { // where it has no cost, that is said when it is sent
			w.cost, w.costed = v.soldGoodsCost(o, t.by, w.sku, t.line.UnitCost, currency)
		})
		if w.costed {
			g.owed.pieces(w.quantity, &w.cost)
		}
		g.owings = append(g.owings, w)
	}
	return sent
}

// takesInternally counts what is owed where the failure was found before the goods left: no more than is out, and it
// takes of a line only what was sent.
func (v *view) takesInternally(g *goods, n int32, o *order) {
	if g.out.cmp(&g.owed) < 0 {
		g.owed = g.out
	}
	for w := range g.owings {
		owed := &g.owings[w]
		sent := Decimal(0)
		for k := range v.outs {
			if t := &v.outs[k]; t.incident == n && t.line.SKU == owed.sku {
				sent = plus(sent, t.line.Quantity)
			}
		}
		for before := range w { // lines of one article share what was sent of it
			if g.owings[before].sku == owed.sku {
				sent = max(sent-g.owings[before].quantity, 0)
			}
		}
		if a := o.article(owed.sku); a != nil {
			a.owed = plus(a.owed, max(owed.quantity-sent, 0))
		}
	}
	g.owings = nil
}
