package reference

import (
	"math/big"
	"slices"
)

// piece is some of a sku, and what one of it costs; nil where that is not known.
type piece struct {
	sku      string
	quantity *big.Rat
	unit     *big.Rat
	event    *event
	line     fields
}

func (p piece) cost() *big.Rat {
	if p.unit == nil {
		return zero()
	}
	return times(p.quantity, p.unit)
}

func costOf(pieces []piece) *big.Rat {
	sum := zero()
	for _, p := range pieces {
		sum = plus(sum, p.cost())
	}
	return sum
}

// letters are those of section 3, "each letter by currency, rounded once per case".
type letters struct {
	caseOf   *facts
	currency string
	out      []piece // lines out on redeliveries
	owed     []piece
	u, d     *big.Rat
	vSold    *big.Rat
	cStrayed *big.Rat
	vStrayed *big.Rat
	mistake  []piece // what came by mistake, less what added lines took of it
	stated   []piece // what came by mistake, of which the report states a cost
}

// bookGoods works out the goods of all cases, in their turns, and books them.
func (f *file) bookGoods() {
	var all []*letters
	before := &owedBefore{owed: totals{}}
	for _, c := range f.inTurn() {
		g := &letters{caseOf: c, currency: f.goodsCurrency(c)}
		g.out = f.outOnRedelivery(c, g.currency)
		f.owe(g, before)
		f.sendOut(g)
		f.comeByMistake(g)
		all = append(all, g)
	}
	f.returns(all)
	for _, g := range all {
		f.bookLetters(g)
	}
}

// goodsCurrency is that of the order, else of the report, else of the case's first event with goods, by time.
func (f *file) goodsCurrency(c *facts) string {
	if f.sale.currency != "" {
		return f.sale.currency
	}
	if c.report != nil && c.report.currency() != "" {
		return c.report.currency()
	}
	for _, e := range byTime(c.events) {
		if (e.kind == "redelivery.dispatched" || e.kind == "return.received") && e.currency() != "" {
			return e.currency()
		}
	}
	return ""
}

// costIn is what one piece costs by the event: "the event's unit_cost, else the rate". "What has no cost or rate, or
// is in another currency than its case's goods, adds nothing, is unpriced."
func (f *file) costIn(e *event, l fields, currency string, costField, skuField string) *big.Rat {
	if e.currency() != "" && e.currency() != currency {
		f.view.lacks(e, "goods in another currency")
		return nil
	}
	if l.has(costField) {
		return l.dec(costField)
	}
	return f.view.need(e, "item_cost", l.str(skuField), currency)
}

// soldCost is the "cost of sold goods: as the order booked them, else the event's unit_cost, else the rate".
func (f *file) soldCost(e *event, l fields, currency string) *big.Rat {
	if unit := f.sale.unitCost(l.str("sku")); unit != nil {
		return unit
	}
	return f.costIn(e, l, currency, "unit_cost", "sku")
}

// outOnRedelivery: "the goods out on redeliveries, by redelivery_id: out after a dispatch, back after a completion with
// succeeded = false".
func (f *file) outOnRedelivery(c *facts, currency string) []piece {
	out := map[string]*event{}
	var ids []string
	for _, e := range byTime(f.events) {
		id := e.data.str("redelivery_id")
		switch {
		case e.kind == "redelivery.dispatched":
			out[id] = e
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		case e.kind == "redelivery.completed" && e.data.boolText("succeeded") == "false":
			out[id] = nil
		}
	}
	var events []*event
	for _, id := range ids {
		if e := out[id]; e != nil && f.caseOf(e) == c {
			events = append(events, e)
		}
	}
	var pieces []piece
	for _, e := range byTime(events) {
		for _, l := range e.data.list("lines") {
			pieces = append(pieces, piece{sku: l.str("sku"), quantity: l.dec("quantity"), event: e, line: l})
		}
	}
	return pieces
}

// sendOut: "D: cost of the goods out on redeliveries. A sku that is owed goes at the cost at which it is owed, up to
// the quantity owed."
func (f *file) sendOut(g *letters) {
	d := zero()
	left := make([]*big.Rat, len(g.owed))
	for i, o := range g.owed {
		left[i] = o.quantity
	}
	for _, p := range g.out {
		rest := p.quantity
		for i, o := range g.owed {
			if o.sku != p.sku || o.unit == nil {
				continue
			}
			n := least(rest, left[i])
			d = plus(d, times(n, o.unit))
			rest, left[i] = minus(rest, n), minus(left[i], n)
		}
		if rest.Sign() > 0 {
			if unit := f.costIn(p.event, p.line, g.currency, "unit_cost", "sku"); unit != nil {
				d = plus(d, times(rest, unit))
			}
		}
	}
	g.d, g.u = rounded(d), rounded(costOf(g.owed))
	if g.caseOf.before() {
		g.u = least(g.u, g.d)
	}
}

// comeByMistake: "S, strayed (founded wrong_item, over_shipped): cost of what was received by mistake, less what a
// line added to the order takes of its sku (the customer keeps it and pays)."
func (f *file) comeByMistake(g *letters) {
	c := g.caseOf
	if !c.is("wrong_item", "over_shipped") || c.before() || c.report == nil {
		return
	}
	for _, l := range c.report.data.list("lines") {
		sku, quantity := receivedOf(l)
		if c.kind == "over_shipped" {
			quantity = tooMuch(l)
		} else if !l.has("received_sku") && !l.has("received_unit_cost") {
			continue // a received_quantity alone says nothing of what came
		}
		g.state(l, sku, quantity)
		for _, o := range f.sale.lines {
			unnamed := c.kind == "wrong_item" && !l.has("received_sku") // something else came, nobody says what
			if !o.added || !o.isGoods() || o.sku != sku || unnamed {
				continue
			}
			n := least(quantity, notBelowZero(minus(o.left, o.kept)))
			o.kept, quantity = plus(o.kept, n), minus(quantity, n)
		}
		if quantity.Sign() > 0 {
			g.mistake = append(g.mistake, piece{sku: sku, quantity: quantity, unit: f.receivedCost(g, l, sku)})
		}
	}
}

func receivedOf(l fields) (sku string, quantity *big.Rat) {
	sku, quantity = l.str("sku"), l.dec("quantity")
	if l.has("received_sku") {
		sku = l.str("received_sku")
	}
	if l.has("received_quantity") {
		quantity = l.dec("received_quantity")
	}
	return sku, quantity
}

// tooMuch is what of an over_shipped line came by mistake: what came beyond the quantity ordered, where the same sku
// came; else all that came.
func tooMuch(l fields) *big.Rat {
	sku, quantity := receivedOf(l)
	if beyond := minus(quantity, l.dec("quantity")); sku == l.str("sku") && beyond.Sign() > 0 {
		return beyond
	}
	return quantity
}

// statedIn is what the report states that a received piece cost: as received, else, of the sku that was expected, as
// expected.
func statedIn(l fields, sku string) any {
	if !l.has("received_unit_cost") && sku == l.str("sku") {
		return l["unit_cost"]
	}
	return l["received_unit_cost"]
}

func (f *file) receivedCost(g *letters, l fields, sku string) *big.Rat {
	return f.strayCost(g, g.caseOf.report, fields{"sku": sku, "unit_cost": statedIn(l, sku)})
}

// state notes what the report says of the cost of what came by mistake.
func (g *letters) state(l fields, sku string, quantity *big.Rat) {
	c := g.caseOf
	says := fields{"cost": statedIn(l, sku)}
	unnamed := c.kind == "wrong_item" && !l.has("received_sku")
	foreign := c.report.currency() != "" && g.currency != "" && c.report.currency() != g.currency
	if says.has("cost") && quantity.Sign() > 0 && !unnamed && !foreign {
		g.stated = append(g.stated, piece{sku: sku, quantity: quantity, unit: says.dec("cost")})
	}
}

// strayCost: "Goods received by mistake cost what the event says, else what the report says of their sku (several
// lines: the mean weighted by quantity), else what the order booked their sku at, else the rate."
func (f *file) strayCost(g *letters, e *event, l fields) *big.Rat {
	sku := l.str("sku")
	foreign := e.currency() != "" && e.currency() != g.currency
	if !l.has("unit_cost") && !foreign {
		quantity := zero()
		var same []piece
		for _, p := range g.stated {
			if p.sku == sku {
				quantity, same = plus(quantity, p.quantity), append(same, p)
			}
		}
		if len(same) > 0 {
			return over(costOf(same), quantity)
		}
		if unit := f.sale.unitCost(sku); unit != nil {
			return unit
		}
	}
	return f.costIn(e, l, g.currency, "unit_cost", "sku")
}

// bookLetters books the table of section 3.
func (f *file) bookLetters(g *letters) {
	c := g.caseOf
	s := zero()
	if !c.before() {
		s = most(rounded(costOf(g.mistake)), g.cStrayed) // "at least that of the returned lines that strayed"
	}
	open, met := notBelowZero(minus(g.u, g.d)), least(g.u, g.d)
	released, settled := f.released(g), f.settled(g)
	owed, replaced := negative(open), minus(g.d, met)
	if released {
		owed, replaced = zero(), minus(replaced, open)
	}
	if settled {
		replaced = minus(replaced, g.vSold)
	} else {
		owed = minus(owed, g.vSold)
	}
	at := place{caseID: c.id, currency: g.currency, step: fix, store: f.goodsStore(c)}
	f.view.position.put(at,
		half{"1200", "", plus(g.u, negative(s), negative(g.d), g.vStrayed, g.vSold)},
		half{"2410", "", owed},
		half{"1210", "", minus(s, g.cStrayed)},
		half{"5110", "WRITE_DOWN", minus(g.cStrayed, g.vStrayed)},
		half{"5100", "GOODS", replaced})
}

// goodsStore: "for goods of a case of its report, else of its first fix"; where it is a case by another one that is
// part of it, of the first event by time that names it.
func (f *file) goodsStore(c *facts) string {
	if e := c.opener(); e != nil {
		return e.store()
	}
	for _, e := range byTime(f.events) {
		if e.named() == c.id {
			return e.store()
		}
	}
	return "" // nothing says what is owed
}

// released: "refunds and lost disputes of the case (net) reach the net price of what is still owed (price × (U−D)/U;
// price unknown: any above 0), or a refund says replaces_goods: true".
func (f *file) released(g *letters) bool {
	for _, e := range f.events {
		if e.named() == "" && f.backWhole[e.Identity] {
			continue // "nothing was taken off" isn't so: it is of no case
		}
		if e.kind == "refund.issued" && e.data.boolText("replaces_goods") == "true" && f.caseOf(e) == g.caseOf {
			return true
		}
	}
	given := zero()
	if f.refunded[g.caseOf] != nil {
		given = f.refunded[g.caseOf].of(g.currency)
	}
	if given.Sign() <= 0 || g.u.Sign() == 0 {
		return false
	}
	price := zero()
	for _, p := range g.owed {
		unit := f.sale.unitPrice(p.sku)
		if unit == nil {
			return true
		}
		price = plus(price, times(unit, p.quantity))
	}
	rounding := slack(g.currency, f.rounded[roundedIn{g.caseOf, g.currency}]+len(g.owed))
	return plus(given, rounding).Cmp(rounded(times(price, over(minus(g.u, g.d), g.u)))) > 0
}

// settled: "money or goods went the other way in the case (a refund that posts, a lost dispute, D > 0), or the order
// is cancelled whole".
func (f *file) settled(g *letters) bool {
	return f.wentBack[g.caseOf] || g.d.Sign() > 0 || f.sale.whole != nil
}
