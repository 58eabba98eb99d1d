package reference

import "math/big"

// wholeCancellations are the cancellations that take all of their order.
func (v *view) wholeCancellations() map[Identity]bool {
	whole := make(map[Identity]bool)
	for _, name := range v.groups() {
		scratch := &view{terms: v.terms, set: v.set, inSet: v.inSet, on: v.on, counted: v.counted, sameAs: v.sameAs,
			orderOf: v.orderOf, standing: v.standing, instead: v.instead, position: position{},
			unpriced: map[Identity][]string{}, cases: map[caseKey]*facts{}, sales: map[string]*sale{}, homes: v.homes}
		f := newFile(scratch, name)
		f.wholes = whole
		f.bookSale()
	}
	return whole
}

// bookSale books what was sold and what was taken off, in the order in which it happened.
func (f *file) bookSale() {
	for _, e := range byTime(f.events) {
		if e.kind == "order.placed" {
			f.placed(e)
		}
	}
	for _, e := range byTime(f.events) {
		switch e.kind {
		case "order.charged":
			f.charged(e)
		case "order.changed":
			f.changed(e)
		case "order.cancelled":
			f.cancelled(e)
		}
	}
}

// elements: "By business, changes have elements (4000 REFUND, 5000 GOODS), added and removed alike; by customer none."
func elements(e *event) (ofSales, ofCost string) {
	if e.data.str("by") == "business" {
		return "REFUND", "GOODS"
	}
	return "", ""
}

// changed: "added lines post as placed ones; removed ones take back price, discount, tax and cost of the line in
// proportion".
func (f *file) changed(e *event) {
	at := place{currency: e.currency(), step: change, store: e.store()}
	ofSales, ofCost := elements(e)
	off := f.remove(e) // of what was on the order before
	var added []*orderLine
	for _, l := range e.data.list("lines_added") {
		added = append(added, f.view.readLine(e, l, true))
	}
	if len(added) > 0 {
		s, before := f.sale, f.sale.booked.of("2200")
		total := f.view.sell(s, e, at, added, zero(), zero(), ofSales, ofCost)
		if total.Sign() < 0 { // "what is added for less than nothing (empties) is taken off"
			s.paid.take(at.currency, total)
			s.cashPaid.take(at.currency, total)
			off.given, off.givenTax = negative(total), minus(before, s.booked.of("2200"))
			off.givenLines = len(added)
		}
	}
	f.takeOff(e, off)
}

// takenLines is what removed lines bring back: net by account, tax and cost, and how much of each the order had booked.
type takenLines struct {
	net       totals
	tax, cost *big.Rat

	lines int // how many they are

	given, givenTax *big.Rat // what lines that were added gave back
	givenLines      int
}

func nothingTaken() takenLines {
	return takenLines{net: totals{}, tax: zero(), cost: zero(), given: zero(), givenTax: zero()}
}

// remove takes lines_removed, or the lines of a cancellation, off the order.
func (f *file) remove(e *event) takenLines {
	off := nothingTaken()
	field := "lines_removed"
	if e.kind == "order.cancelled" {
		field = "lines"
	}
	for _, r := range e.data.list(field) {
		wanted := r.dec("quantity")
		for _, l := range f.sale.lines {
			if r.str("line_id") != "" && l.id != r.str("line_id") || r.str("line_id") == "" && l.sku != r.str("sku") {
				continue
			}
			now := least(wanted, notBelowZero(l.left))
			if l.left.Sign() < 0 { // empties that were brought back: they are taken off whole
				now = most(negative(wanted), l.left)
			}
			if now.Sign() == 0 {
				continue
			}
			wanted = minus(wanted, new(big.Rat).Abs(now))
			off.lines++
			off.net.add(l.account(), l.takeBack("net", l.net, now))
			off.tax = plus(off.tax, l.takeBack("tax", l.tax, now))
			if l.cost != nil {
				off.cost = plus(off.cost, l.takeBack("cost", l.cost, now))
			}
			l.left = minus(l.left, now)
		}
		if wanted.Sign() > 0 && len(f.sale.placed) > 0 {
			f.view.flag("removed_too_much", e, "", "", nil)
		}
	}
	return off
}

// takeBack takes a part of a line's amount back: in proportion, rounded; "what empties a line takes what is left of
// it".
func (l *orderLine) takeBack(what string, amount, quantity *big.Rat) *big.Rat {
	part := rounded(over(times(amount, quantity), l.quantity))
	if quantity.Cmp(l.left) == 0 {
		part = minus(rounded(amount), l.taken.of(what))
	}
	l.taken.add(what, part)
	return part
}

// takeOff books what was taken off an order, "as it was paid: cash first, then gift card".
func (f *file) takeOff(e *event, off takenLines) {
	at := place{currency: e.currency(), step: change, store: e.store()}
	ofSales, ofCost := elements(e)
	p, s, c := f.view.position, f.sale, e.currency()
	total := plus(off.tax, off.given)
	removed := off.tax
	for account, amount := range off.net {
		element := ""
		if account == "4000" {
			element = ofSales
		}
		p.put(at, half{account, element, amount}, half{"1010", "", negative(amount)})
		s.booked.take(account, amount)
		total, removed = plus(total, amount), plus(removed, amount)
	}
	p.put(at, half{"2200", "", off.tax}, half{"1010", "", negative(off.tax)})
	p.put(at, half{"1200", "", off.cost}, half{"5000", ofCost, negative(off.cost)})
	s.booked.take("2200", off.tax)
	s.booked.take("5000", off.cost)
	if total.Sign() == 0 {
		return
	}
	s.takenOff.add(c, total)
	lines := off.givenLines
	if removed.Sign() > 0 {
		lines += off.lines
	}
	s.takings = append(s.takings, taking{by: e, currency: c, total: total, tax: plus(off.tax, off.givenTax), lines: lines})
	inCash := least(total, notBelowZero(s.cashPaid.of(c)))
	byCard := least(minus(total, inCash), notBelowZero(s.giftPaid.of(c)))
	inCash = minus(total, byCard) // more than was paid goes back in cash
	p.put(at, half{"1010", "", byCard}, half{"2310", "", negative(byCard)})
	s.cashPaid.take(c, inCash)
	s.giftPaid.take(c, byCard)
	s.cashBack.add(c, inCash)
}

// cancelled: "with lines it cancels those; without lines, net at or above what the lines left bring (fees aside) is
// the whole, or what is cancelled whole already; less is a part that nobody can place (part_unknown, flagged; parts
// are not added up, and one without cost takes none); without order.placed it is the whole; net and tax as stated,
// cost as stated, else as the order booked it."
func (f *file) cancelled(e *event) {
	s, d := f.sale, e.data
	known := len(s.placed) > 0
	withLines := known && len(d.list("lines")) > 0
	var off takenLines
	switch {
	case withLines:
		off = f.remove(e)
		if s.isEmpty() {
			f.isWhole(e)
		}
	case !known || f.view.whole[e.Identity] || s.whole != nil || !d.has("net") || s.bringsNoMoreThan(d.dec("net")):
		off = f.takeAll()
		f.isWhole(e)
	default:
		off = nothingTaken()
		f.view.flag("part_unknown", e, "", e.currency(), d.dec("net"))
	}
	if d.has("net") {
		off.net["4000"] = minus(d.dec("net"), off.net.of("2310"), off.net.of("2320"), off.net.of("2330"))
	}
	if d.has("tax") {
		off.tax = d.dec("tax")
	}
	if d.has("cost") {
		off.cost = d.dec("cost")
	}
	f.takeOff(e, off)
	if !withLines && s.whole != nil {
		// what was not given back of the fees, or more than was booked, is the business of nobody after it
		s.booked = totals{}
	}
}

// bringsNoMoreThan: "A smallest unit of the currency a line is what tills round."
func (s *sale) bringsNoMoreThan(net *big.Rat) bool {
	left, lines := s.linesBring()
	return plus(net, slack(s.currency, lines)).Cmp(left) > 0
}

func (f *file) isWhole(e *event) {
	if f.sale.whole == nil {
		f.sale.whole = e
	}
	if f.wholes != nil && len(e.data.list("lines")) == 0 {
		f.wholes[e.Identity] = true
	}
}

// takeAll takes what is left on the order: its lines before this in the sequence, its delivery fee.
func (f *file) takeAll() takenLines {
	off := nothingTaken()
	s := f.sale
	for _, account := range []string{"4000", "2310", "2320", "2330"} {
		off.net.add(account, s.booked.of(account))
	}
	off.tax, off.cost = s.booked.of("2200"), s.booked.of("5000")
	for _, l := range s.lines {
		l.taken["net"], l.taken["tax"] = rounded(l.net), rounded(l.tax)
		if l.left.Sign() != 0 {
			off.lines++
		}
		l.left = zero()
	}
	return off
}
