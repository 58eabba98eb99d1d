package reference

import (
	"cmp"
	"fmt"
	"math/big"
	"time"
)

// failure is a story that went wrong: one case and its fixes.
type failure struct {
	story
	errorID  string
	at       time.Time
	expected []any    // lines of the report
	received []string // skus that came by mistake
}

// about adds an event of the case.
func (g *generator) about(c failure, stream, kind string, more object) *draft {
	return g.aboutAt(c, g.later(c.at, 300), stream, kind, more)
}

func (g *generator) aboutAt(c failure, at time.Time, stream, kind string, more object) *draft {
	d := c.data(more)
	d["error_id"] = c.errorID
	return g.add(stream, kind, cmp.Or(c.order, c.errorID), at, d)
}

// failure reports a case on an order and fixes it; whole means with every kind of fix.
func (g *generator) failure(s story, delivered time.Time, whole bool) failure {
	found := "after_delivery"
	if g.chance(20) {
		found = "before_delivery"
	}
	c := failure{story: s, errorID: g.id("err"), at: delivered}
	if whole || g.chance(90) { // some cases nobody reports
		c = g.report(s, g.later(delivered, 48), found)
	}
	g.failures = append(g.failures, c)
	for range g.rng.IntN(2) {
		g.classify(c)
	}
	if whole {
		g.classify(c)
	}
	if g.chance(8) || whole {
		g.about(c, "errors", "error.rejected", object{"reason": "the customer was mistaken"})
	}
	for _, k := range fixKinds {
		for _, tell := range k.told {
			if whole || g.chance(26) {
				tell(g, c)
			}
		}
	}
	if whole {
		g.everyEnd(c)
	}
	return c
}

// everyEnd makes sure that no stream lacks a type that stories end with.
func (g *generator) everyEnd(c failure) {
	g.ofAmount(c, "dispute.opened", "dispute_id", 90)
	g.ofAmount(c, "dispute.won", "dispute_id", 90)
	g.ofAmount(c, "dispute.lost", "dispute_id", 90)
	g.ofAmount(c, "voucher.redeemed", "concession_id", 20)
	g.ofAmount(c, "voucher.expired", "concession_id", 20)
	g.claimed(c, "claim.filed", g.id("cl"), c.at)
	g.claimed(c, "claim.accepted", g.id("cl"), c.at)
	g.claimed(c, "claim.settled", g.id("cl"), c.at)
	g.about(c, "redeliveries", "claim.closed", object{"claim_id": g.id("cl"), "reason": "refused"})
}

// failsAgain reports the goods of a case under another error_id: what was sent for it didn't do, or somebody says the
// same failure twice.
func (g *generator) failsAgain(first failure) {
	if g.chance(60) {
		g.dispatched(first)
	}
	c := first
	c.errorID, c.at = g.id("err"), g.later(first.at, 300)
	d := c.data(object{"error_id": c.errorID, "kind": pick(g, []string{"wrong_item", "missing_item"}),
		"found": "after_delivery", "detected_by": "customer", "currency": c.currency})
	g.maybe(d, 70, "lines", c.expected)
	g.add("errors", "error.reported", cmp.Or(c.order, c.errorID), c.at, d)
	if g.chance(60) {
		g.dispatched(c)
	}
	if g.chance(50) {
		g.refund(c)
	}
}

func (g *generator) report(s story, at time.Time, found string) failure {
	c := failure{story: s, errorID: g.id("err"), at: at}
	kind := Kinds[g.cases%len(Kinds)] // in turn: every kind is in every stream
	if g.chance(50) {
		kind = pick(g, []string{"wrong_item", "wrong_item", "missing_item", "over_shipped", "unspecified"})
	} else {
		g.cases++
	}
	d := c.data(object{
		"error_id": c.errorID, "kind": kind, "found": found,
		"detected_by": pick(g, []string{"customer", "employee", "system", "carrier"}),
	})
	g.attributes(d, 50)
	if g.cases%3 == 0 {
		d["experiment"] = object{"name": "apology", "arm": fmt.Sprintf("arm-%d", g.cases%2)}
	}
	if g.chance(80) {
		d["currency"] = s.currency
		c.expected = g.failedLines(&c)
		d["lines"] = c.expected
	}
	g.add("errors", "error.reported", cmp.Or(s.order, c.errorID), at, d)
	return c
}

// failedLines are what was expected and, on some lines, what came instead.
func (g *generator) failedLines(c *failure) []any {
	lines := g.goods(*c)
	for _, l := range lines {
		line := l.(object)
		if g.chance(40) {
			continue
		}
		received, _ := g.price(90)
		quantity, _ := g.quantity()
		switch g.rng.IntN(3) {
		case 0:
			line["received_sku"] = g.sku()
		case 1:
			line["received_unit_cost"] = received
		default:
			line["received_sku"], line["received_unit_cost"] = g.sku(), received
		}
		if sku, is := line["received_sku"].(string); is {
			c.received = append(c.received, sku)
		}
		g.maybe(line, 30, "received_quantity", quantity)
	}
	return lines
}

// goods are item lines with a sku, a quantity and perhaps a cost: of the order mostly.
func (g *generator) goods(c failure) []any {
	var lines []any
	for range 1 + g.rng.IntN(2) {
		quantity, _ := g.quantity()
		cost, _ := g.price(90)
		line := object{"sku": g.sku(), "quantity": quantity}
		if len(c.items) > 0 && g.chance(80) {
			it := pick(g, c.items)
			line["sku"] = it.sku
			if g.chance(70) {
				line["quantity"] = g.decimal(it.units, 4)
			}
		}
		g.maybe(line, 60, "unit_cost", cost)
		lines = append(lines, line)
	}
	return lines
}

func (g *generator) attributes(d object, percent int) {
	g.maybe(d, percent, "party_at_fault", pick(g, Parties))
	g.maybe(d, percent, "vendor_id", pick(g, vendors))
	g.maybe(d, percent, "employee_id", pick(g, []string{"emp-1", "emp-2", "emp-3"}))
	g.maybe(d, percent, "root_cause", pick(g, RootCauses))
	g.maybe(d, percent, "avoidable", g.chance(50))
	g.maybe(d, percent, "severity", pick(g, []string{"minor", "major", "critical"}))
}

// classify may come in any order of time, and names some fields only.
func (g *generator) classify(c failure) {
	d := object{}
	g.attributes(d, 35)
	g.maybe(d, 30, "kind", pick(g, Kinds))
	if len(d) == 0 {
		d["root_cause"] = pick(g, RootCauses)
	}
	g.about(c, "errors", "error.classified", d)
}

// dispatched sends goods, and tells of the trips: some fail and are tried again.
func (g *generator) dispatched(c failure) {
	id, at := g.id("rd"), g.later(c.at, 200)
	lines := g.goods(c)
	if len(c.expected) > 0 && g.chance(60) { // just what was expected
		lines = nil
		for _, l := range c.expected {
			lines = append(lines, object{"sku": l.(object)["sku"], "quantity": l.(object)["quantity"]})
		}
	}
	for {
		d := object{
			"redelivery_id": id, "mode": pick(g, []string{"own_truck", "carrier", "pickup"}),
			"currency": c.currency, "lines": lines,
		}
		g.maybe(d, 40, "carrier_charge", g.amount(30))
		g.maybe(d, 40, "promise", object{"until": g.clock(c.at.Add(time.Hour))})
		g.aboutAt(c, at, "redeliveries", "redelivery.dispatched", d)
		succeeded := g.chance(65)
		at = g.later(at, 10)
		if g.chance(80) {
			g.trip(c, id, at, succeeded)
		}
		at = g.later(at, 20)
		if succeeded || g.chance(40) {
			return
		}
	}
}

func (g *generator) completed(c failure) { g.trip(c, g.id("rd"), g.later(c.at, 300), g.chance(85)) }

func (g *generator) trip(c failure, id string, at time.Time, succeeded bool) {
	d := object{"redelivery_id": id, "succeeded": succeeded, "currency": c.currency}
	if g.chance(80) {
		g.maybe(d, 85, "drive_minutes", g.minutes())
		g.maybe(d, 60, "site_minutes", g.minutes())
		g.maybe(d, 30, "wait_minutes", g.minutes())
		g.maybe(d, 70, "distance_km", g.minutes())
		g.maybe(d, 50, "vehicle", pick(g, []string{"van-1", "van-2", "truck-9"}))
		g.maybe(d, 40, "stops", 1+g.rng.IntN(7))
	}
	g.maybe(d, 50, "trip_id", g.id("tr"))
	g.maybe(d, 20, "carrier_charge", g.amount(30))
	g.aboutAt(c, at, "redeliveries", "redelivery.completed", d)
}

var methods = []string{"card", "cash", "gift_card", "store_credit", "manual"}

// refund gives back a part, or the price of a line.
func (g *generator) refund(c failure) {
	d := g.refundOf(c.story)
	g.maybe(d, 10, "replaces_goods", true)
	g.about(c, "redeliveries", "refund.issued", d)
	if d["method"] == "store_credit" {
		g.uses(c, d["refund_id"].(string), 60)
	}
}

func (g *generator) refundOf(s story) object {
	d := object{"refund_id": g.id("rf"), "currency": s.currency, "net": g.amount(60)}
	if len(s.items) > 0 && g.chance(50) {
		d["net"] = g.paid(pick(g, s.items).net)
	}
	g.maybe(d, 60, "tax", g.amount(6))
	if method := pick(g, methods); !s.byGiftCard || method != "store_credit" {
		g.maybe(d, 60, "method", method)
	}
	g.maybe(d, 25, "fee_returned", g.amount(2))
	return d
}

// unnamedRefund is money going back of which its source doesn't say for which case. same is a case of the order.
func (g *generator) unnamedRefund(s story, same string) {
	d := s.data(g.refundOf(s))
	if g.chance(40) {
		d["net"] = g.paid(notBelowZero(s.total))
		delete(d, "tax")
	}
	g.add("redeliveries", "refund.issued", s.order, g.later(s.at, 200), d)
	if g.chance(30) { // somebody says what it was for
		g.classifyOwn(failure{story: s, errorID: d["refund_id"].(string), at: s.at}, same)
	}
}

// classifyOwn says of a refund, by its id, what it was for, that it was for nothing, or which case it is of.
func (g *generator) classifyOwn(c failure, same string) {
	switch {
	case g.chance(20):
		g.about(c, "errors", "error.rejected", object{"reason": "nothing was wrong"})
	case same != "" && g.chance(30):
		g.about(c, "errors", "error.classified", object{"same_as": same})
	default:
		g.about(c, "errors", "error.classified", object{"kind": pick(g, Kinds)})
	}
}

// voucher grants one, or not, and tells how it is used.
func (g *generator) voucher(c failure) {
	id := g.id("con")
	d := object{"concession_id": id, "kind": pick(g, []string{"voucher", "store_credit"}), "currency": c.currency,
		"amount": g.amount(25)}
	g.maybe(d, 40, "expires", g.clock(c.at.AddDate(1, 0, 0)))
	if g.chance(90) {
		g.about(c, "redeliveries", "concession.granted", d)
	}
	g.uses(c, id, 25)
}

// uses redeems and lets lapse, sometimes more than there is.
func (g *generator) uses(c failure, id string, upTo int64) {
	for _, kind := range []string{"voucher.redeemed", "voucher.redeemed", "voucher.expired"} {
		if g.chance(45) {
			d := object{"concession_id": id, "currency": c.currency, "amount": g.amount(upTo)}
			g.maybe(d, 40, "redemption_id", g.id("red"))
			g.about(c, "redeliveries", kind, d)
		}
	}
}

// dispute is opened, or not, and ends once, twice or not yet. Some name no case.
func (g *generator) dispute(c failure) {
	id, amount := g.id("dis"), g.amount(90)
	total := fields{"amount": amount}.dec("amount")
	say := func(kind string, more object) {
		more["dispute_id"], more["currency"], more["amount"] = id, c.currency, amount
		if c.order != "" && g.chance(25) {
			g.add("redeliveries", kind, c.order, g.later(c.at, 400), c.data(more))
			return
		}
		g.about(c, "redeliveries", kind, more)
	}
	if g.chance(80) {
		d := object{}
		g.maybe(d, 70, "fee", g.amount(20))
		say("dispute.opened", d)
	}
	losses := g.rng.IntN(3)
	if losses < 2 && g.chance(50) {
		d := object{}
		g.maybe(d, 40, "fee_returned", g.amount(9))
		say("dispute.won", d)
	}
	for range losses {
		d := object{}
		if g.chance(60) {
			d["tax"] = RoundHalfEven(times(total, big.NewRat(1, 13))).FloatString(4)
		}
		say("dispute.lost", d)
	}
}

// claim is filed, accepted, settled in one or two payments and closed, each or not.
func (g *generator) claim(c failure) {
	id, at := g.id("cl"), c.at
	for _, kind := range []string{"claim.filed", "claim.accepted", "claim.settled", "claim.settled"} {
		if g.chance(60) {
			at = g.later(at, 100)
			g.claimed(c, kind, id, at)
		}
	}
	if g.chance(40) {
		g.aboutAt(c, g.later(at, 90), "redeliveries", "claim.closed",
			object{"claim_id": id, "reason": pick(g, []string{"paid", "short_paid", "refused", "withdrawn"})})
	}
}

func (g *generator) claimed(c failure, kind, id string, at time.Time) {
	d := object{
		"claim_id": id, "party": pick(g, []string{"supplier", "carrier", "insurer", "marketplace"}),
		"currency": c.currency, "amount": g.amount(60),
	}
	g.maybe(d, 40, "party_id", pick(g, vendors))
	if kind == "claim.settled" {
		g.maybe(d, 50, "payment_id", g.id("pay"))
	}
	if kind == "claim.filed" && g.chance(30) {
		d["lines"] = g.goods(c)
	}
	g.aboutAt(c, at, "redeliveries", kind, d)
}

// returned mixes wrong and sold items of every grade.
func (g *generator) returned(c failure) {
	var lines []any
	for range 1 + g.rng.IntN(2) {
		line := g.goods(c)[0].(object)
		if len(c.received) > 0 && g.chance(50) {
			line["sku"] = pick(g, c.received)
		}
		line["was"], line["grade"] = pick(g, []string{"wrong_item", "sold"}),
			pick(g, []string{"saleable", "b_grade", "scrap", "abandoned"})
		if line["grade"] == "b_grade" {
			line["nrv"] = g.amount(60)
		}
		lines = append(lines, line)
	}
	d := object{"return_id": g.id("ret"), "currency": c.currency, "lines": lines}
	if g.chance(4) {
		d["currency"] = pick(g, currencies)
	}
	g.maybe(d, 40, "freight_charge", g.amount(20))
	if g.chance(50) {
		d["inspect_minutes"] = g.minutes()
		g.maybe(d, 70, "inspect_role", pick(g, roles))
	}
	g.about(c, "redeliveries", "return.received", d)
}
