package reference

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// rates sets most rates before everything else, and then some late, with a later or an earlier effective_from. Some are
// never set: JPY has no fleet_km, EUR no labour for roles without a rate of their own, and some skus have no cost.
func (g *generator) rates() {
	dawn := firstDay.AddDate(0, 0, -30)
	opening := func(name, key, currency string) { g.rate(name, key, currency, dawn, dawn.Add(time.Minute)) }
	opening("voucher_redemption", "*", "")
	for _, currency := range currencies {
		opening("fleet_hour", "*", currency)
		opening("fleet_hour", "truck-9", currency)
		opening("labour_hour", "agent", currency)
		opening("labour_hour", "inspector", currency)
		if currency != "EUR" {
			opening("labour_hour", "*", currency)
		}
		if currency != "JPY" {
			opening("fleet_km", "*", currency)
		}
		for sku := range 9 { // of 12
			opening("item_cost", fmt.Sprintf("sku-%d", sku), currency)
		}
	}
	for range 25 {
		name := pick(g, []string{"fleet_hour", "fleet_km", "labour_hour", "item_cost", "voucher_redemption"})
		key, currency := "*", pick(g, currencies)
		switch name {
		case "fleet_hour", "fleet_km":
			key = pick(g, []string{"*", "van-1", "truck-9"})
		case "labour_hour":
			key = pick(g, []string{"driver", "agent"})
		case "item_cost":
			key = fmt.Sprintf("sku-%d", g.rng.IntN(11))
		case "voucher_redemption":
			currency = ""
		}
		recorded := firstDay.Add(time.Duration(g.rng.IntN(85*24)) * time.Hour)
		effective := recorded.Add(time.Duration(g.rng.IntN(40*24)-20*24) * time.Hour)
		g.rate(name, key, currency, effective, recorded)
	}
}

func (g *generator) rate(name, key, currency string, effective, recorded time.Time) {
	d := object{"rate": name, "key": key, "effective_from": g.clock(effective)}
	switch name {
	case "voucher_redemption":
		d["value"] = g.decimal(1+g.rng.Int64N(10_000), 4)
	case "item_cost":
		d["value"], _ = g.price(60)
	default:
		d["value"] = g.amount(80)
	}
	if currency != "" {
		d["currency"] = currency
	}
	g.add("books", "rate.set", "", recorded, d).take = recorded // rates act by when they are recorded: keep that in hand
}

func (g *generator) qualitySpent(i int) {
	d := object{
		"spend_id": g.id("q"), "category": []string{"prevention", "appraisal"}[i%2],
		"currency": pick(g, currencies), "amount": g.amount(500),
	}
	g.maybe(d, 60, "store_id", pick(g, stores))
	g.maybe(d, 40, "target_cause", pick(g, RootCauses))
	g.maybe(d, 40, "description", "label training")
	g.add("books", "quality.spent", "", g.story().at, d)
}

// periods closes and reopens months; what comes after a close for a closed month is posted later.
func (g *generator) periods() {
	for _, m := range []struct {
		kind, period string
		day          time.Time
	}{
		{"period.closed", "2025-12", time.Date(2026, 1, 8, 9, 0, 0, 0, time.UTC)},
		{"period.closed", "2026-01", time.Date(2026, 2, 3, 9, 0, 0, 0, time.UTC)},
		{"period.reopened", "2026-01", time.Date(2026, 2, 6, 9, 0, 0, 0, time.UTC)},
		{"period.closed", "2026-01", time.Date(2026, 2, 10, 9, 0, 0, 0, time.UTC)},
		{"period.closed", "2025-12", time.Date(2026, 2, 15, 9, 0, 0, 0, time.UTC)}, // it is closed already
		{"period.reopened", "2025-12", time.Date(2026, 2, 20, 9, 0, 0, 0, time.UTC)},
		{"period.closed", "2026-02", time.Date(2026, 2, 25, 9, 0, 0, 0, time.UTC)},
	} {
		at := m.day.Add(time.Duration(g.rng.IntN(36)) * time.Hour)
		g.add("books", m.kind, "", at, object{"period": m.period}).take = at
	}
}

// letters tell that somebody dealt with dead letters, or was erased, which changes no number.
func (g *generator) letters() {
	for i, at := range []time.Time{firstDay.Add(40 * time.Hour), firstDay.AddDate(0, 1, 9), firstDay.AddDate(0, 2, 3)} {
		d := object{"dead_letter_id": fmt.Sprintf("%032x", i), "actor": pick(g, []string{"ann", "josé"})}
		if g.chance(60) {
			d["topic"], d["partition"], d["offset"] = "makegood.orders", json.Number(fmt.Sprint(g.rng.IntN(4))),
				json.Number(fmt.Sprint(g.rng.IntN(10_000)))
		}
		g.maybe(d, 60, "reason", "the till was mended")
		g.add("books", []string{"deadletter.replayed", "deadletter.discarded"}[i%2], "", at, d)
	}
	g.add("books", "person.erased", "", firstDay.AddDate(0, 1, 2),
		object{"person": "p-erased00-abcdefghijklmnopqrstuvwxyz",
			"hashes": []any{object{"hash": "p-3fa91c02-abcdefghijklmnopqrstuvwxyz"}}, "actor": "ann", "reason": "asked for it"})
}

// terms of a vendor, which change no number.
func (g *generator) terms() {
	for i := range 2 {
		at := firstDay.AddDate(0, i, 3)
		cover := object{"element": "GOODS"}
		if i > 0 {
			cover["cause"], cover["share"], cover["clause"] = "supplier_quality", "0.5", "4.2"
		}
		g.add("books", "vendor.terms", "", at, object{"vendor_id": "v-acme", "window_days": json.Number("30"),
			"effective_from": at.Format(time.DateOnly), "covers": []any{cover}})
	}
}

// seals of closes that never were: they change nothing.
func (g *generator) seals() {
	for i := range 2 {
		d := object{"period": "2026-01", "close": json.Number("99"), "format": json.Number("1"),
			"events": json.Number(fmt.Sprint(i)), "root": fmt.Sprintf("%064x", i)}
		if i > 0 {
			d["previous"] = fmt.Sprintf("%064x", i+1)
		}
		g.add("books", "books.sealed", "", firstDay.AddDate(0, 1, 10+i), d)
	}
}

// rebuilds post history again at some moments, with what was closed left alone mostly.
func (g *generator) rebuilds() {
	for i := range 4 {
		at := firstDay.Add(time.Duration(g.rng.IntN(100*24)) * time.Hour)
		d := object{"rebuild_id": fmt.Sprintf("rebuild%d", i)}
		g.maybe(d, 60, "closed_periods", g.chance(50))
		g.add("books", "books.rebuilt", "", at, d).take = at
	}
}

// voids undoes some events of every kind. A void may come before what it voids.
func (g *generator) voids() {
	sent := slices.Clone(g.drafts)
	for i, d := range sent {
		percent := 6
		if d.event["type"] == "makegood.rate.set.v1" {
			percent = 3
		}
		if !g.chance(percent) && i != len(sent)-1 { // at least one in every stream
			continue
		}
		if d.event["type"] == "makegood.fact.decided.v1" {
			continue // a person's word stays: it is taken back by another one
		}
		v := g.void(d)
		if g.opts.SecondVoids && g.chance(25) {
			g.void(d)
		}
		if g.opts.SecondVoids && g.chance(25) && d.event["type"] != "makegood.rate.set.v1" {
			g.void(*v)
		}
	}
	if !g.opts.OrphanVoids {
		return
	}
	// Events that only their voids tell of: generated like the others, then taken out again.
	before := len(g.drafts)
	s := g.story()
	c := failure{story: s, errorID: g.id("err"), at: s.at}
	g.placed(&s)
	g.labour(c)
	g.dispatched(c)
	g.concession(c)
	orphans := slices.Clone(g.drafts[before:])
	g.drafts = g.drafts[:before]
	for _, d := range orphans {
		g.void(d)
	}
}

func (g *generator) void(d draft) *draft {
	original := d.event
	data := object{
		"voids":  object{"source": original["source"], "id": original["id"]},
		"reason": "entered by mistake", "original": original,
	}
	of, what := original["data"].(object), original["type"]
	for nested, is := of["original"].(object); is; nested, is = of["original"].(object) {
		of, what = nested["data"].(object), nested["type"]
	}
	if what != original["type"] && what == "makegood.fact.decided.v1" {
		of = nil // whose order a decision is of is not asked
	}
	for _, name := range []string{"order_id", "store_id", "error_id"} {
		if v, ok := of[name]; ok {
			data[name] = v
		}
	}
	subject, _ := original["subject"].(string)
	at := g.later(d.at, 100)
	v := g.add(d.stream, "event.voided", subject, at, data)
	if original["type"] == "makegood.rate.set.v1" {
		v.take = at
	}
	copied := *v // what v points to moves when more is added
	return &copied
}

// duplicates sends events again: later, and written another way.
func (g *generator) duplicates() {
	for _, d := range slices.Clone(g.drafts) {
		for g.chance(12) {
			again := maps.Clone(d.event)
			again["time"] = g.clock(d.at)
			again["data"] = g.rewritten(d.event["data"].(object))
			g.drafts = append(g.drafts, draft{d.stream, again, d.at, d.take.Add(time.Duration(g.rng.IntN(500)) * time.Hour)})
		}
	}
}

// rewritten writes decimals in another form of the same value. What a void encloses stays as it is: its times are text
// here.
func (g *generator) rewritten(data object) object {
	out := make(object)
	for _, k := range slices.Sorted(maps.Keys(data)) {
		switch v := data[k].(type) {
		case []any:
			var items []any
			for _, item := range v {
				items = append(items, g.rewritten(item.(object)))
			}
			out[k] = items
		case string, json.Number:
			out[k] = v
			if r := asDecimal(k, v); r != nil && decimalFields[k] {
				text := strings.TrimRight(strings.TrimRight(r.FloatString(6), "0"), ".")
				if out[k] = text; g.chance(50) {
					out[k] = json.Number(text)
				}
			}
		default:
			out[k] = v
		}
	}
	return out
}

// conflicts sends other content under a taken identity, before or after the event that had it.
func (g *generator) conflicts() {
	for _, d := range slices.Clone(g.drafts) {
		if d.stream == "books" || d.event["type"] == "makegood.event.voided.v1" || !g.chance(6) {
			continue
		}
		other := maps.Clone(d.event)
		data := maps.Clone(d.event["data"].(object))
		other["data"] = data
		at := d.at
		switch amount := data["amount"]; {
		case amount != nil && g.chance(60):
			data["amount"] = g.amount(25) // may fall on the same value: then it is a duplicate, which is as good a test
			if data["dispute_id"] != nil {
				delete(data, "tax") // it is a part of the amount
			}
		case g.chance(50):
			at = at.Add(36 * time.Hour)
			other["time"] = g.clock(at)
		case data["order_id"] != nil:
			data["order_id"] = "o-conflict"
			other["subject"] = "o-conflict"
		default:
			data["store_id"] = "s-conflict"
		}
		take := d.take.Add(time.Duration(1+g.rng.IntN(48)) * time.Hour)
		if earlier := d.take.Add(-20 * time.Minute); earlier.After(at) && g.chance(40) {
			take = earlier
		}
		g.drafts = append(g.drafts, draft{d.stream, other, at, take})
	}
}
