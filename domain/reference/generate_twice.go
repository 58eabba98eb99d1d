package reference

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// twice lets other sources say events again: the same, less of it, or something else. Then people decide on some of
// them.
func (g *generator) twice() {
	for _, d := range slices.Clone(g.drafts) {
		kind := strings.TrimSuffix(strings.TrimPrefix(d.event["type"].(string), "makegood."), ".v1")
		if kindOf(kind).id == "" || d.stream == "books" || !g.chance(14) {
			continue
		}
		g.again(d, kind)
		if g.chance(20) {
			g.again(d, kind)
		}
	}
	if g.chance(50) {
		g.underTwoOrders()
	}
}

// again says an event once more, under another identity.
func (g *generator) again(d draft, kind string) {
	data := maps.Clone(d.event["data"].(object))
	other := maps.Clone(d.event)
	other["data"], other["id"] = data, g.id("again")
	if g.chance(85) {
		other["source"] = "/webhooks/" + pick(g, []string{"a", "b"})
	}
	at := d.at.Add(time.Duration(g.rng.IntN(600)-200) * time.Second)
	if g.chance(15) {
		at = d.at
	}
	other["time"] = g.clock(at)
	if g.chance(20) {
		data["store_id"] = pick(g, stores) // two orders of one id, where it is order.placed
	}
	if g.chance(50) {
		delete(data, "tax")
	}
	if kind == "refund.issued" || strings.HasPrefix(kind, "dispute.") {
		if g.chance(50) && data["order_id"] != nil {
			delete(data, "error_id")
		}
		net, tax := fields(d.event["data"].(object)).dec("net"), fields(d.event["data"].(object)).dec("tax")
		if kind == "refund.issued" && data["tax"] == nil && g.chance(50) {
			data["net"] = plus(net, tax).FloatString(4) // one total, without its tax
		}
	}
	if g.chance(12) {
		g.contradict(data)
	}
	g.drafts = append(g.drafts, draft{d.stream, other, at, d.take.Add(time.Duration(g.rng.IntN(40*24)) * time.Hour)})
	if g.chance(25) {
		g.decide(pick(g, []object{other, d.event}), data, at)
	}
}

// contradict changes something that matters.
func (g *generator) contradict(data object) {
	for _, name := range []string{"amount", "net", "minutes"} {
		if data[name] != nil {
			data[name] = g.amount(40)
			if data["dispute_id"] != nil {
				delete(data, "tax") // it is a part of the amount
			}
			return
		}
	}
	if lines, is := data["lines"].([]any); is && len(lines) > 0 {
		line := maps.Clone(lines[0].(object))
		line["quantity"], _ = g.quantity()
		delete(line, "discount") // it may be more than what is left
		data["lines"] = append([]any{line}, lines[1:]...)
		delete(data, "tenders")
	}
}

// decide is a person's word on an event.
func (g *generator) decide(event, data object, at time.Time) {
	d := object{"source": event["source"], "id": event["id"], "actor": "ann", "reason": "looked it up"}
	for _, name := range []string{"order_id", "error_id"} {
		if data[name] != nil && g.chance(70) {
			d[name] = data[name]
		}
	}
	whole := data["dispute_id"] != nil || data["method"] == "store_credit" // which is one thing, however often it is said
	if g.chance(30) && !whole {
		d["separate"] = true
	} else {
		d["counts"] = g.chance(60)
	}
	at = g.later(at, 200)
	g.drafts = append(g.drafts, draft{"books", g.envelope("books", "fact.decided", "", at, d), at, at.Add(g.delay())})
}

// underTwoOrders names a case of one order under another one.
func (g *generator) underTwoOrders() {
	var orders []draft
	for _, d := range g.drafts {
		if d.event["type"] == "makegood.order.placed.v1" {
			orders = append(orders, d)
		}
	}
	for _, d := range g.drafts {
		if len(orders) > 0 && d.event["type"] == "makegood.labour.spent.v1" && d.event["data"].(object)["order_id"] != nil {
			data := maps.Clone(d.event["data"].(object))
			of := pick(g, orders).event["data"].(object)
			data["order_id"], data["labour_id"] = of["order_id"], g.id("lab")
			g.add(d.stream, "labour.spent", data["order_id"].(string), g.later(d.at, 60), data)
			return
		}
	}
}
