package reference

import (
	"math/big"
	"slices"
)

// byID gathers the counted events of some kinds by a field, by time.
func (f *file) byID(field string, kinds ...string) (ids []string, events map[string][]*event) {
	events = map[string][]*event{}
	for _, e := range byTime(f.events) {
		if id := e.data.str(field); slices.Contains(kinds, e.kind) {
			if events[id] == nil {
				ids = append(ids, id)
			}
			events[id] = append(events[id], e)
		}
	}
	return ids, events
}

func lastByTime(events []*event, kinds ...string) *event {
	var last *event
	for _, e := range byTime(events) {
		if slices.Contains(kinds, e.kind) {
			last = e
		}
	}
	return last
}

func sumOf(events []*event, kind string) *big.Rat {
	sum := zero()
	for _, e := range events {
		if e.kind == kind {
			sum = plus(sum, e.data.dec("amount"))
		}
	}
	return sum
}

// caseOfAll is the case of the first of some events by time that names one, else that of the first.
func (f *file) caseOfAll(events []*event) *facts {
	for _, e := range events {
		if e.named() != "" {
			return f.caseOf(e)
		}
	}
	return f.caseOf(events[0])
}

// bookDisputes: "by dispute_id: open: 1310 amount against 1010, 5400 fee; won: the fee is left, less fee_returned?;
// lost: 5410 (amount − tax?) DISPUTE and 2200 tax? against 1010, the rest of an opened amount comes back. Lost
// without opened is opened and lost. Of won and lost the later counts." Of one sort there are several only where
// a person said that they are two: then all count, and what was opened again after the end is open.
func (f *file) bookDisputes() {
	ids, disputes := f.byID("dispute_id", "dispute.opened", "dispute.won", "dispute.lost")
	for _, id := range ids {
		all, p := disputes[id], f.view.position
		c := f.caseOfAll(all)
		for _, e := range all {
			if !slices.Contains(c.events, e) {
				c.fixedBy(e) // the others of its dispute say whose it is
			}
		}
		at := func(e *event) place {
			return place{caseID: c.id, currency: e.currency(), step: fix, store: e.store()}
		}
		ended, opened := lastByTime(all, "dispute.won", "dispute.lost"), false
		for i, e := range all {
			won, lost := lastByTime(all[i:], "dispute.won"), lastByTime(all[i:], "dispute.lost")
			switch {
			case e.kind == "dispute.opened":
				fee, amount := e.data.dec("fee"), e.data.dec("amount")
				p.put(at(e), half{"5400", "DISPUTE", fee}, half{"1010", "", negative(fee)})
				if ended == nil || opened && won == nil && lost == nil {
					p.put(at(e), half{"1310", "", amount}, half{"1010", "", negative(amount)})
				}
				opened = true
			case e.kind == "dispute.won" && lost == nil:
				returned := e.data.dec("fee_returned")
				p.put(at(e), half{"1010", "", returned}, half{"5400", "DISPUTE", negative(returned)})
			case e.kind == "dispute.lost" && won == nil:
				f.lose(c, e, at(e))
			}
		}
	}
}

func (f *file) lose(c *facts, e *event, at place) {
	amount, tax := e.data.dec("amount"), e.data.dec("tax")
	net := minus(amount, tax)
	f.view.position.put(at, half{"5410", "DISPUTE", net}, half{"2200", "", tax}, half{"1010", "", negative(amount)})
	f.lost.add(e.currency(), amount)
	if amount.Sign() > 0 {
		f.posted[e.currency()] = append(f.posted[e.currency()], e)
	}
	f.goesTheOtherWay(c, e.currency(), net, amount)
}

// bookClaims: "by claim_id: claim.filed posts nothing; accepted A, settled Z, claim.closed: 5900 −max(A, Z) RECOVERY,
// −Z once closed; 1300 max(A − Z, 0), 0 once closed; 1010 +Z." Store of a claim: "of a claim its first event".
func (f *file) bookClaims() {
	ids, claims := f.byID("claim_id", "claim.filed", "claim.accepted", "claim.settled", "claim.closed")
	for _, id := range ids {
		all := claims[id]
		at := place{step: fix, store: all[0].store()}
		if c := f.caseOfAll(all); c != nil {
			at.caseID = c.id
		}
		currencies := map[string]bool{}
		for _, e := range all {
			if e.currency() != "" {
				currencies[e.currency()] = true
			}
		}
		closed := lastByTime(all, "claim.closed") != nil
		for c := range currencies {
			at.currency = c
			f.bookClaim(at, slices.DeleteFunc(slices.Clone(all), func(e *event) bool { return e.currency() != c }), closed)
		}
	}
}

func (f *file) bookClaim(at place, all []*event, closed bool) {
	filed, a, z := sumOf(all, "claim.filed"), sumOf(all, "claim.accepted"), sumOf(all, "claim.settled")
	recovered, receivable := most(a, z), notBelowZero(minus(a, z))
	if closed {
		recovered, receivable = z, zero()
	}
	f.view.position.put(at, half{"5900", "RECOVERY", negative(recovered)}, half{"1300", "", receivable},
		half{"1010", "", z})
	accepted, settled := lastByTime(all, "claim.accepted"), lastByTime(all, "claim.settled")
	asked := lastByTime(all, "claim.filed") != nil
	if asked && settled != nil && z.Cmp(filed) > 0 {
		f.view.flag("settled_above_filed", settled, at.caseID, at.currency, minus(z, filed))
	}
	if accepted != nil && settled != nil && z.Cmp(a) > 0 {
		f.view.flag("settled_above_accepted", settled, at.caseID, at.currency, minus(z, a))
	}
}

// bookVouchers: "by concession_id: F granted, r the redemption rate at the grant, X redeemed, L lapsed (face values,
// X + L up to F, redemptions first, then lapses, in the sequence; the rest flagged): 2300 −(F−X−L)·r, 1010 −X,
// 4120 X + (F−X−L)·r CONCESSION. Redeemed or lapsed without a known grant: F = X + L. A store credit from a
// refund: its cost is the refund's, so 2300 −(F−X−L), 1010 −X, 4120 −L. Store of a voucher: its grant, else
// its first event." "All of that is by currency."
func (f *file) bookVouchers() {
	type voucher struct{ id, currency string }
	grants := map[voucher][]*event{} // two that a person separated are one voucher of both amounts
	var ids []voucher
	uses := map[voucher][]*event{}
	for _, e := range byTime(f.events) {
		kind, id := e.data.str("kind"), voucher{e.data.str("concession_id"), e.currency()}
		switch {
		case e.kind == "concession.granted" && (kind == "voucher" || kind == "store_credit"):
			grants[id] = append(grants[id], e)
		case e.kind == "refund.issued" && e.data.str("method") == "store_credit":
			id.id = e.data.str("refund_id")
			grants[id] = append(grants[id], e)
		case e.kind == "voucher.redeemed" || e.kind == "voucher.expired":
			uses[id] = append(uses[id], e)
		default:
			continue
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		f.bookVoucher(grants[id], uses[id])
	}
}

func (f *file) bookVoucher(grants, uses []*event) {
	redeemed, lapsed := sumOf(uses, "voucher.redeemed"), sumOf(uses, "voucher.expired")
	x, l := redeemed, lapsed
	if len(grants) == 0 {
		at := f.voucherPlace(uses[0])
		f.view.position.put(at, half{"4120", "CONCESSION", x}, half{"1010", "", negative(x)})
		return
	}
	grant, granted := grants[0], zero()
	for _, g := range grants {
		granted = plus(granted, g.data.dec("amount"), g.data.dec("net"))
		if g.kind == "refund.issued" {
			granted = plus(granted, g.data.dec("tax"))
		}
	}
	x = least(redeemed, granted)
	l = least(lapsed, minus(granted, x))
	open := minus(granted, x, l)
	at := f.voucherPlace(grant)
	if surplus := minus(plus(redeemed, lapsed), x, l); surplus.Sign() > 0 {
		f.view.flag("redeemed_too_much", uses[len(uses)-1], at.caseID, at.currency, surplus)
	}
	if grant.kind == "refund.issued" { // 2300 has F from the refund itself
		f.view.position.put(at, half{"2300", "", plus(x, l)}, half{"1010", "", negative(x)},
			half{"4120", "CONCESSION", negative(l)})
		return
	}
	liability := zero()
	if r := f.view.need(grant, "voucher_redemption", "*", grant.currency()); r != nil {
		liability = rounded(times(open, r))
	}
	f.view.position.put(at, half{"2300", "", negative(liability)}, half{"1010", "", negative(x)},
		half{"4120", "CONCESSION", plus(x, liability)})
}

// voucherPlace is that of the grant. A store credit that is nothing but money going back for a change is of that step.
func (f *file) voucherPlace(e *event) place {
	if f.backWhole[e.Identity] {
		return f.backAt(e)
	}
	return f.at(e, fix)
}
