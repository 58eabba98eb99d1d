package reference

import (
	"math/big"
	"slices"
)

// returns splits what came back into goods that strayed and goods that were sold: "All others are sold goods, and
// count only as far as they are still on the order or out on a redelivery. Returns take of what strayed and of what was
// sold by their time, wherever they stand in the log. c = cost, v = worth: saleable cost; b_grade nrv, at most cost;
// scrap, abandoned 0."
func (f *file) returns(all []*letters) {
	cameBack := totals{}      // by sku
	countedBefore := totals{} // by sku: sold goods that came back earlier
	strayed := map[*letters]totals{}
	for _, g := range all {
		g.vSold, g.cStrayed, g.vStrayed = zero(), zero(), zero()
		strayed[g] = totals{}
	}
	for _, e := range byTime(f.events) {
		if e.kind != "return.received" {
			continue
		}
		for _, g := range all {
			if f.caseOf(e) == g.caseOf {
				f.comeBack(g, e, strayed[g], cameBack, countedBefore, all)
			}
		}
	}
	for _, g := range all {
		g.vSold, g.cStrayed, g.vStrayed = rounded(g.vSold), rounded(g.cStrayed), rounded(g.vStrayed)
	}
}

// comeBack counts one return.
func (f *file) comeBack(g *letters, e *event, strayed, cameBack, countedBefore totals, all []*letters) {
	for _, l := range e.data.list("lines") {
		sku := l.str("sku")
		away := f.strays(g, l, strayed)
		strayed.add(sku, away)
		f.countStrayed(g, e, l, away)
		sold := minus(l.dec("quantity"), away)
		if len(f.sale.placed) > 0 {
			free := notBelowZero(minus(plus(f.sale.onOrder(sku), outOf(all, sku)), countedBefore.of(sku)))
			cameBack.add(sku, sold)
			most := plus(f.sale.everSold(sku), outOf(all, sku))
			if sold.Sign() > 0 && cameBack.of(sku).Cmp(most) > 0 { // "a return of more than was sold"
				f.view.flag("returned_too_much", e, g.caseOf.id, "", nil)
			}
			sold = least(sold, free)
		}
		countedBefore.add(sku, sold)
		f.countSold(g, e, l, sold)
	}
}

func outOf(all []*letters, sku string) *big.Rat {
	sum := zero()
	for _, g := range all {
		for _, p := range g.out {
			if p.sku == sku {
				sum = plus(sum, p.quantity)
			}
		}
	}
	return sum
}

// strays is how much of a returned line strayed: "in a founded wrong_item case if they say so, or if their sku is a
// received_sku of the report and not on the order; in an over_shipped case, up to what is open of S".
func (f *file) strays(g *letters, l fields, before totals) *big.Rat {
	c, sku, quantity := g.caseOf, l.str("sku"), l.dec("quantity")
	if c.before() {
		return zero()
	}
	var lines []fields
	if c.report != nil {
		lines = c.report.data.list("lines")
	}
	saysSo := l.str("was") == "wrong_item"
	switch {
	case c.is("wrong_item"):
		came := slices.ContainsFunc(lines, func(r fields) bool { return r.str("received_sku") == sku })
		if saysSo || came && f.sale.onOrder(sku).Sign() <= 0 {
			return quantity
		}
	case c.is("over_shipped") && saysSo:
		return least(quantity, notBelowZero(minus(receivedInAll(lines, sku), before.of(sku))))
	case c.is("over_shipped"):
		open := zero()
		for _, p := range g.mistake {
			if p.sku == sku {
				open = plus(open, p.quantity)
			}
		}
		return least(quantity, notBelowZero(minus(open, before.of(sku))))
	}
	return zero()
}

func receivedInAll(lines []fields, sku string) *big.Rat {
	sum := zero()
	for _, l := range lines {
		if came, quantity := receivedOf(l); came == sku {
			sum = plus(sum, quantity)
		}
	}
	return sum
}

// countStrayed adds to c and v of what strayed.
func (f *file) countStrayed(g *letters, e *event, l fields, quantity *big.Rat) {
	if quantity.Sign() == 0 {
		return
	}
	unit := f.strayCost(g, e, l)
	if unit == nil {
		return
	}
	cost := times(unit, quantity)
	g.cStrayed = plus(g.cStrayed, cost)
	g.vStrayed = plus(g.vStrayed, worth(l, quantity, cost))
}

// countSold adds to v of what was sold. What is scrap or abandoned is worth nothing, whatever it cost.
func (f *file) countSold(g *letters, e *event, l fields, quantity *big.Rat) {
	if quantity.Sign() == 0 || l.str("grade") == "scrap" || l.str("grade") == "abandoned" {
		return
	}
	if l.str("grade") == "b_grade" && e.currency() != g.currency {
		f.view.lacks(e, "goods in another currency")
		return
	}
	if unit := f.soldCost(e, l, g.currency); unit != nil {
		g.vSold = plus(g.vSold, worth(l, quantity, times(unit, quantity)))
	}
}

// worth is v of a part of a returned line.
func worth(l fields, quantity, cost *big.Rat) *big.Rat {
	switch l.str("grade") {
	case "saleable":
		return cost
	case "b_grade":
		return least(cost, over(times(l.dec("nrv"), quantity), l.dec("quantity")))
	}
	return zero()
}
