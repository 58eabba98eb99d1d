package reference

import "math/big"

// orderLine is one line of an order, as placed or added.
type orderLine struct {
	id, sku, kind  string
	quantity, left *big.Rat
	net, tax       *big.Rat // exact, of the whole line
	cost           *big.Rat // nil where it is unknown, or the line is no goods
	components     map[string]*big.Rat
	taken          totals // what was taken back of net, tax and cost, each rounded
	added          bool
	by             *event
	kept           *big.Rat // of an added line: what cases gave to it, see file.kept
	vendor         string
}

// lineAccount: "kind? goods (default), service, gift_card (2310 in place of 4000), tip (2320), deposit (2330)".
func (l *orderLine) account() string {
	switch l.kind {
	case "gift_card":
		return "2310"
	case "tip":
		return "2320"
	case "deposit":
		return "2330"
	}
	return "4000"
}

func (l *orderLine) isGoods() bool { return l.kind == "" || l.kind == "goods" }

// sale is what was sold in an order, and what was taken off it.
type sale struct {
	placed   []*event
	currency string
	lines    []*orderLine
	feeNet   *big.Rat // delivery fee, and
	feeTax   *big.Rat // its tax, as far as nothing cancelled them
	booked   totals   // by account, tax under 2200 and cost under 5000: rounded, less what was taken off
	paid     totals   // by currency, with tax
	cashPaid totals   // by currency: what of it was no gift card, less what went back
	giftPaid totals   // by currency: what of it was a gift card, less what went back
	takenOff totals   // by currency, with tax
	takings  []taking // what each change took off
	cashBack totals   // by currency: what of that went back in cash
	whole    *event   // the order.cancelled that took all
}

// taking is what one change took off, with its tax, and of that the tax.
type taking struct {
	by         *event
	currency   string
	total, tax *big.Rat
	lines      int  // how many lines that was
	told       bool // by a refund of a case
}

func newSale() *sale {
	return &sale{feeNet: zero(), feeTax: zero(), booked: totals{}, paid: totals{}, cashPaid: totals{}, giftPaid: totals{},
		takenOff: totals{}, cashBack: totals{}}
}

// onOrder is what of a sku is on the order, pieces of kits included.
func (s *sale) onOrder(sku string) *big.Rat {
	return s.pieces(sku, func(l *orderLine) *big.Rat { return l.left })
}

// everSold is what of a sku is or was on the order.
func (s *sale) everSold(sku string) *big.Rat {
	return s.pieces(sku, func(l *orderLine) *big.Rat { return l.quantity })
}

func (s *sale) pieces(sku string, of func(*orderLine) *big.Rat) *big.Rat {
	sum := zero()
	for _, l := range s.lines {
		if !l.isGoods() {
			continue
		}
		if l.sku == sku {
			sum = plus(sum, of(l))
		}
		if n := l.components[sku]; n != nil {
			sum = plus(sum, times(n, of(l)))
		}
	}
	return sum
}

// unitCost is the cost of a sku "as the order booked it (several: mean weighted by quantity)"; nil where it did not.
func (s *sale) unitCost(sku string) *big.Rat {
	cost, quantity := zero(), zero()
	for _, l := range s.lines {
		if l.isGoods() && l.sku == sku && l.cost != nil && l.quantity.Sign() > 0 {
			cost, quantity = plus(cost, l.cost), plus(quantity, l.quantity)
		}
	}
	if quantity.Sign() == 0 {
		return nil
	}
	return over(cost, quantity)
}

// unitPrice is the net price of a sku on the order; nil where it has none.
func (s *sale) unitPrice(sku string) *big.Rat {
	net, quantity := zero(), zero()
	for _, l := range s.lines {
		if l.isGoods() && l.sku == sku && l.quantity.Sign() > 0 {
			net, quantity = plus(net, l.net), plus(quantity, l.quantity)
		}
	}
	if quantity.Sign() == 0 {
		return nil
	}
	return over(net, quantity)
}

// linesBring is what the lines left bring, fees aside, and how many they are.
func (s *sale) linesBring() (sum *big.Rat, lines int) {
	sum = zero()
	for _, l := range s.lines {
		if l.left.Sign() != 0 {
			sum = plus(sum, minus(l.net, l.taken.of("net")))
			lines++
		}
	}
	return RoundHalfEven(sum), lines
}

// isEmpty: "until nothing was left". Empties that were brought back are nothing that was ordered.
func (s *sale) isEmpty() bool {
	for _, l := range s.lines {
		if l.left.Sign() > 0 {
			return false
		}
	}
	return true
}

// readLine takes a line as placed or added. Its cost is the line's unit_cost, else the rate of the event.
func (v *view) readLine(e *event, l fields, added bool) *orderLine {
	line := &orderLine{id: l.str("line_id"), sku: l.str("sku"), kind: l.str("kind"), quantity: l.dec("quantity"),
		left: l.dec("quantity"), tax: l.dec("tax"), taken: totals{}, added: added, by: e, vendor: l.str("vendor_id"),
		components: map[string]*big.Rat{}, kept: zero()}
	line.net = minus(times(line.quantity, l.dec("unit_price")), l.dec("discount"))
	for _, c := range l.list("components") {
		line.components[c.str("sku")] = plus(totals(line.components).of(c.str("sku")), c.dec("quantity"))
	}
	if line.isGoods() {
		if unit := v.statedCost(e, l, "unit_cost", "sku"); unit != nil {
			line.cost = times(unit, line.quantity)
		}
	}
	return line
}

// statedCost is "the event's unit_cost, else the rate".
func (v *view) statedCost(e *event, l fields, costField, skuField string) *big.Rat {
	if l.has(costField) {
		return l.dec(costField)
	}
	return v.need(e, "item_cost", l.str(skuField), e.currency())
}

// sell books lines, as placed or added: net by account, tax, cost, and what the customer owes for them.
func (v *view) sell(s *sale, e *event, at place, lines []*orderLine, feeNet, feeTax *big.Rat, ofSales,
	ofCost string) *big.Rat {
	net, tax, cost := totals{"4000": feeNet}, feeTax, zero()
	for _, l := range lines {
		net.add(l.account(), l.net)
		tax = plus(tax, l.tax)
		if l.cost != nil {
			cost = plus(cost, l.cost)
		}
	}
	tax, cost = RoundHalfEven(tax), RoundHalfEven(cost)
	total := tax
	for account, amount := range net {
		amount = RoundHalfEven(amount)
		element := ""
		if account == "4000" {
			element = ofSales
		}
		v.position.put(at, half{account, element, negative(amount)}, half{"1010", "", amount})
		s.booked.add(account, amount)
		total = plus(total, amount)
	}
	v.position.put(at, half{"2200", "", negative(tax)}, half{"1010", "", tax})
	v.position.put(at, half{"5000", ofCost, cost}, half{"1200", "", negative(cost)})
	s.booked.add("2200", tax)
	s.booked.add("5000", cost)
	s.lines = append(s.lines, lines...)
	s.paid.add(at.currency, total)
	s.cashPaid.add(at.currency, total)
	return total
}

// placed books order.placed: "order.placed as before, and: … tenders? gift_card debits 2310, the rest 1010.
// delivery_cost? (5060 against 2400), commission? (5070 against 1010)."
func (f *file) placed(e *event) {
	v, s, d := f.view, f.sale, e.data
	at := place{currency: e.currency(), step: perfect, store: e.store()}
	if len(s.placed) == 0 {
		s.currency = e.currency()
	}
	s.placed = append(s.placed, e)
	var lines []*orderLine
	for _, l := range d.list("lines") {
		lines = append(lines, v.readLine(e, l, false))
	}
	s.feeNet, s.feeTax = plus(s.feeNet, d.dec("delivery_fee")), plus(s.feeTax, d.dec("delivery_tax"))
	v.sell(s, e, at, lines, d.dec("delivery_fee"), d.dec("delivery_tax"), "", "")
	for _, t := range d.list("tenders") {
		if t.str("method") == "gift_card" {
			amount := t.dec("amount")
			v.position.put(at, half{"2310", "", amount}, half{"1010", "", negative(amount)})
			s.giftPaid.add(e.currency(), amount)
			s.cashPaid.take(e.currency(), amount)
		}
	}
	v.position.put(at, half{"5050", "", d.dec("payment_fee")}, half{"1010", "", negative(d.dec("payment_fee"))})
	v.position.put(at, half{"5060", "", d.dec("delivery_cost")}, half{"2400", "", negative(d.dec("delivery_cost"))})
	v.position.put(at, half{"5070", "", d.dec("commission")}, half{"1010", "", negative(d.dec("commission"))})
}

// charged: "order.charged {…}: 5060/2400, 5070/1010, 5050/1010, 5080 packaging/2400, 5090 other_order_costs/1010;
// credit reverses."
func (f *file) charged(e *event) {
	accounts := map[string][2]string{"delivery": {"5060", "2400"}, "commission": {"5070", "1010"},
		"payment_fee": {"5050", "1010"},
		"packaging":   {"5080", "2400"}, "other": {"5090", "1010"}}[e.data.str("kind")]
	amount := e.data.dec("amount")
	if e.data.boolText("credit") == "true" {
		amount = negative(amount)
	}
	f.view.position.put(place{currency: e.currency(), step: perfect, store: e.store()},
		half{accounts[0], "", amount}, half{accounts[1], "", negative(amount)})
}
