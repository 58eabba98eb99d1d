package reference

import (
	"math/big"
	"slices"
)

// bookRefunds: "refund.issued: 4100 net REFUND, 2200 tax, against 1010; method gift_card against 2310; method
// store_credit is a store credit granted. fee_returned: 1010 against 5050, REFUND." "Refunds of all cases of an order,
// and of none, share what was taken off by their time, wherever they stand in the log."
func (f *file) bookRefunds() {
	for _, e := range byTime(f.events) {
		if e.kind == "refund.issued" {
			f.bookRefund(e)
		}
	}
}

func (f *file) bookRefund(e *event) {
	d, c, p := e.data, e.currency(), f.view.position
	total := plus(d.dec("net"), d.dec("tax"))
	if d.str("method") == "manual" && f.view.decided(e).counts != "true" && total.Sign() > 0 {
		f.view.flag("paid_by_hand", e, "", c, total) // "until somebody decides that it counts"
	}
	back, rounding := f.goingBack(e, total)
	posts := minus(total, back)
	whole := posts.Sign() == 0 && back.Sign() > 0
	if whole {
		f.backWhole[e.Identity] = true
	}
	if back.Sign() > 0 {
		f.giveBack(e, back, rounding)
	}
	fee := d.dec("fee_returned")
	if whole { // "fee_returned then has no element"
		at := f.backAt(e)
		p.put(at, half{"1010", "", fee}, half{"5050", "", negative(fee)})
		return
	}
	net := d.dec("net")
	if back.Sign() > 0 {
		net = rounded(over(times(net, posts), total))
	}
	at, from := f.at(e, fix), f.at(e, fix)
	if paidWith(e) == "2300" {
		from = f.creditPlace(e)
	}
	p.add(at, half{"4100", "REFUND", net})
	p.add(at, half{"2200", "", minus(posts, net)})
	p.add(from, half{paidWith(e), "", negative(posts)})
	p.put(at, half{"1010", "", fee}, half{"5050", "REFUND", negative(fee)})
	f.refundPut.add(c, posts)
	if posts.Sign() > 0 {
		f.posted[c] = append(f.posted[c], e)
	}
	f.goesTheOtherWay(f.caseOf(e), c, net, posts)
}

// paidWith is the account that a refund comes out of.
func paidWith(e *event) string {
	switch e.data.str("method") {
	case "gift_card":
		return "2310"
	case "store_credit":
		return "2300"
	}
	return "1010"
}

// goesTheOtherWay notes money that a case gave back.
func (f *file) goesTheOtherWay(c *facts, currency string, net, total *big.Rat) {
	if c == nil {
		return
	}
	if f.refunded[c] == nil {
		f.refunded[c] = totals{}
	}
	f.refunded[c].add(currency, net)
	if net.Sign() != 0 {
		f.rounded[roundedIn{c, currency}]++
	}
	if total.Sign() > 0 {
		f.wentBack[c] = true
	}
}

// goingBack is what of a refund is money going back that was taken off the order already: "A refund without error_id
// on an order of which something was taken off is that money going back: up to the sum taken off it posts nothing more
// than where it went. A refund with error_id is the same where it is of the amount that one change took off, or of all
// that no refund has told, unless goods that are still on the order came back in its case; and as far as it would be
// above what was paid less what was taken off."
// rounding is what of that the till rounded up.
func (f *file) goingBack(e *event, total *big.Rat) (back, rounding *big.Rat) {
	s, c := f.sale, e.currency()
	open := notBelowZero(minus(s.takenOff.of(c), f.used.of(c)))
	lines := 0
	for i := range s.takings {
		if s.takings[i].currency == c {
			lines += s.takings[i].lines
		}
	}
	back = least(total, open)
	if open.Sign() > 0 && total.Cmp(plus(open, slack(c, lines))) < 0 {
		back = total
	}
	rounding = notBelowZero(minus(back, open))
	if e.named() != "" {
		if len(s.placed) == 0 {
			return zero(), zero()
		}
		tells := open.Sign() > 0 && !f.soldCameBack(f.caseOf(e)) &&
			(f.tellsOfChange(e, total) || isAbout(total, open, slack(c, lines)))
		if tells {
			f.used.add(c, back)
			return back, rounding
		}
		above := minus(plus(f.refundPut.of(c), total), minus(s.paid.of(c), s.takenOff.of(c)))
		back, rounding = least(total, open, notBelowZero(above)), zero()
	}
	f.used.add(c, back)
	return back, rounding
}

// soldCameBack: "unless goods that are still on the order came back in its case".
func (f *file) soldCameBack(c *facts) bool {
	for _, e := range f.events {
		if e.kind != "return.received" || f.caseOf(e) != c {
			continue
		}
		for _, l := range e.data.list("lines") {
			if l.str("was") != "wrong_item" && f.sale.onOrder(l.str("sku")).Sign() > 0 {
				return true
			}
		}
	}
	return false
}

// tellsOfChange: "One that says no tax may leave it out. Each change is told once."
func (f *file) tellsOfChange(e *event, total *big.Rat) bool {
	for i := range f.sale.takings {
		t := &f.sale.takings[i]
		rounding := slack(t.currency, t.lines)
		sameNet := e.data.dec("tax").Sign() == 0 && isAbout(total, minus(t.total, t.tax), rounding)
		if t.currency == e.currency() && !t.told && total.Sign() > 0 && (isAbout(total, t.total, rounding) || sameNet) {
			t.told = true
			return true
		}
	}
	return false
}

// giveBack: "where it went (method gift_card or store_credit moves 1010 to 2310 or 2300)". What went back on the gift
// card that paid the order is there already; a store credit takes it from there.
func (f *file) giveBack(e *event, back, rounding *big.Rat) {
	c, to := e.currency(), paidWith(e)
	inCash := least(back, plus(notBelowZero(minus(f.sale.cashBack.of(c), f.moved.of(c))), rounding))
	f.moved.add(c, inCash)
	if to == "1010" {
		return // it is there
	}
	at := f.backAt(e)
	rest, p := zero(), f.view.position
	credit := at
	if to == "2300" {
		rest, credit = minus(back, inCash), f.creditPlace(e)
	}
	p.add(at, half{"1010", "", inCash})
	p.add(at, half{"2310", "", rest})
	p.add(credit, half{to, "", negative(plus(inCash, rest))})
}

// creditPlace is that of the store credit of a refund: of the first of its id by time, where a person said that there
// are two.
func (f *file) creditPlace(e *event) place {
	for _, o := range byTime(f.events) {
		if o.kind == "refund.issued" && o.data.str("method") == "store_credit" && o.currency() == e.currency() &&
			o.data.str("refund_id") == e.data.str("refund_id") {
			return f.voucherPlace(o)
		}
	}
	return f.voucherPlace(e)
}

// backAt is where money that goes back is booked: in the case of the refund; one that names none, and is nothing else,
// is of none.
func (f *file) backAt(e *event) place {
	at := place{currency: e.currency(), step: change, store: e.store()}
	if e.named() != "" || !f.backWhole[e.Identity] {
		at.caseID = f.caseOf(e).id
	}
	return at
}

// judgeRefunds: "Refunds that post, lost disputes and what was taken off, together above what was paid: flagged
// (over_refunded), by currency, not judged without order.placed." The flag names the last of them by time.
func (f *file) judgeRefunds() {
	s := f.sale
	if len(s.placed) == 0 {
		return
	}
	for _, c := range currenciesOf(s.takenOff, f.refundPut, f.lost) {
		given := plus(s.takenOff.of(c), f.refundPut.of(c), f.lost.of(c))
		givers := slices.Clone(f.posted[c])
		for i := range s.takings {
			if s.takings[i].currency == c {
				givers = append(givers, s.takings[i].by)
			}
		}
		if minus(given, s.paid.of(c)).Cmp(slack(c, len(givers))) < 0 { // less is what tills round
			continue
		}
		givers = byTime(givers)
		f.view.flag("over_refunded", givers[len(givers)-1], "", c, minus(given, s.paid.of(c)))
	}
}

func currenciesOf(all ...totals) []string {
	names := map[string]bool{}
	for _, t := range all {
		for c := range t {
			names[c] = true
		}
	}
	var sorted []string
	for c := range names {
		sorted = append(sorted, c)
	}
	return sorted
}
