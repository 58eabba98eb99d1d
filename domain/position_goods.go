package domain

import "slices"

// This file counts the goods of cases, by the letters of domain/README.md, "Goods of a case":
//
//	U  owed to the customer
//	S  strayed: received by mistake
//	D  out on redeliveries
//	c  cost, and v worth, of what came back, strayed or sold

// out is a line of goods that is out on a redelivery.
type out struct {
	by       int32
	incident int32
	line     *GoodsLine
}

// goods are the letters of a case.
type goods struct {
	owed, strayed, out, strayedCost, strayedWorth, soldWorth sum

	currency name

	owings []owing
	strays []stray
	known  bool // the report says what was expected
}

// stray is an article that came in a case, by how many pieces.
type stray struct {
	sku     string
	came    Decimal // in all
	mistake Decimal // of them by mistake, and not kept by the customer and paid
	back    Decimal // of them come back as strayed

	cost   sum     // of so many pieces that the report states a cost of
	stated Decimal // in the currency of the case's goods
}

// stray finds what came of an article; nil where the report says nothing of it.
func (g *goods) stray(sku string) *stray {
	for n := range g.strays {
		if g.strays[n].sku == sku {
			return &g.strays[n]
		}
	}
	return nil
}

// redeliver finds what is out: after a dispatch, until a trip failed. What is owed goes with the redeliveries that were
// dispatched first; each counts at its latest dispatch.
func (v *view) redeliver() {
	for _, thread := range v.threads {
		last := int32(none)
		for _, i := range thread {
			if _, is := v.u.statements[i].Data.(*RedeliveryDispatched); is && (last == none || v.compareTimes(i, last) > 0) {
				last = i
			}
		}
		if last == none {
			continue
		}
		back := false
		for _, i := range thread {
			d, is := v.u.statements[i].Data.(*RedeliveryCompleted)
			back = back || is && !d.Succeeded && v.compareTimes(i, last) > 0
		}
		if back {
			continue
		}
		d := v.u.statements[last].Data.(*RedeliveryDispatched)
		o := v.orderOf(v.stances[last].order)
		for n := range d.Lines {
			v.outs = append(v.outs, out{last, v.stances[last].incident, &d.Lines[n]})
			if o != nil {
				a := o.make(d.Lines[n].SKU)
				a.back = plus(a.back, d.Lines[n].Quantity)
				a.gone = plus(a.gone, d.Lines[n].Quantity)
			}
		}
	}
	slices.SortStableFunc(v.outs, func(a, b out) int { return v.compareTimes(a.by, b.by) })
}

// compareTimes compares when the facts of two statements that count happened.
func (v *view) compareTimes(i, j int32) int { return byTime(&v.u.statements[i], &v.u.statements[j]) }

// goodsOfCases posts the goods of every case. Cases of an order share what is on it, in turn; what came back takes of
// it by the time of the return, wherever a close put that in the log.
func (v *view) goodsOfCases() {
	v.goods = v.goods[:0]
	for range v.incidents {
		v.goods = append(v.goods, goods{})
	}
	v.takeTurns()
	for _, n := range v.turns {
		v.goodsOf(n)
	}
	for _, i := range v.u.byTime {
		d, is := v.u.statements[i].Data.(*ReturnReceived)
		if !is || int(i) >= v.n || v.stances[i].standing != Counts {
			continue
		}
		if n := v.stances[i].incident; n != none {
			v.returned(&v.goods[n], i, n, d)
		}
	}
	for n := range v.incidents {
		if v.incidents[n].root == int32(n) {
			v.postGoods(&v.goods[n], int32(n))
		}
	}
}

// strays reports whether goods that came by mistake are counted in a case.
func (c *incident) strays() bool {
	return c.founded() && c.name != 0 && !c.facts.Internal &&
		(c.facts.Kind == KindWrongItem || c.facts.Kind == KindOverShipped)
}

// goodsOf counts what is owed, out and strayed in a case.
func (v *view) goodsOf(n int32) {
	c, g := &v.incidents[n], &v.goods[n]
	o := v.orderOf(c.order)
	g.currency = v.goodsCurrency(n, o)
	owes := c.founded() && c.name != 0 && (c.facts.Kind == KindWrongItem || c.facts.Kind == KindMissingItem)
	internal := c.founded() && c.facts.Internal
	sent := false
	if internal || owes {
		v.expects(g, n, o, g.currency)
		sent = !g.known && v.owesSent(g, n, o, g.currency)
	}
	v.sends(g, n, g.currency)
	v.meets(g, n, o)
	switch {
	case internal:
		v.takesInternally(g, n, o)
	case owes && !g.known && !sent:
		v.owesOnly(g, n, o)
	}
	if c.strays() {
		v.received(g, c, o, g.currency)
	}
}

// goodsCurrency is the currency of the goods of a case: of its order, else of its report, else of its first goods by
// time that have one, wherever a close put them in the log.
func (v *view) goodsCurrency(n int32, o *order) name {
	c := &v.incidents[n]
	if o != nil && o.currency != 0 {
		return o.currency
	}
	if c.report != none && v.u.statements[c.report].currency != 0 {
		return v.u.statements[c.report].currency
	}
	for _, i := range v.u.byTime {
		s := &v.u.statements[i]
		if int(i) < v.n && v.stances[i].incident == n && v.stances[i].standing == Counts && s.movesGoods() &&
			s.currency != 0 {
			return s.currency
		}
	}
	return 0
}

// sends counts what is out. What is owed goes at the cost at which it is owed, up to the quantity owed.
func (v *view) sends(g *goods, n int32, currency name) {
	for k := range v.outs {
		t := &v.outs[k]
		if t.incident != n {
			continue
		}
		left := t.line.Quantity
		for w := range g.owings {
			owed := &g.owings[w]
			if owed.sku != t.line.SKU || !owed.costed {
				continue
			}
			q := min(left, owed.open)
			g.out.pieces(q, &owed.cost)
			owed.open -= q
			left -= q
		}
		if left == 0 {
			continue
		}
		if c, ok := v.costOf(t.by, t.line.SKU, t.line.UnitCost, currency); ok {
			g.out.pieces(left, &c)
		}
	}
}

func (v *view) silently(do func()) {
	was := v.silent
	v.silent = true
	do()
	v.silent = was
}

// postGoods posts the letters of a case, each rounded once, by the table of the contract.
func (v *view) postGoods(g *goods, n int32) {
	c := &v.incidents[n]
	o, currency := v.orderOf(c.order), g.currency
	if g.strayed.cmp(&g.strayedCost) < 0 {
		g.strayed = g.strayedCost
	}
	U, S, D := v.round(&g.owed), v.round(&g.strayed), v.round(&g.out)
	cStrayed, vStrayed, vSold := v.round(&g.strayedCost), v.round(&g.strayedWorth), v.round(&g.soldWorth)
	if U == 0 && S == 0 && D == 0 && cStrayed == 0 && vSold == 0 {
		return
	}
	owed := max(U-D, 0)
	released, settled := Amount(0), Amount(0)
	if owed > 0 && v.isReleased(g, c, o, currency, owed, U) {
		released = owed
	}
	if c.pays || D > 0 || o != nil && o.whole {
		settled = vSold
	}
	to := on{Fix, c.name, currency, v.storeOf(c), v.orderOfCase(c)}
	v.post(to, Inventory, NoElement, U-S-D+vStrayed+vSold)
	v.post(to, GoodsOwed, NoElement, -(owed-released)-(vSold-settled))
	v.post(to, ReturnAsset, NoElement, S-cStrayed)
	v.post(to, WriteDown, WriteDownElement, cStrayed-vStrayed)
	v.post(to, ReplacementGoods, Goods, D-min(U, D)-released-settled)
}

// storeOf is the store of the goods of a case: of its report, else of its first fix, else of
// the first event that names it.
func (v *view) storeOf(c *incident) name {
	switch {
	case c.report != none:
		return v.u.statements[c.report].store
	case c.first != none:
		return v.u.statements[c.first].store
	case c.heard != none:
		return v.u.statements[c.heard].store
	}
	return 0
}

// isReleased reports whether the customer has had money in place of what is still owed: its net price (price ×
// (U−D)/U; any where that isn't known) but for what tills round, or a refund that says so.
func (v *view) isReleased(g *goods, c *incident, o *order, currency name, owed, of Amount) bool {
	if c.replaces {
		return true
	}
	refunded, lost := moneyIn(c.refunded, currency), moneyIn(c.lost, currency)
	had := refunded.amount + lost.amount
	if had <= 0 {
		return false
	}
	var price sum
	for w := range g.owings {
		a := o.article(g.owings[w].sku)
		if a == nil || a.sold == 0 {
			return true
		}
		some := part(a.price, g.owings[w].quantity, a.sold)
		price.plus(&some)
	}
	open := proportion(&price, owed, of)
	return had+v.slack(currency, refunded.of+lost.of+len(g.owings)) > v.round(&open)
}
