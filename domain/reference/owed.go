package reference

import (
	"math/big"
	"slices"
	"sort"
)

// owedBefore is what the cases whose turn came before are owed of an order.
type owedBefore struct {
	owed totals  // by sku
	sent []piece // what dispatches sent of it
}

// inTurn: "in the order of their reports by time, wherever these stand in the log. What nobody reported comes after
// them, by the time of its first fix."
func (f *file) inTurn() []*facts {
	turns := slices.Clone(f.cases)
	sort.SliceStable(turns, func(i, j int) bool {
		a, b := turns[i], turns[j]
		if (a.report == nil) != (b.report == nil) {
			return a.report != nil
		}
		x, y := a.opener(), b.opener()
		if x != nil && y != nil {
			return x.earlier(y)
		}
		return x != nil || y == nil && a.id < b.id
	})
	return turns
}

// left is how much of a sku a case can be owed: "All cases of an order together are owed no more of a line than is on
// it. What a dispatch sent of what one case is owed, another can be owed again that was reported after that dispatch."
func (b *owedBefore) left(c *facts, sku string, onOrder *big.Rat) *big.Rat {
	left := minus(onOrder, b.owed.of(sku))
	turn := c.opener()
	for _, p := range b.sent {
		if p.sku == sku && (turn == nil || p.event.earlier(turn)) {
			left = plus(left, p.quantity)
		}
	}
	return left
}

// took notes what a case is owed of a sku, and which dispatches sent how much of that.
func (b *owedBefore) took(g *letters, sku string, quantity *big.Rat) {
	b.owed.add(sku, quantity)
	for _, p := range g.out {
		if p.sku != sku || quantity.Sign() <= 0 {
			continue
		}
		n := least(quantity, p.quantity)
		b.sent = append(b.sent, piece{sku: sku, quantity: n, event: p.event})
		quantity = minus(quantity, n)
	}
}

// expected are the lines that a case is owed at most: those of the report; "The report has no lines: what is
// redelivered; as long as nothing is, the order's line if it has only one."
func (f *file) expected(g *letters) []piece {
	var pieces []piece
	if r := g.caseOf.report; r != nil && len(r.data.list("lines")) > 0 {
		for _, l := range r.data.list("lines") {
			pieces = append(pieces, piece{sku: l.str("sku"), quantity: l.dec("quantity"), event: r, line: l})
		}
		return pieces
	}
	if len(g.out) > 0 {
		return slices.Clone(g.out)
	}
	var on []*orderLine
	for _, l := range f.sale.lines {
		if l.isGoods() && l.left.Sign() > 0 {
			on = append(on, l)
		}
	}
	if len(on) == 1 && len(f.sale.placed) > 0 { // nobody knows how many lines an order has that nobody said was placed
		pieces = append(pieces, piece{sku: on[0].sku, quantity: on[0].left, event: on[0].by, line: fields{"sku": on[0].sku}})
	}
	return pieces
}

// owe: "U, owed to the customer (founded wrong_item, missing_item): cost of the expected lines that are still on the
// order. Found before_delivery (any founded kind): min(cost of the expected lines, D), and then it takes of a line only
// what was sent."
func (f *file) owe(g *letters, before *owedBefore) {
	c := g.caseOf
	if !c.is("wrong_item", "missing_item") && !(c.founded && c.before()) {
		return
	}
	here := totals{}
	for _, p := range f.expected(g) {
		if len(f.sale.placed) > 0 {
			free := minus(before.left(c, p.sku, f.sale.onOrder(p.sku)), here.of(p.sku))
			p.quantity = least(p.quantity, notBelowZero(free))
		}
		if p.quantity.Sign() == 0 {
			continue
		}
		here.add(p.sku, p.quantity)
		p.unit = f.soldCost(p.event, p.line, g.currency)
		g.owed = append(g.owed, p)
	}
	for sku, quantity := range here {
		if c.before() {
			quantity = least(quantity, outOf([]*letters{g}, sku))
		}
		before.took(g, sku, quantity)
	}
}
