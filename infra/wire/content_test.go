package wire_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/makegood/makegood/infra/wire"
)

// The content hash is stored with every event: these must never change.
func TestContentGolden(t *testing.T) {
	golden := map[string]uint64{
		"order.placed":          0x7257226d32eff5a8,
		"order.promise_changed": 0x72d5da184423c090,
		"order.delivered":       0x614c132b794d1cd1,
		"order.cancelled":       0xc46adb37959a4f95,
		"order.changed":         0x7ef03079111d7a7f,
		"order.charged":         0x58a7f1c021006458,
		"feedback.received":     0x45a294e411b36c5a,
		"error.reported":        0xed087a4ae3f23c31,
		"error.classified":      0xcb8278e8872e88e6,
		"error.rejected":        0xd187d259b7d5f289,
		"goods.scrapped":        0x0f5d7d2bf0ca82f7,
		"redelivery.dispatched": 0x979a3b938a382361,
		"redelivery.completed":  0xae24f98bffc52e50,
		"labour.spent":          0xd266d72c09fba42a,
		"refund.issued":         0xbeca68115c27727d,
		"concession.granted":    0x4c141852f2cc7b3b,
		"voucher.redeemed":      0x179910193e9e5169,
		"voucher.expired":       0xda863b2955fddee6,
		"return.received":       0xedfc24f1327c5e55,
		"salvage.sold":          0x9d9e0c1098c0b70e,
		"dispute.opened":        0x16c7d997739e9da1,
		"dispute.won":           0x9fe50ade48d06011,
		"dispute.lost":          0x039a3edf4e55f1c5,
		"marketplace.charged":   0xbe5903f3bf11adb0,
		"claim.filed":           0xb69a7ad85d8bd1be,
		"claim.accepted":        0x8feff71857bef5a6,
		"claim.settled":         0x69e0eac8785f44c2,
		"claim.closed":          0x7f75ad01674b0278,
		"rate.set":              0xdad7442015bf4400,
		"quality.spent":         0xd0eb7775c3a5e697,
		"period.closed":         0x617f7539ec3c9baf,
		"period.reopened":       0xfa9033ad09a71af9,
		"deadletter.replayed":   0x4534635ad92987a2,
		"deadletter.discarded":  0x82422158dba6cc55,
		"books.rebuilt":         0xd9fa638d0514b17f,
		"fact.decided":          0xd1fadae76c8cb806,
		"event.voided":          0x55f29984630d70bb,
		"unknown":               0x5dbab6da8a07f1b6,
	}
	// With the members that came later, which the events above don't have.
	later := map[string]uint64{
		"order.placed":         0x2c36c5de4bb918cf,
		"order.cancelled":      0xcf5aa4df59883e1b,
		"error.classified":     0x91629eed6c61dea8,
		"goods.scrapped":       0x3f45567b038a00aa,
		"redelivery.completed": 0x8f523a7b4be3146c,
		"refund.issued":        0xe5bda81caa7295c3,
		"voucher.redeemed":     0x36508dcc8d2ffd2b,
		"voucher.expired":      0xac4c80e1f8ffc76d,
		"dispute.won":          0xce08a48224cf7afb,
		"dispute.lost":         0x56770073438b5fec,
		"marketplace.charged":  0x90c2ea54d5fe0711,
		"claim.settled":        0xcf11537b658c0977,
		"event.voided":         0xf05d8739188a9f88,
	}
	for _, s := range samples(t) {
		whole := mustRead(t, s.event.json()).Content
		if len(s.later) == 0 {
			later[s.name] = golden[s.name]
		}
		if whole != later[s.name] {
			t.Errorf("with what came later, %q: %#016x,", s.name, whole)
		}
		first := s.event.clone() // as the first version of the contract has it
		for _, pointer := range s.later {
			if has(first, pointer) {
				set(first, pointer, gone)
			}
		}
		if got := mustRead(t, first.json()).Content; got != golden[s.name] {
			t.Errorf("%q: %#016x,", s.name, got)
		}
	}
	unknown := byName(t, "period.closed").event
	set(unknown, "/data/who", tree{"name": "Ada", "n": []any{json.Number("1.50"), json.Number("1e30"), json.Number("-7"), true, nil, tree{}}, "none": nil})
	if got := mustRead(t, unknown.json()).Content; got != golden["unknown"] {
		t.Errorf("%q: %#016x,", "unknown", got)
	}
}

// However an event is spelled, it means the same.
func TestContentIsIndependentOfSpelling(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	for _, s := range samples(t) {
		e := s.event.clone()
		set(e, "/data/mood", tree{"n": json.Number("12.5"), "big": json.Number("123456789012345678901234567890.5"), "tiny": json.Number("1.5e-9"), "s": "12.50 é",
			"list": []any{json.Number("0"), "x", nil, true, tree{"k": "v", "l": []any{}}}})
		want := mustRead(t, e.json())
		for range 100 {
			other := respell(r, e)
			var d wire.Decoder
			got, err := d.Structured(other)
			if err != nil {
				t.Fatalf("%v\n%s", err, other)
			}
			if got.Content != want.Content {
				t.Fatalf("%s\nand\n%s\ndiffer in content", e.json(), other)
			}
			attrs, data, err := new(wire.Decoder).Attributes(other)
			if err != nil {
				t.Fatal(err)
			}
			if got, err = d.Binary(attrs, data); err != nil || got.Content != want.Content {
				t.Fatalf("in binary mode %s\ndiffers (%v)", other, err)
			}
		}
	}
}

// What means the same as leaving it out is as if it were left out.
func TestContentOfDefaults(t *testing.T) {
	for _, c := range []struct {
		event, pointer string
		value          any
	}{
		{"order.placed", "/data/channel", ""},
		{"order.placed", "/data/delivery_fee", "0.00"},
		{"order.placed", "/data/lines/0/discount", json.Number("0")},
		{"order.placed", "/data/lines/0/tax", nil},
		{"order.placed", "/data/promise", tree{}},
		{"order.placed", "/data/promise", tree{"from": nil}},
		{"order.placed", "/data/mood", nil},
		{"order.placed", "/traceparent", "00-ab"},
		{"order.placed", "/dataschema", "https://example.com"},
		{"order.placed", "/datacontenttype", "application/json"},
		{"order.delivered", "/data/delivered_at", "2026-03-02T10:00:00Z"}, // the event's time
		{"order.placed", "/data/lines/0/kind", "goods"},
		{"order.placed", "/data/lines/0/components", []any{}},
		{"order.placed", "/data/tenders", []any{}},
		{"order.charged", "/data/credit", false},
		{"refund.issued", "/data/replaces_goods", false},
		{"refund.issued", "/data/fee_returned", "0"},
		{"fact.decided", "/data/separate", false},
		{"order.delivered", "/data/lines/0/condition", "good"},
		{"order.delivered", "/data/lines", []any{}},
		{"redelivery.completed", "/data/stops", "1"},
		{"event.voided", "/data/order_id", "o-1"},
		{"event.voided", "/data/original/traceparent", "00-ab"},
	} {
		e := byName(t, c.event).edit(c.pointer, gone)
		without := mustRead(t, e.json()).Content
		set(e, c.pointer, c.value)
		if mustRead(t, e.json()).Content != without {
			t.Errorf("%s with %v at %s differs from one without it", c.event, c.value, c.pointer)
		}
	}
	// And these don't.
	for _, c := range []struct {
		event, pointer string
		value          any
	}{
		{"order.placed", "/data/lines/0/unit_cost", "0"},
		{"order.cancelled", "/data/net", "0"}, // what isn't said is as the order booked it
		{"order.cancelled", "/data/tax", "0"},
		{"order.cancelled", "/data/cost", "0"},
		{"order.changed", "/data/lines_added/0/unit_cost", "0"},
		{"order.delivered", "/data/documents_ok", false},
		{"error.reported", "/data/avoidable", false},
		{"order.placed", "/data/mood", tree{}},
		{"order.placed", "/data/mood", ""},
		{"order.placed", "/data/mood", false},
	} {
		e := byName(t, c.event).edit(c.pointer, gone)
		without := mustRead(t, e.json()).Content
		set(e, c.pointer, c.value)
		if mustRead(t, e.json()).Content == without {
			t.Errorf("%s with %v at %s is as one without it", c.event, c.value, c.pointer)
		}
	}
}

// Whatever is changed in what an event means, its content changes, and no two of all these are alike.
func TestContentTellsApart(t *testing.T) {
	seen := map[uint64]string{}
	note := func(e tree, what string) {
		env, err := new(wire.Decoder).Structured(e.json())
		if err != nil {
			return // a change that the contract doesn't allow
		}
		if other, twice := seen[env.Content]; twice {
			t.Errorf("%s has the content of %s", what, other)
		}
		seen[env.Content] = what
	}
	for _, s := range samples(t) {
		note(s.event, s.name)
		for _, pointer := range append(s.required, s.optional...) {
			value, _ := at(s.event, pointer)
			for i, other := range others(value) {
				optional := slices.Contains(s.optional, pointer)
				if other == value || other == "0" && optional || other == gone && optional && s.name == "event.voided" ||
					other == gone && value == "goods" {
					continue // the same, or the same as leaving it out
				}
				e := s.edit(pointer, other)
				if pointer == "/data/order_id" && s.name != "event.voided" {
					set(e, "/subject", other)
				}
				note(e, fmt.Sprint(s.name, " ", pointer, " ", i))
			}
		}
		e := s.event.clone()
		set(e, "/time", "2026-03-02T11:00:00.000000001+01:00")
		note(e, s.name+" a nanosecond later")
		if lines, ok := at(s.event, "/data/lines"); ok {
			line := lines.([]any)[0].(tree)
			another := clone(line).(tree)
			set(another, "/quantity", "7")
			for _, order := range [][]any{{line, another}, {another, line}, {line, line}, {line, line, another}} {
				e := s.event.clone()
				set(e, "/data/lines", order)
				note(e, fmt.Sprint(s.name, " lines ", order))
			}
		}
		for _, mood := range []string{`0`, `"0"`, `1`, `-1`, `10`, `0.1`, `1e100`, `1e101`, `-1e100`, `1.000000000000000000001`, `1e99999999999`, `1e99999999998`, `true`, `false`,
			`"true"`, `""`, `[]`, `{}`, `[[]]`, `[null]`, `[null,null]`, `[1]`, `[1,1]`, `["1"]`, `{"a":1}`, `{"a":"1"}`, `{"b":1}`, `{"a":{"b":1}}`, `{"a":1,"b":2}`, `{"a":2,"b":1}`} {
			e := s.event.clone()
			set(e, "/data/mood", raw(mood))
			note(e, s.name+" mood "+mood)
		}
	}
}

func others(v any) []any {
	switch v := v.(type) {
	case bool:
		return []any{!v}
	case string, json.Number:
		return []any{gone, "other", "0.5", "0", "17", "2027-01-01T00:00:00Z", "2027-01", "customer", "carrier", "scrap", "USD"}
	case tree, []any:
		return []any{gone}
	}
	return nil
}

// respell writes the same event in another way.
func respell(r *rand.Rand, e tree) []byte {
	other := respelled(r, "", e, false).(tree)
	var b bytes.Buffer
	writeJSON(&b, other, func(keys []string) { r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] }) })
	return b.Bytes()
}

func respelled(r *rand.Rand, name string, v any, unknown bool) any {
	switch v := v.(type) {
	case tree:
		c := tree{}
		for k, e := range v {
			c[k] = respelled(r, k, e, unknown || k == "mood")
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i := range v {
			c[i] = respelled(r, name, v[i], unknown)
		}
		return c
	case json.Number:
		return raw(space(r) + number(r, string(v), unknown) + space(r))
	case string:
		if !unknown && name != "line_id" && name != "specversion" && strings.Trim(v, "0123456789.") == "" {
			return raw(space(r) + number(r, v, false) + space(r))
		}
		if !unknown {
			for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
				if moment, err := time.Parse(layout, v); err == nil {
					zone := time.FixedZone("", (r.IntN(48)-24)*30*60)
					v = moment.In(zone).Format(time.RFC3339Nano)
				}
			}
		}
		return raw(space(r) + quoted(r, v) + space(r))
	}
	return v
}

func space(r *rand.Rand) string {
	return strings.Repeat(string(" \t\r\n"[r.IntN(4)]), r.IntN(3))
}

// number writes a number in one of its spellings; one that we know by the contract may be a string.
func number(r *rand.Rand, text string, unknown bool) string {
	mantissa, exponent, _ := strings.Cut(text, "e")
	power := 0
	_, _ = fmt.Sscan(exponent, &power)
	switch r.IntN(4) {
	case 0: // digits alone, with an exponent
		whole, fraction, _ := strings.Cut(mantissa, ".")
		whole = strings.TrimLeft(whole+fraction, "0")
		if whole == "" {
			whole = "0"
		}
		if p := power - len(fraction); p != 0 || r.IntN(2) == 0 {
			text = fmt.Sprintf("%s%c%+d", whole, "eE"[r.IntN(2)], p)
		} else {
			text = whole
		}
	case 1: // trailing zeros: allowed where the contract has room for them
		if unknown {
			if !strings.Contains(mantissa, ".") {
				mantissa += "."
			}
			text = mantissa + strings.Repeat("0", 1+r.IntN(30))
			if exponent != "" {
				text += "e" + exponent
			}
		}
	}
	if !unknown && r.IntN(2) == 0 {
		return `"` + text + `"`
	}
	return text
}

// quoted writes a string with any characters escaped.
func quoted(r *rand.Rand, s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case r.IntN(3) > 0 && c != '"' && c != '\\' && c >= ' ':
			b.WriteRune(c)
		case c > 0xFFFF:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(&b, `\u%04x\u%04X`, high, low)
		case c == '/' && r.IntN(2) == 0:
			b.WriteString(`\/`)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
