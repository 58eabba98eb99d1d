package reference

import "time"

// failure is a story that went wrong: one case and its fixes.
type failure struct {
	story
	errorID string
	at      time.Time
}

// about adds an event of the case.
func (g *generator) about(c failure, stream, kind string, more object) {
	d := c.data(more)
	d["error_id"] = c.errorID
	subject := c.order
	if subject == "" {
		subject = c.errorID
	}
	g.add(stream, kind, subject, g.later(c.at, 300), d)
}

// failure reports a case on an order and fixes it; whole means with every kind of fix.
func (g *generator) failure(s story, delivered time.Time, whole bool) {
	found := "after_delivery"
	if g.chance(20) {
		found = "before_delivery"
	}
	c := g.report(s, g.later(delivered, 48), found)
	for range g.rng.IntN(4) {
		g.classify(c)
	}
	if whole {
		g.classify(c)
	}
	if g.chance(8) || whole {
		g.about(c, "errors", "error.rejected", object{"reason": "the customer was mistaken"})
	}
	for _, fix := range []func(failure){
		g.dispatched, g.completed, g.labour, g.labour, g.refund, g.concession, g.concession, g.voucherUsed, g.voucherExpired,
		g.returned, g.salvage, g.disputeOpened, g.disputeWon, g.disputeLost, g.marketplace, g.claim, g.settled, g.scrapped,
	} {
		if whole || g.chance(30) {
			fix(c)
		}
	}
}

func (g *generator) report(s story, at time.Time, found string) failure {
	c := failure{story: s, errorID: g.id("err"), at: at}
	kind := Kinds[g.cases%len(Kinds)] // in turn: every kind is in every stream
	g.cases++
	d := c.data(object{
		"error_id": c.errorID, "kind": kind, "found": found,
		"detected_by": pick(g, []string{"customer", "employee", "system", "carrier"}),
	})
	g.attributes(d, 50)
	if g.chance(85) {
		d["currency"] = s.currency
		d["lines"] = g.failedLines()
	}
	subject := s.order
	if subject == "" {
		subject = c.errorID
	}
	g.add("errors", "error.reported", subject, at, d)
	return c
}

// failedLines are what was expected and, on some lines, what came instead.
func (g *generator) failedLines() []any {
	lines := g.goods()
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
		g.maybe(line, 30, "received_quantity", quantity)
	}
	return lines
}

// goods are item lines with a sku, a quantity and perhaps a cost.
func (g *generator) goods() []any {
	var lines []any
	for range 1 + g.rng.IntN(3) {
		quantity, _ := g.quantity()
		cost, _ := g.price(90)
		line := object{"sku": g.sku(), "quantity": quantity}
		g.maybe(line, 65, "unit_cost", cost)
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
	g.maybe(d, 25, "kind", pick(g, Kinds))
	if len(d) == 0 {
		d["root_cause"] = pick(g, RootCauses)
	}
	g.about(c, "errors", "error.classified", d)
}

func (g *generator) scrapped(c failure) {
	d := object{"currency": c.currency, "lines": g.goods()}
	g.maybe(d, 50, "reason", "crushed")
	g.about(c, "errors", "goods.scrapped", d)
}

func (g *generator) dispatched(c failure) {
	d := object{
		"redelivery_id": g.id("rd"), "mode": pick(g, []string{"own_truck", "carrier", "pickup"}),
		"currency": c.currency, "lines": g.goods(),
	}
	g.maybe(d, 40, "carrier_charge", g.amount(30))
	g.maybe(d, 40, "promise", object{"until": g.clock(c.at.Add(time.Hour))})
	g.about(c, "redeliveries", "redelivery.dispatched", d)
}

func (g *generator) completed(c failure) {
	d := object{"redelivery_id": g.id("rd"), "succeeded": g.chance(85), "currency": c.currency}
	if g.chance(80) {
		g.maybe(d, 85, "drive_minutes", g.minutes())
		g.maybe(d, 60, "site_minutes", g.minutes())
		g.maybe(d, 30, "wait_minutes", g.minutes())
		g.maybe(d, 70, "distance_km", g.minutes())
		g.maybe(d, 50, "vehicle", pick(g, []string{"van-1", "van-2", "truck-9"}))
		g.maybe(d, 40, "stops", 1+g.rng.IntN(7))
	}
	g.maybe(d, 20, "carrier_charge", g.amount(30))
	g.about(c, "redeliveries", "redelivery.completed", d)
}

var roles = []string{"agent", "driver", "inspector", "night-shift"}

func (g *generator) labour(c failure) {
	d := object{"labour_id": g.id("lab"), "role": pick(g, roles), "minutes": g.minutes(), "currency": c.currency}
	g.maybe(d, 40, "activity", "apology call")
	g.about(c, "redeliveries", "labour.spent", d)
}

func (g *generator) refund(c failure) {
	d := object{"refund_id": g.id("rf"), "currency": c.currency, "net": g.amount(60)}
	g.maybe(d, 60, "tax", g.amount(6))
	g.maybe(d, 40, "method", "card")
	g.about(c, "redeliveries", "refund.issued", d)
}

func (g *generator) concession(c failure) {
	kind := pick(g, []string{"discount", "price_reduction", "cash", "fee_waiver", "voucher", "store_credit"})
	d := object{"concession_id": g.id("con"), "kind": kind, "currency": c.currency, "amount": g.amount(25)}
	if kind == "voucher" || kind == "store_credit" {
		g.maybe(d, 40, "expires", g.clock(c.at.AddDate(1, 0, 0)))
	} else {
		g.maybe(d, 50, "tax", g.amount(3))
	}
	g.about(c, "redeliveries", "concession.granted", d)
}

func (g *generator) voucherUsed(c failure)    { g.ofAmount(c, "voucher.redeemed", "concession_id", 20) }
func (g *generator) voucherExpired(c failure) { g.ofAmount(c, "voucher.expired", "concession_id", 20) }
func (g *generator) salvage(c failure)        { g.ofAmount(c, "salvage.sold", "salvage_id", 20) }
func (g *generator) disputeWon(c failure)     { g.ofAmount(c, "dispute.won", "dispute_id", 90) }
func (g *generator) disputeLost(c failure)    { g.ofAmount(c, "dispute.lost", "dispute_id", 90) }
func (g *generator) marketplace(c failure)    { g.ofAmount(c, "marketplace.charged", "charge_id", 40) }

func (g *generator) ofAmount(c failure, kind, idField string, most int64) {
	g.about(c, "redeliveries", kind, object{idField: g.id("x"), "currency": c.currency, "amount": g.amount(most)})
}

func (g *generator) disputeOpened(c failure) {
	d := object{"dispute_id": g.id("dis"), "currency": c.currency, "amount": g.amount(90)}
	g.maybe(d, 70, "fee", g.amount(20))
	g.about(c, "redeliveries", "dispute.opened", d)
}

func (g *generator) claim(c failure)   { g.claimed(c, "claim.accepted") }
func (g *generator) settled(c failure) { g.claimed(c, "claim.settled") }

func (g *generator) claimed(c failure, kind string) {
	d := object{
		"claim_id": g.id("cl"), "party": pick(g, []string{"supplier", "carrier", "insurer", "marketplace"}),
		"currency": c.currency, "amount": g.amount(60),
	}
	g.maybe(d, 40, "party_id", pick(g, vendors))
	g.about(c, "redeliveries", kind, d)
}

// returned mixes wrong and sold items of every grade. No unit of cost is below 1, given or from a rate, and nrv stays below
// quantity×1, so that it never exceeds cost.
func (g *generator) returned(c failure) {
	var lines []any
	for range 1 + g.rng.IntN(4) {
		quantity, units := g.quantity()
		cost, _ := g.price(90)
		line := object{
			"sku": g.sku(), "quantity": quantity, "was": pick(g, []string{"wrong_item", "sold"}),
			"grade": pick(g, []string{"saleable", "b_grade", "scrap", "abandoned"}),
		}
		g.maybe(line, 65, "unit_cost", cost)
		if line["grade"] == "b_grade" {
			line["nrv"] = g.decimal(g.rng.Int64N(units+1), 4)
		}
		lines = append(lines, line)
	}
	d := object{"return_id": g.id("ret"), "currency": c.currency, "lines": lines}
	g.maybe(d, 40, "freight_charge", g.amount(20))
	if g.chance(50) {
		d["inspect_minutes"] = g.minutes()
		g.maybe(d, 70, "inspect_role", pick(g, roles))
	}
	g.about(c, "redeliveries", "return.received", d)
}
