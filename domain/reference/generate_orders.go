package reference

import "time"

// story is an order (or a case without one) and what its events have in common.
type story struct {
	order, store, currency string
	at                     time.Time
}

func (g *generator) story() story {
	return story{
		order: g.id("o"), store: pick(g, stores), currency: pick(g, currencies),
		at: firstDay.Add(time.Duration(g.rng.IntN(85*24*3600)) * time.Second),
	}
}

// data starts the data of an event of the story.
func (s story) data(more object) object {
	d := object{"store_id": s.store}
	if s.order != "" {
		d["order_id"] = s.order
	}
	for k, v := range more {
		d[k] = v
	}
	return d
}

func (g *generator) later(t time.Time, hours int) time.Time {
	return t.Add(time.Duration(1+g.rng.IntN(hours*3600)) * time.Second)
}

// order tells one order from placing to feedback. The first one has every kind of fix, so that no stream lacks a type.
func (g *generator) order(i int) {
	s := g.story()
	g.placed(s)
	delivered := g.later(s.at, 72)
	if g.chance(25) || i == 0 {
		promise := object{"until": g.clock(g.later(s.at, 90))}
		g.maybe(promise, 50, "from", g.clock(s.at))
		g.add("orders", "order.promise_changed", s.order, g.later(s.at, 24),
			s.data(object{"promise": promise, "agreed_with_customer": g.chance(50)}))
	}
	if g.chance(12) || i < 2 {
		by := pick(g, []string{"customer", "business"})
		if i < 2 {
			by = []string{"customer", "business"}[i]
		}
		d := s.data(object{"by": by, "currency": s.currency, "net": g.amount(80)})
		g.maybe(d, 70, "tax", g.amount(8))
		g.maybe(d, 70, "cost", g.amount(50))
		g.maybe(d, 30, "reason", "no longer wanted")
		g.add("orders", "order.cancelled", s.order, g.later(s.at, 48), d)
	}
	if g.chance(85) || i == 0 {
		g.delivered(s, delivered)
	}
	if i < len(Kinds) || g.chance(45) {
		g.failure(s, delivered, i == 0)
		for g.chance(15) {
			g.failure(s, delivered, false)
		}
	}
	if g.chance(25) || i == 0 {
		d := s.data(object{"rating": 1 + g.rng.IntN(5), "public": g.chance(40)})
		g.maybe(d, 50, "channel", "web")
		g.maybe(d, 50, "customer_id", "c-1")
		g.add("orders", "feedback.received", s.order, g.later(delivered, 200), d)
	}
}

func (g *generator) placed(s story) {
	var lines []any
	for range 1 + g.rng.IntN(4) {
		price, priceMicros := g.price(150)
		quantity, quantityUnits := g.quantity()
		line := object{"line_id": g.id("l"), "sku": g.sku(), "quantity": quantity, "unit_price": price}
		if worth := priceMicros / 1_000_000 * quantityUnits; worth >= 10 { // in 10^-4, from below: a discount never exceeds its line
			g.maybe(line, 25, "discount", g.decimal(1+g.rng.Int64N(worth/10), 4))
		}
		g.maybe(line, 60, "tax", g.amount(20))
		cost, _ := g.price(90)
		g.maybe(line, 65, "unit_cost", cost)
		g.maybe(line, 50, "vendor_id", pick(g, vendors))
		lines = append(lines, line)
	}
	d := s.data(object{"currency": s.currency, "lines": lines})
	g.maybe(d, 50, "delivery_fee", g.amount(15))
	g.maybe(d, 30, "delivery_tax", g.amount(2))
	g.maybe(d, 60, "payment_fee", g.amount(5))
	g.maybe(d, 60, "customer_id", "c-"+s.order[len(s.order)-1:])
	g.maybe(d, 50, "channel", pick(g, []string{"shop", "web", "phone"}))
	g.maybe(d, 40, "employee_id", "emp-1")
	g.maybe(d, 60, "promise", object{"until": g.clock(s.at.Add(48 * time.Hour))})
	g.add("orders", "order.placed", s.order, s.at, d)
}

func (g *generator) delivered(s story, at time.Time) {
	d := s.data(nil)
	g.maybe(d, 40, "delivered_at", g.clock(at))
	g.maybe(d, 40, "documents_ok", g.chance(80))
	if g.chance(50) {
		quantity, _ := g.quantity()
		line := object{"sku": g.sku(), "quantity": quantity}
		g.maybe(line, 50, "condition", pick(g, []string{"good", "damaged"}))
		d["lines"] = []any{line}
	}
	g.add("orders", "order.delivered", s.order, at, d)
}

// stockCase is a failure found in the stockroom before any order: no order_id, and the subject is the error_id.
func (g *generator) stockCase() {
	s := g.story()
	s.order = ""
	c := g.report(s, s.at, "before_delivery")
	g.classify(c)
	if g.chance(20) {
		g.about(c, "errors", "error.rejected", object{"reason": "was counted wrong"})
	}
	g.scrapped(c)
	if g.opts.StockFixes {
		g.labour(c)
		g.claim(c)
		g.salvage(c)
	}
}
