package reference

import (
	"encoding/json"
	"math/big"
	"time"
)

// story is an order (or a case without one) and what its events have in common.
type story struct {
	order, store, currency string
	at                     time.Time
	items                  []item   // what was ordered
	total                  *big.Rat // what was paid
	byGiftCard             bool     // some of it
}

// item is a line of an order as it was told: units are ten-thousandths of a piece.
type item struct {
	line, sku, kind string
	units           int64
	net             *big.Rat
}

func (g *generator) story() story {
	return story{
		order: g.id("o"), store: pick(g, stores), currency: pick(g, currencies), total: zero(),
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
	if i > 0 && g.chance(5) {
		s.items, s.total = []item{{"1", g.sku(), "", 10_000, zero()}}, big.NewRat(100, 1) // nobody says how it was placed
	} else {
		g.placed(&s)
	}
	delivered := g.later(s.at, 72)
	if g.chance(25) || i == 0 {
		promise := object{"until": g.clock(g.later(s.at, 90))}
		g.maybe(promise, 50, "from", g.clock(s.at))
		g.add("orders", "order.promise_changed", s.order, g.later(s.at, 24),
			s.data(object{"promise": promise, "agreed_with_customer": g.chance(50)}))
	}
	for g.chance(25) || i == 0 {
		g.changed(&s)
		if i == 0 {
			break
		}
	}
	if g.chance(22) || i < 2 {
		g.cancelled(&s, i)
	}
	for g.chance(25) || i == 0 {
		g.charged(s)
		if i == 0 {
			break
		}
	}
	if g.chance(85) || i == 0 {
		g.delivered(s, delivered)
	}
	same := ""
	if i < len(Kinds) || g.chance(60) {
		c := g.failure(s, delivered, i == 0)
		same = c.errorID
		for g.chance(25) {
			other := g.failure(s, delivered, false)
			if g.chance(25) {
				g.about(other, "errors", "error.classified", object{"same_as": c.errorID})
			}
		}
		if len(c.expected) > 0 && g.chance(25) {
			g.failsAgain(c)
		}
	}
	if g.chance(20) || i == 0 {
		g.unnamedRefund(s, same)
	}
	if g.chance(25) || i == 0 {
		d := s.data(object{"rating": 1 + g.rng.IntN(5), "public": g.chance(40)})
		g.maybe(d, 50, "channel", "web")
		g.maybe(d, 50, "customer_id", "c-1")
		g.add("orders", "feedback.received", s.order, g.later(delivered, 200), d)
	}
}

// orderLines are what is bought: goods mostly, kits among them, and what is no goods.
func (g *generator) orderLines(s *story) []any {
	var lines []any
	for range 1 + g.rng.IntN(3) {
		price, priceMicros := g.price(150)
		quantity, units := g.quantity()
		it := item{line: g.id("l"), sku: g.sku(), units: units}
		line := object{"line_id": it.line, "sku": it.sku, "quantity": quantity, "unit_price": price}
		it.net = times(big.NewRat(priceMicros, 1_000_000), big.NewRat(units, 10_000))
		if worth := priceMicros / 1_000_000 * units; worth >= 10 && g.chance(25) { // in 10^-4, from below
			off := 1 + g.rng.Int64N(worth/10)
			line["discount"], it.net = g.decimal(off, 4), minus(it.net, big.NewRat(off, 10_000))
		}
		tax := zero()
		if g.chance(60) {
			line["tax"] = g.amount(20)
			tax = fields(line).dec("tax")
		}
		if g.chance(15) {
			it.kind = pick(g, []string{"service", "gift_card", "tip", "deposit"})
			line["kind"] = it.kind
		} else {
			g.goodsOf(line)
		}
		s.items = append(s.items, it)
		s.total = plus(s.total, it.net, tax)
		lines = append(lines, line)
	}
	if g.chance(6) {
		s.total = minus(s.total, big.NewRat(1, 2)) // empties brought back
		lines = append(lines, object{"line_id": g.id("l"), "sku": "crate", "kind": "deposit", "quantity": "-2",
			"unit_price": "0.25"})
	}
	return lines
}

func (g *generator) goodsOf(line object) {
	cost, _ := g.price(90)
	g.maybe(line, 65, "unit_cost", cost)
	g.maybe(line, 50, "vendor_id", pick(g, vendors))
	g.maybe(line, 20, "kind", "goods")
	if g.chance(15) {
		line["components"] = []any{object{"sku": g.sku(), "quantity": json.Number("2")},
			object{"sku": g.sku(), "quantity": "1"}}
	}
}

func (g *generator) placed(s *story) {
	d := s.data(object{"currency": s.currency, "lines": g.orderLines(s)})
	for _, name := range []string{"delivery_fee", "delivery_tax"} {
		if g.chance(40) {
			d[name] = g.amount(15)
			s.total = plus(s.total, fields(d).dec(name))
		}
	}
	g.maybe(d, 60, "payment_fee", g.amount(5))
	g.maybe(d, 30, "delivery_cost", g.amount(8))
	g.maybe(d, 30, "commission", g.amount(8))
	g.maybe(d, 60, "customer_id", "c-"+s.order[len(s.order)-1:])
	g.maybe(d, 50, "channel", pick(g, []string{"shop", "web", "phone"}))
	g.maybe(d, 40, "employee_id", "emp-1")
	g.maybe(d, 60, "promise", object{"until": g.clock(s.at.Add(48 * time.Hour))})
	if g.chance(35) {
		g.tenders(d)
		s.byGiftCard = true
	}
	g.add("orders", "order.placed", s.order, s.at, d)
}

// tenders pays an order with a gift card and something else. They sum to the total as the order is booked.
func (g *generator) tenders(d object) {
	total := totalOf(fields{"lines": d["lines"], "delivery_fee": d["delivery_fee"], "delivery_tax": d["delivery_tax"]})
	if total.Sign() <= 0 {
		return
	}
	units := times(total, big.NewRat(10_000, 1)).Num().Int64()
	card := g.rng.Int64N(units + 1)
	if g.chance(20) {
		card = units
	}
	list := []any{object{"method": "gift_card", "amount": g.decimal(card, 4)}}
	if units > card {
		list = append(list, object{"method": pick(g, []string{"card", "cash", "invoice", "other"}),
			"amount": g.decimal(units-card, 4)})
	}
	d["tenders"] = list
}

// totalOf is what an order comes to: its net and its tax, each rounded once.
func totalOf(d fields) *big.Rat {
	net, tax := d.dec("delivery_fee"), d.dec("delivery_tax")
	for _, item := range d["lines"].([]any) {
		l := fields(item.(object))
		net = plus(net, minus(times(l.dec("quantity"), l.dec("unit_price")), l.dec("discount")))
		tax = plus(tax, l.dec("tax"))
	}
	return plus(RoundHalfEven(net), RoundHalfEven(tax))
}

// changed edits an order: it adds lines, takes lines off, or both.
func (g *generator) changed(s *story) {
	d := s.data(object{"currency": s.currency, "by": pick(g, []string{"customer", "business"})})
	removes := g.chance(60)
	if removes {
		d["lines_removed"] = g.removals(s)
	}
	if !removes || g.chance(40) {
		d["lines_added"] = g.orderLines(s)
	}
	g.maybe(d, 50, "change_id", g.id("ch"))
	g.maybe(d, 30, "reason", "another size")
	g.maybe(d, 20, "promise", object{"until": g.clock(s.at.Add(72 * time.Hour))})
	g.misfit(d)
	g.add("orders", "order.changed", s.order, g.later(s.at, 60), d)
}

// misfit says another currency than the order's; a cancellation may leave its net out.
func (g *generator) misfit(d object) {
	if g.opts.Misfits && g.chance(25) {
		d["currency"] = pick(g, currencies)
	}
	if g.opts.Misfits && g.chance(40) {
		delete(d, "net")
	}
}

// removals take some or all of some lines off, sometimes more than is on them.
func (g *generator) removals(s *story) []any {
	var lines []any
	for range 1 + g.rng.IntN(2) {
		it := pick(g, s.items)
		units := it.units
		if g.chance(50) {
			units = 1 + g.rng.Int64N(units)
		} else if g.chance(10) {
			units += 10_000
		}
		line := object{"quantity": g.decimal(units, 4), "sku": it.sku}
		if g.chance(60) {
			line["line_id"] = it.line
			if g.chance(50) {
				delete(line, "sku")
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// cancelled takes back the whole, a part that is named, or a part that isn't.
func (g *generator) cancelled(s *story, i int) {
	by := pick(g, []string{"customer", "business"})
	if i < 2 {
		by = []string{"customer", "business"}[i]
	}
	d := s.data(object{"by": by, "currency": s.currency})
	switch g.rng.IntN(4) {
	case 0:
		d["lines"] = g.removals(s)
		g.maybe(d, 30, "net", g.amount(60))
	case 1:
		d["net"] = g.amount(80)
		g.maybe(d, 70, "tax", g.amount(8))
	default:
		net := zero()
		for _, it := range s.items {
			net = plus(net, it.net)
		}
		d["net"] = g.paid(net)
		g.maybe(d, 70, "tax", g.amount(8))
	}
	g.maybe(d, 40, "cost", g.amount(50))
	g.maybe(d, 30, "reason", "no longer wanted")
	g.maybe(d, 40, "change_id", g.id("ch"))
	g.misfit(d)
	g.add("orders", "order.cancelled", s.order, g.later(s.at, 100), d)
}

func (g *generator) charged(s story) {
	d := s.data(object{
		"charge_id": g.id("chg"), "kind": pick(g, []string{"delivery", "commission", "payment_fee", "packaging", "other"}),
		"currency": s.currency, "amount": g.amount(9),
	})
	g.maybe(d, 25, "credit", true)
	g.add("orders", "order.charged", s.order, g.later(s.at, 90), d)
}

func (g *generator) delivered(s story, at time.Time) {
	d := s.data(nil)
	g.maybe(d, 40, "delivered_at", g.clock(at))
	g.maybe(d, 40, "documents_ok", g.chance(80))
	if g.chance(50) {
		quantity, _ := g.quantity()
		line := object{"sku": g.sku(), "quantity": quantity}
		if len(s.items) > 0 && g.chance(70) {
			it := pick(g, s.items)
			line = object{"sku": it.sku, "quantity": g.decimal(it.units, 4)}
		}
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
