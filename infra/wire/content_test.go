package wire_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/makegood/makegood/infra/wire"
)

var update = flag.Bool("update", false, "add the content of events that testdata/content.golden doesn't have")

// TestContentGolden: the content hash is stored with every event, so what is in the file must never change. What isn't
// there yet, -update adds.
func TestContentGolden(t *testing.T) {
	const path = "testdata/content.golden"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	golden := map[string]string{}
	for line := range strings.Lines(string(text)) {
		at := strings.LastIndexByte(line, ' ')
		golden[line[:at]] = strings.TrimSpace(line[at+1:])
	}
	check := func(name string, e tree) {
		got := fmt.Sprintf("%#016x", mustRead(t, e.json()).Content)
		switch want, known := golden[name]; {
		case !known && *update:
			text = fmt.Appendf(text, "%s %s\n", name, got)
		case !known:
			t.Errorf("%s has no line in %s: add it by go test -run %s -update", name, path, t.Name())
		case got != want:
			t.Errorf("%s: the content was %s and is %s", name, want, got)
		}
	}
	for _, s := range samples(t) {
		first := s.event.clone() // as the first version of the contract has it
		for _, pointer := range s.later {
			if has(first, pointer) {
				set(first, pointer, gone)
			}
		}
		check(s.name, first)
		if len(s.later) > 0 {
			check(s.name+" with later members", s.event)
		}
	}
	unknown := byName(t, "period.closed").event
	set(unknown, "/data/who", tree{"name": "Ada", "none": nil,
		"n": []any{json.Number("1.50"), json.Number("1e30"), json.Number("-7"), true, nil, tree{}}})
	check("unknown", unknown)
	if *update {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// However an event is spelled, it means the same.
func TestContentIsIndependentOfSpelling(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	for _, s := range samples(t) {
		e := s.event.clone()
		set(e, "/data/mood", tree{"n": json.Number("12.5"), "big": json.Number("123456789012345678901234567890.5"),
			"tiny": json.Number("1.5e-9"), "s": "12.50 é",
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
		for _, mood := range []string{`0`, `"0"`, `1`, `-1`, `10`, `0.1`, `1e100`, `1e101`, `-1e100`,
			`1.000000000000000000001`, `1e99999999999`, `1e99999999998`, `true`, `false`,
			`"true"`, `""`, `[]`, `{}`, `[[]]`, `[null]`, `[null,null]`, `[1]`, `[1,1]`, `["1"]`, `{"a":1}`, `{"a":"1"}`,
			`{"b":1}`, `{"a":{"b":1}}`, `{"a":1,"b":2}`, `{"a":2,"b":1}`} {
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
		return []any{gone, "other", "0.5", "0", "17", "2027-01-01T00:00:00Z", "2027-01", "customer", "carrier", "scrap",
			"USD"}
	case tree, []any:
		return []any{gone}
	}
	return nil
}

// respell writes the same event in another way.
func respell(r *rand.Rand, e tree) []byte {
	other := respelled(r, "", e, false).(tree)
	var b bytes.Buffer
	writeJSON(&b, other, func(keys []string) {
		r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	})
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
