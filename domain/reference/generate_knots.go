package reference

import (
	"maps"
	"math/rand/v2"
	"strings"
	"time"
)

// knots tie what streams seldom hold by chance: people who decide twice, and take that back; disputes that are two;
// goods in two currencies; cases without an order; cases that are joined and parted; claims that are settled in parts.
// They have their own chance and numbers, so that all else of a stream is as it is without them.
func (g *generator) knots(seed int64) {
	chance, serial := g.rng, g.serial
	g.rng, g.serial = rand.New(rand.NewPCG(uint64(seed), 0x6b6e6f74)), 900_000
	for range 1 + g.rng.IntN(3) {
		c := g.someCase()
		pick(g, []func(*generator, failure){
			(*generator).partedDispute, (*generator).sharedByCases, (*generator).sharedByCases,
			(*generator).foreignGoods, (*generator).joinedAndParted, (*generator).claimInParts,
		})(g, c)
	}
	for range g.rng.IntN(4) {
		g.decidedAgain()
	}
	g.rng, g.serial = chance, serial
}

// someCase is one of the stream, or one that has no order.
func (g *generator) someCase() failure {
	if len(g.failures) > 0 && g.chance(65) {
		return pick(g, g.failures)
	}
	s := g.story()
	s.order = ""
	c := failure{story: s, errorID: g.id("err"), at: s.at}
	if g.chance(50) {
		c = g.report(s, s.at, "before_delivery")
	}
	for range 1 + g.rng.IntN(3) {
		pick(g, []func(*generator, failure){
			(*generator).dispatched, (*generator).returned, (*generator).refund, (*generator).dispute,
			(*generator).voucher, (*generator).claim,
		})(g, c)
	}
	return c
}

// another is another case of the same order, or of none.
func (g *generator) another(c failure) failure {
	for _, other := range g.failures {
		if other.order == c.order && other.errorID != c.errorID && g.chance(60) {
			return other
		}
	}
	c.errorID, c.at = g.id("err"), g.later(c.at, 100)
	if c.order != "" && g.chance(50) {
		c = g.report(c.story, c.at, "after_delivery")
	}
	return c
}

// partedDispute is opened or lost twice, which are two, as a person says.
func (g *generator) partedDispute(c failure) {
	id, tell := g.id("dis"), []string{"dispute.opened", "dispute.opened"}
	for _, kind := range []string{"dispute.won", "dispute.lost", "dispute.lost", "dispute.opened"} {
		if g.chance(40) {
			tell = append(tell, kind)
		}
	}
	told := map[string]bool{}
	for _, kind := range tell {
		d := object{"dispute_id": id, "currency": c.currency, "amount": g.amount(60)}
		switch kind {
		case "dispute.opened":
			g.maybe(d, 50, "fee", g.amount(9))
		case "dispute.won":
			g.maybe(d, 50, "fee_returned", g.amount(9))
		}
		one := *g.about(c, "redeliveries", kind, d)
		if told[kind] && g.chance(85) {
			g.say(one, "separate")
		}
		told[kind] = true
	}
}

// sharedByCases is a claim, a voucher or a dispute of which each event names one of two cases, and one of two stores.
func (g *generator) sharedByCases(c failure) {
	other, id := g.another(c), g.id("shared")
	kinds := pick(g, [][]string{
		{"claim.filed", "claim.accepted", "claim.settled", "claim.settled", "claim.closed"},
		{"concession.granted", "voucher.redeemed", "voucher.redeemed", "voucher.expired"},
		{"dispute.opened", "dispute.won", "dispute.lost"},
	})
	for _, kind := range kinds {
		if g.chance(25) {
			continue
		}
		of := pick(g, []failure{c, other})
		of.store = pick(g, stores)
		d := object{"currency": c.currency, "amount": g.amount(40)}
		switch kind {
		case "claim.closed":
			d = object{"claim_id": id, "reason": "short_paid"}
		case "concession.granted":
			d["concession_id"], d["kind"] = id, pick(g, []string{"voucher", "store_credit"})
		case "voucher.redeemed", "voucher.expired":
			d["concession_id"] = id
			if g.chance(15) {
				d["currency"] = pick(g, currencies)
			}
		case "claim.filed", "claim.accepted", "claim.settled":
			d["claim_id"], d["party"] = id, "supplier"
		default:
			d["dispute_id"] = id
		}
		g.about(of, "redeliveries", kind, d)
	}
}

// foreignGoods are sent and come back in another currency than the order's, or than what was first.
func (g *generator) foreignGoods(c failure) {
	for range 2 + g.rng.IntN(3) {
		of := c
		of.currency = pick(g, currencies)
		if g.chance(50) {
			g.dispatched(of)
		} else {
			g.returned(of)
		}
	}
}

// joinedAndParted says that a case is part of another one, and takes that back.
func (g *generator) joinedAndParted(c failure) {
	other := g.another(c)
	for range 1 + g.rng.IntN(2) {
		pick(g, []func(*generator, failure){
			(*generator).dispatched, (*generator).refund, (*generator).returned, (*generator).claim,
		})(g, other)
	}
	joined := *g.about(other, "errors", "error.classified", object{"same_as": c.errorID})
	switch g.rng.IntN(4) {
	case 0:
		g.say(joined, "against")
	case 1:
		g.about(c, "errors", "error.classified", object{"same_as": other.errorID})
	default:
		void := *g.void(joined)
		if g.chance(40) {
			g.void(void)
		}
	}
}

// claimInParts is accepted, settled by several payments, of which some are taken back, in more than one currency.
func (g *generator) claimInParts(c failure) {
	id, at := g.id("cl"), c.at
	d := func(kind string) object {
		of := object{"claim_id": id, "party": "carrier", "currency": c.currency, "amount": g.amount(40)}
		if g.chance(10) {
			of["currency"] = pick(g, currencies)
		}
		if kind == "claim.settled" {
			g.maybe(of, 70, "payment_id", g.id("pay"))
		}
		return of
	}
	g.aboutAt(c, g.later(at, 90), "redeliveries", "claim.accepted", d("claim.accepted"))
	for range 2 + g.rng.IntN(2) {
		paid := *g.aboutAt(c, g.later(at, 300), "redeliveries", "claim.settled", d("claim.settled"))
		if g.chance(40) {
			void := *g.void(paid)
			if g.chance(30) {
				g.void(void)
			}
		}
	}
	if g.chance(50) {
		closed := *g.aboutAt(c, g.later(at, 300), "redeliveries", "claim.closed",
			object{"claim_id": id, "reason": "short_paid"})
		if g.chance(30) {
			g.void(closed)
		}
	}
}

// decidedAgain decides on an event more than once, on voids and decisions too, and takes some of that back.
func (g *generator) decidedAgain() {
	on := pick(g, g.drafts)
	for range 9 { // of what others say too, rather than of one by itself
		kind := on.event["type"].(string)
		again := strings.HasPrefix(on.event["id"].(string), "again")
		if (on.stream != "books" || strings.HasSuffix(kind, "fact.decided.v1")) &&
			(again || strings.HasSuffix(kind, "event.voided.v1") || strings.HasSuffix(kind, "fact.decided.v1")) {
			break
		}
		on = pick(g, g.drafts)
	}
	if on.stream == "books" && on.event["type"] != "makegood.fact.decided.v1" {
		return
	}
	for range 1 + g.rng.IntN(3) {
		said := g.say(on, pick(g, []string{"for", "for", "against", "against", "separate"}))
		if g.chance(30) {
			void := *g.void(said)
			switch g.rng.IntN(4) {
			case 0:
				g.void(void)
			case 1:
				g.say(void, "against")
			}
		}
	}
}

// say is what a person decides on an event: for, against or separate.
func (g *generator) say(on draft, what string) draft {
	d := object{"source": on.event["source"], "id": on.event["id"], "actor": "bob", "reason": "asked the shop"}
	switch what {
	case "separate":
		d["separate"] = true
	default:
		d["counts"] = what == "for"
	}
	data := maps.Clone(on.event["data"].(object))
	for _, name := range []string{"order_id", "error_id"} {
		if data[name] != nil && g.chance(50) {
			d[name] = data[name]
		}
	}
	at := g.later(on.at, 300)
	said := draft{"books", g.envelope("books", "fact.decided", "", at, d), at, at.Add(g.delay())}
	if g.chance(10) { // told late
		said.take = said.take.Add(40 * 24 * time.Hour)
	}
	g.drafts = append(g.drafts, said)
	return said
}
