package domain

// This file posts what several events make together by an id of its own: vouchers and store credits, disputes,
// claims. See domain/README.md, "Vouchers", "Disputes", "Claims".

// disputes posts every dispute of the set.
func (v *view) disputes() {
	for _, thread := range v.threads {
		if len(thread) == 0 {
			continue
		}
		switch v.u.statements[thread[0]].Data.(type) {
		case *DisputeOpened, *DisputeWon, *DisputeLost:
			v.dispute(thread)
		}
	}
}

// dispute posts one dispute: open, won or lost. Of won and lost the later counts; lost without opened it was opened
// and lost. There are two openings, or two ends of one sort, only where a person said so: they add up, and what was
// opened again after the end is open again.
func (v *view) dispute(thread []int32) {
	incident := v.caseOfThread(thread)
	if incident == none {
		st := &v.stances[thread[0]]
		incident = v.ownCase(st.order, thread[0], threadOf(&v.u.statements[thread[0]]).id)
	}
	ended, won, lost := int32(none), int32(none), int32(none)
	for _, i := range thread {
		v.stances[i].incident = incident
		v.fixedBy(&v.incidents[incident], i)
		switch v.u.statements[i].Data.(type) {
		case *DisputeWon:
			ended, won = i, i
		case *DisputeLost:
			ended, lost = i, i
		}
	}
	again := false
	for _, i := range thread {
		switch d := v.u.statements[i].Data.(type) {
		case *DisputeOpened:
			v.opened(i, d, ended == none || again && v.compareTimes(i, ended) > 0)
			again = true
		case *DisputeWon:
			if lost == none || v.compareTimes(i, lost) > 0 {
				v.won(i, d)
			}
		case *DisputeLost:
			if won == none || v.compareTimes(i, won) > 0 {
				v.lost(i, d)
			}
		}
	}
}

// caseOfThread is the case of the first of some statements by time that is of one; none where none is.
func (v *view) caseOfThread(thread []int32) int32 {
	for _, i := range thread {
		if n := v.stances[i].incident; n != none {
			return n
		}
	}
	return none
}

// opened posts the fee of a dispute, and what the bank holds while it is open.
func (v *view) opened(i int32, d *DisputeOpened, open bool) {
	to := v.ofCase(Fix, i)
	fee := v.money(d.Fee)
	v.post(to, DisputeFees, Dispute, fee)
	v.post(to, Clearing, NoElement, -fee)
	if open {
		v.move(to, DisputeReceivable, NoElement, Clearing, v.money(d.Amount))
	}
}

// won posts what the bank gives back of its fee.
func (v *view) won(i int32, d *DisputeWon) {
	to := v.ofCase(Fix, i)
	back := v.money(d.FeeReturned)
	v.post(to, DisputeFees, Dispute, -back)
	v.post(to, Clearing, NoElement, back)
}

// lost posts what a lost dispute costs, and notes it for its case.
func (v *view) lost(i int32, d *DisputeLost) {
	to := v.ofCase(Fix, i)
	amount, tax := v.money(d.Amount), v.money(v.stances[i].tax)
	v.post(to, DisputeLosses, Dispute, amount-tax)
	v.post(to, Tax, NoElement, tax)
	v.post(to, Clearing, NoElement, -amount)
	c := &v.incidents[v.stances[i].incident]
	c.lost = addMoney(c.lost, to.currency, amount-tax)
	c.pays = c.pays || amount > 0
	if o := v.orderOf(v.stances[i].order); o != nil {
		t := o.till(to.currency)
		t.lost += amount
		if amount > 0 {
			t.given++
			t.last = v.later(t.last, i)
		}
	}
}

// credits posts every voucher and store credit of the set, and every claim.
func (v *view) credits() {
	for _, thread := range v.threads {
		if len(thread) == 0 {
			continue
		}
		switch v.u.statements[thread[0]].Data.(type) {
		case *ConcessionGranted, *RefundIssued, *VoucherRedeemed, *VoucherExpired:
			v.credit(thread)
		case *ClaimFiled, *ClaimAccepted, *ClaimSettled, *ClaimClosed:
			v.claim(thread)
		}
	}
}

// voucher is what was granted under one id in one currency: by a concession, or by a refund as store credit.
type voucher struct {
	granted sum     // face value
	rate    Decimal // the share of it that is likely to be redeemed
	to      on
	known   bool
}

// credit posts one, for each currency that it has amounts in.
func (v *view) credit(thread []int32) {
	for n, i := range thread {
		currency := v.u.statements[i].currency
		seen := false
		for _, j := range thread[:n] {
			seen = seen || v.u.statements[j].currency == currency
		}
		if !seen {
			v.creditIn(thread, currency)
		}
	}
}

func (v *view) creditIn(thread []int32, currency name) {
	var conceded, refunded voucher
	var redeemed, lapsed sum
	first, last, incident := int32(none), int32(none), v.caseOfThread(thread)
	for _, i := range thread {
		s := &v.u.statements[i]
		if s.currency != currency {
			continue
		}
		if first == none {
			first = i
		}
		switch d := s.Data.(type) {
		case *ConcessionGranted:
			conceded.granted.add(d.Amount)
			if !conceded.known && d.Amount != 0 {
				conceded.rate, _ = v.rate(i, VoucherRedemption, d.Kind, s.Currency)
			}
			v.grants(&conceded, i, Fix)
		case *RefundIssued:
			given := asSum(v.stances[i].given)
			refunded.granted.plus(&given)
			step := Fix
			if v.stances[i].givesBack {
				step = Change
			}
			v.grants(&refunded, i, step)
		case *VoucherRedeemed:
			redeemed.add(d.Amount)
			last = i
		case *VoucherExpired:
			lapsed.add(d.Amount)
			last = i
		}
	}
	X, L := v.round(&redeemed), v.round(&lapsed)
	if !conceded.known && !refunded.known {
		conceded.granted.plus(&redeemed)
		conceded.granted.plus(&lapsed)
		v.grants(&conceded, first, Fix)
	}
	for _, w := range []*voucher{&conceded, &refunded} {
		if w.to.incident == 0 && w.to.step != Change { // what only gives back is of no case
			w.to.incident = v.caseName(incident)
		}
	}
	v.useUp(&conceded, &refunded, X, L, last)
}

// grants notes who granted a voucher first: what is posted of it is of that event's case and store.
func (v *view) grants(w *voucher, i int32, step Step) {
	if !w.known {
		w.to, w.known = v.ofCase(step, i), true
	}
}

// useUp posts a voucher and a store credit of one id, of face values F, redeemed X, lapsed L: 2300 −(F−X−L)·r,
// 1010 −X, 4120 X + (F−X−L)·r; of a refund's store credit 2300 −(F−X−L), 1010 −X, 4120 −L, since its
// cost is the refund's. Redeemed and lapsed count up to what was granted, redeemed first.
func (v *view) useUp(conceded, refunded *voucher, X, L Amount, last int32) {
	F, R := v.round(&conceded.granted), v.round(&refunded.granted)
	if above := X + L - F - R; above > 0 {
		v.flag(
			RedeemedTooMuch,
			last,
			v.u.names.text(v.caseName(v.stances[last].incident)),
			v.u.statements[last].currency,
			above,
		)
	}
	x := min(X, F)
	l := min(L, F-x)
	v.post(conceded.to, Clearing, NoElement, -x)
	var owed exact
	owed.scaled(Decimal(F-x-l), conceded.rate, 100) // 10^-4 × 10^-6 = 100 × 10^-12
	liability := v.round(&sum{exact: owed})
	v.post(conceded.to, VoucherLiability, NoElement, -liability)
	v.post(conceded.to, Goodwill, Concession, x+liability)
	X, L = min(X-x, R), L-l
	L = min(L, R-X)
	v.post(refunded.to, Clearing, NoElement, -X)
	v.post(refunded.to, VoucherLiability, NoElement, -(R - X - L))
	v.post(refunded.to, Goodwill, Concession, -L)
}

// claim posts one: A accepted, Z settled: 5900 −max(A, Z), −Z once closed; 1300 max(A − Z, 0), 0 once closed;
// 1010 +Z. For each currency that it has amounts in.
func (v *view) claim(thread []int32) {
	for n, i := range thread {
		currency := v.u.statements[i].currency
		seen := currency == 0
		for _, j := range thread[:n] {
			seen = seen || v.u.statements[j].currency == currency
		}
		if !seen {
			v.claimIn(thread, currency)
		}
	}
}

func (v *view) claimIn(thread []int32, currency name) {
	var filed, accepted, settled sum
	isFiled, isAccepted, closed := false, false, false
	first, incident, last := thread[0], v.caseOfThread(thread), int32(none)
	for _, i := range thread {
		s := &v.u.statements[i]
		if _, is := s.Data.(*ClaimClosed); is {
			closed = true
		}
		if s.currency != currency {
			continue
		}
		switch d := s.Data.(type) {
		case *ClaimFiled:
			filed.add(d.Amount)
			isFiled = true
		case *ClaimAccepted:
			accepted.add(d.Amount)
			isAccepted = true
		case *ClaimSettled:
			settled.add(d.Amount)
			last = i
		}
	}
	A, Z := v.round(&accepted), v.round(&settled)
	to := on{Fix, v.caseName(incident), currency, v.u.statements[first].store, v.inOrder(first)}
	if incident != none {
		to.order = v.orderOfCase(&v.incidents[incident])
	}
	recovered, open := max(A, Z), max(A-Z, 0)
	if closed {
		recovered, open = Z, 0
	}
	v.post(to, Recoveries, Recovery, -recovered)
	v.post(to, ClaimsReceivable, NoElement, open)
	v.post(to, Clearing, NoElement, Z)
	if last == none {
		return
	}
	if asked := v.round(&filed); isFiled && Z > asked {
		v.flag(SettledAboveFiled, last, v.u.names.text(to.incident), currency, Z-asked)
	}
	if isAccepted && Z > A {
		v.flag(SettledAboveAccepted, last, v.u.names.text(to.incident), currency, Z-A)
	}
}

// overRefunded flags what went back above what was paid, by order and currency; not what tills round, and not where
// nobody knows what was paid.
func (v *view) overRefunded() {
	for n := range v.orders {
		o := &v.orders[n]
		if o.sale == none {
			continue
		}
		for k := range o.tills {
			t := &o.tills[k]
			above := t.refunded + t.lost + t.taken - t.paid
			if above >= v.slack(t.currency, t.given) && t.last != none {
				v.flag(OverRefunded, t.last, v.u.names.text(v.caseName(v.stances[t.last].incident)), t.currency, above)
			}
		}
	}
}
