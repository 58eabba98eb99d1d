package reference

import (
	"encoding/json"
	"fmt"
	"time"
)

// GenerateService makes a stream about keeping promises: customers who order again, promises that move with and without
// their consent, deliveries in parts, short, damaged, without papers, and errors that are reported, classified,
// rejected and taken back, all of it in any order of arrival, over four months.
func GenerateService(seed int64, opts Options) []Record {
	if opts.Orders == 0 {
		opts.Orders = 120
	}
	return generate(seed, opts, func(g *generator) {
		g.rates()
		for i := range opts.Orders {
			g.served(i)
		}
		for i := range 6 {
			g.qualitySpent(i)
		}
		g.voids()
	})
}

// promisedAgain tells that the promise of an order was changed, some times or never.
func (g *generator) promisedAgain(s *story, tick func(from time.Time, most int) time.Time) {
	for g.chance(35) {
		promise := object{}
		g.maybe(promise, 90, "until", g.clock(tick(s.at, 10)))
		g.maybe(promise, 50, "from", g.clock(s.at))
		if len(promise) == 0 {
			promise["from"] = g.clock(s.at)
		}
		g.add("orders", "order.promise_changed", s.order, tick(s.at, 4),
			s.data(object{"promise": promise, "agreed_with_customer": g.chance(60)}))
	}
}

// served tells one order. Times are few, so that many are equal and identity must decide.
func (g *generator) served(i int) {
	s := g.story()
	s.currency = pick(g, []string{"USD", "USD", "EUR"})
	s.at = firstDay.Add(time.Duration(g.rng.IntN(110*6)) * 4 * time.Hour)
	tick := func(from time.Time, most int) time.Time {
		return from.Add(time.Duration(g.rng.IntN(most)) * 12 * time.Hour)
	}

	type item struct {
		sku      string
		quantity int64
	}
	var items []item
	var lines []any
	for range 1 + g.rng.IntN(3) {
		it := item{fmt.Sprintf("sku-%d", g.rng.IntN(4)), 5_000 * (1 + g.rng.Int64N(6))}
		items = append(items, it)
		lines = append(lines, object{"line_id": g.id("l"), "sku": it.sku, "quantity": g.decimal(it.quantity, 4),
			"unit_price": "12.5", "unit_cost": json.Number("7.25")})
	}
	d := s.data(object{"currency": s.currency, "lines": lines})
	g.maybe(d, 85, "customer_id", fmt.Sprintf("c-%d", g.rng.IntN(60)))
	g.maybe(d, 85, "promise", object{"until": g.clock(tick(s.at, 8))})
	if g.chance(96) { // some orders are known by their delivery alone
		g.add("orders", "order.placed", s.order, s.at, d)
	}
	g.promisedAgain(&s, tick)
	parts := 0
	if g.chance(92) {
		parts = 1 + g.rng.IntN(5)/4
	}
	for part := range parts {
		at := tick(s.at, 7)
		if g.chance(5) {
			at = at.AddDate(0, 1, 0)
		}
		d := s.data(nil)
		g.maybe(d, 40, "delivered_at", g.clock(tick(s.at, 7)))
		g.maybe(d, 50, "documents_ok", g.chance(93))
		var came []any
		for k, it := range items {
			if k%parts != part {
				continue
			}
			if g.chance(6) {
				it.quantity -= 2_500 // short
			}
			line := object{"sku": it.sku, "quantity": g.decimal(it.quantity, 4)}
			g.maybe(line, 30, "condition", "good")
			if g.chance(4) {
				line["condition"] = "damaged"
			}
			came = append(came, line)
		}
		if len(came) > 0 && g.chance(80) {
			d["lines"] = came
		}
		g.add("orders", "order.delivered", s.order, at, d)
	}
	for g.chance(25) {
		g.failure(s, tick(s.at, 8), i == 0)
	}
}
