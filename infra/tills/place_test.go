package tills_test

import (
	"strings"
	"testing"

	"github.com/makegood/makegood/infra/tills"
)

// TestRefusalsNameThePlace: a refusal names the place in the body that the program failed on, and what stands there,
// however the program says it; it names none where it could be another one.
func TestRefusalsNameThePlace(t *testing.T) {
	refusals := func(program, body string) tills.Refusal {
		m, err := tills.Parse("x.yaml", []byte("name: x\nkinds:\n  - kind: a\n    when: true\n    events: |\n      "+
			program+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		got := run(m, []byte(body))
		if len(got.Refusals) != 1 {
			t.Fatalf("%s of %s: %v", program, body, got.Refusals)
		}
		return got.Refusals[0]
	}
	event := func(net string) string {
		return `{type: "makegood.refund.issued.v1", id: "1", subject: "1", time: "2026-01-10T09:00:00Z", ` +
			`data: {order_id: "1", store_id: "s", refund_id: "1", currency: "USD", net: ` + net + `}}`
	}
	lines := `{"id": "7", "total": "9", "lines": [{"price": "1.50"}, {"price": "many", "note": null},
		{"price": "3", "note": ""}]}`
	for _, c := range []struct{ program, body, at, found string }{
		{`.lines[] | .price | amount`, lines, "/lines/1/price", `"many"`},
		{`[.lines[].price | amount] | dsum`, lines, "/lines/1/price", `"many"`},
		{`.lines[1].note | amount`, lines, "/lines/1/note", ""},
		{`.total | in_zone("UTC")`, lines, "/total", `"9"`},
		{`.lines[1] | refuse("the line is odd")`, lines, "/lines/1", ""},
		{`refuse("/lines/2: it is odd")`, lines, "/lines/2", ""},
		{`refuse("/lines/2/price"; "it is odd")`, lines, "/lines/2/price", `"3"`},
		{`refuse("lines.2.price"; "it is odd")`, lines, "/lines/2/price", `"3"`},
		{`refuse(["lines", 2, "price"]; "it is odd")`, lines, "/lines/2/price", `"3"`},
		{`.a.b | required("a.b")`, lines, "/a/b", ""},
		{`.a | required("what the till doesn't say")`, lines, "", ""},
		{`refuse("the whole is odd")`, lines, "", ""},
		{event(".lines[1].price"), lines, "/lines/1/price", `"many"`},
		// One value in two places says no place, also where it is in too many to look at all of them.
		{`.price | amount`, `{"price": "x", "lines": [` + strings.Repeat(`"x", `, 2000) + `{"price": "x"}]}`, "", ""},
		{`.lines[].price | amount`, `{"lines": [{"price": "x"}, {"price": "x"}]}`, "", ""},
		{`.lines[0].price | dadd("x")`, `{"lines": [{"price": "1"}], "other": "1"}`, "/lines/0/price", `"1"`},
		{`.["a/b"]["c~d"] | amount`, `{"a/b": {"c~d": "x"}}`, "/a~1b/c~0d", `"x"`},
	} {
		r := refusals(c.program, c.body)
		if r.At != c.at || r.Found != c.found {
			t.Errorf("%s: at %q stands %q, not %q, %q: %s", c.program, r.At, r.Found, c.at, c.found, r)
		}
		if c.at != "" && !strings.Contains(r.String(), c.at+" of the body") {
			t.Errorf("%s doesn't say where it is: %s", c.program, r)
		}
		if c.found != "" && !strings.Contains(r.String(), strings.Trim(c.found, `"`)) {
			t.Errorf("%s doesn't say what it found: %s", c.program, r)
		}
	}
}

// TestNamedPlaces: of a pointer into a body or an event only those steps are named that the mapping, the settings of
// the till or the contract has, and places in lists: a body may have people for its names.
func TestNamedPlaces(t *testing.T) {
	for _, c := range []struct{ program, body, at, named string }{
		{`.customers[] | .total | amount`, `{"customers": {"jane@x.com": {"total": "x"}}}`,
			"/customers/jane@x.com/total", "/customers/*/total"},
		{`.customers[] | .[1] | .total | amount`, `{"customers": {"4915112345678": [{}, {"total": "x"}]}}`,
			"/customers/4915112345678/1/total", "/customers/*/1/total"},
		{`.[0] | ."Order ID" | amount`, `[[{"Order ID": "x"}]]`, "/0/Order ID", "/0/Order ID"},
		{`.x | keys[0] as $who | refuse(["x", $who]; "odd")`, `{"x": {"a/b~jane": 1}}`, "/x/a~1b~0jane", "/x/*"},
		{`.x | keys[0] as $who | refuse("/x/\($who): odd")`, `{"x": {"7": 1}}`, "/x/7", "/x/*"},
		{`refuse([$till.column]; "odd")`, `{"Betrag": "x", "else": "y"}`, "/Betrag", "/Betrag"},
		{`refuse([$till.other]; "odd")`, `{"Netto": "x", "else": "y"}`, "/Netto", "/Netto"},
		{`{type: "makegood.order.placed.v1", id: "1", subject: "1", time: "2026-01-10T09:00:00Z", ` +
			`data: {order_id: "1", store_id: "s", currency: "USD", lines: [{line_id: "1", quantity: 1} + .extra]}}`,
			`{"extra": {"jane@x.com": 1}}`, "/data/lines/0/jane@x.com", "/data/lines/0/*"},
	} {
		m, err := tills.Parse("x.yaml", []byte("name: x\nsettings: {column: {}, other: {default: Netto}}\nkinds:\n"+
			"  - kind: a\n    when: true\n    events: |\n      "+c.program+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		till := tills.Till{Name: "t", Settings: map[string]string{"column": "Betrag"}}
		refusals := m.Map(t.Context(), till, tills.Input{Body: []byte(c.body)}).Refusals
		if len(refusals) != 1 {
			t.Fatalf("%s of %s: %v", c.program, c.body, refusals)
		}
		if r := refusals[0]; r.At+r.Pointer != c.at || r.Named != c.named {
			t.Errorf("%s: %q is named %q, not %q, %q", c.program, r.At+r.Pointer, r.Named, c.at, c.named)
		}
	}
}
