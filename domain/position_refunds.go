package domain

// This file posts refunds: what of them gives back what was taken off an order, and what is a failure's cost. See
// domain/README.md, "Refunds".

// creditOf is the way of a refund, where that is a liability of ours; empty for money.
func creditOf(method string) string {
	if method == MethodGiftCard || method == MethodStoreCredit {
		return method
	}
	return ""
}

// refunds posts the refunds of the set, by time, and notes for their cases what the customer had. They share what was
// taken off their order: the first ones give that back, wherever a close put them in the log.
func (v *view) refunds() {
	for i := range v.n {
		d, is := v.u.statements[i].Data.(*ReturnReceived)
		if st := &v.stances[i]; is && st.standing == Counts && st.incident != none && d.ofOrder(v.orderOf(st.order)) {
			v.incidents[st.incident].soldBack = true
		}
	}
	for _, i := range v.u.byTime {
		d, is := v.u.statements[i].Data.(*RefundIssued)
		if is && int(i) < v.n && v.stances[i].standing == Counts {
			v.refund(i, d)
		}
	}
}

// ofOrder reports whether goods came back that are on the order still.
func (d *ReturnReceived) ofOrder(o *order) bool {
	for l := range d.Lines {
		if a := o.article(d.Lines[l].SKU); a != nil && a.left > 0 && d.Lines[l].Was != WasWrongItem {
			return true
		}
	}
	return false
}

// refund posts one.
func (v *view) refund(i int32, d *RefundIssued) {
	s, st := &v.u.statements[i], &v.stances[i]
	net, tax := v.money(st.net), v.money(st.tax)
	total := net + tax
	o := v.orderOf(st.order)
	var t *till
	back, rounding := Amount(0), Amount(0)
	if o != nil {
		t = o.till(s.currency)
		back = v.givenBack(o, t, st, total)
		rounding = max(back-max(t.taken-t.back, 0), 0)
		t.back += back
		t.refunded += total - back
		if total > back {
			t.last = v.later(t.last, i)
			t.given++
		}
	}
	tax -= v.portion(tax, back, total)
	net = total - back - tax
	if st.incident == none && (total > back || back == 0) {
		st.incident = v.ownCase(st.order, i, d.RefundID)
	}
	if st.incident != none {
		c := &v.incidents[st.incident]
		c.refunded = addMoney(c.refunded, s.currency, net)
		c.replaces = c.replaces || d.ReplacesGoods
		c.pays = c.pays || total > back
	}
	moved := back
	if t != nil && d.Method == MethodGiftCard {
		moved = min(back, t.inCash+rounding)
	}
	if t != nil {
		t.inCash = max(t.inCash-back, 0)
	}
	v.postRefund(i, d, back, moved, net, tax)
	if d.Method == MethodManual && st.verdict != decidedFor && total > 0 {
		v.flag(PaidByHand, i, v.u.names.text(v.caseName(st.incident)), s.currency, total)
	}
}

// givenBack is how much of a refund gives back what was taken off the order: without error_id up to that; with one
// where it is of the amount of a change and its case has no goods back to pay for, or as far as it is above what was
// paid less what was taken off. What the till rounded it up by is of it too.
func (v *view) givenBack(o *order, t *till, st *stance, total Amount) Amount {
	left := t.taken - t.back
	if left <= 0 {
		return 0
	}
	slack := v.slack(t.currency, t.takenLines)
	upToLeft := min(total, left)
	if total < left+slack {
		upToLeft = total
	}
	switch {
	case st.errorID == 0:
		return upToLeft
	case o.sale == none:
		return 0
	case !v.incidents[st.incident].soldBack && (v.tells(t, total, st.tax == 0) ||
		isAbout(total, left, slack)):
		return upToLeft
	}
	room := max(t.paid-t.taken-t.refunded, 0)
	return min(max(total-room, 0), left)
}

// tells reports whether a refund is of the amount that one change took off, which no refund of a case told before. One
// that says no tax may leave it out.
func (v *view) tells(t *till, total Amount, untaxed bool) bool {
	for k := range t.changes {
		c := &t.changes[k]
		slack := v.slack(t.currency, c.lines)
		if !c.told && total > 0 && (isAbout(total, c.total, slack) || untaxed && isAbout(total, c.total-c.tax, slack)) {
			c.told = true
			return true
		}
	}
	return false
}

// isAbout reports whether two amounts are off by less than the slack.
func isAbout(a, b, slack Amount) bool { return max(a-b, b-a) < slack }

// portion is a × back ÷ total.
func (v *view) portion(a, back, total Amount) Amount {
	if back == 0 || total == 0 {
		return 0
	}
	return share(a, back, total)
}

// postRefund posts what a refund costs, and where the money went: of what it gives back only that. moved is what of
// that went back in cash when it was taken off, and goes to a gift card now.
func (v *view) postRefund(i int32, d *RefundIssued, back, moved, net, tax Amount) {
	fix, change := v.ofCase(Fix, i), v.ofCase(Change, i)
	v.post(fix, Returns, Refund, net)
	v.post(fix, Tax, NoElement, tax)
	posts := net + tax
	st := &v.stances[i]
	st.given, st.givesBack = posts+back, posts == 0 && back > 0
	switch method := creditOf(d.Method); {
	case method == MethodGiftCard:
		v.post(fix, GiftCardLiability, NoElement, -posts)
		v.move(change, Clearing, NoElement, GiftCardLiability, moved)
	case method == MethodStoreCredit && v.u.statements[i].thread != none: // what is owed for it is posted with the credit
		v.post(change, Clearing, NoElement, back)
	default:
		v.post(fix, Clearing, NoElement, -posts)
	}
	fee := v.money(d.FeeReturned)
	to, element := fix, Refund
	if st.givesBack {
		to, element = change, NoElement
	}
	v.post(to, Clearing, NoElement, fee)
	v.post(to, PaymentFees, element, -fee)
}
