package tills_test

import (
	"context"
	"strings"
	"testing"

	"github.com/makegood/makegood/infra/tills"
)

func TestCSVOfASmallShop(t *testing.T) {
	m, err := tills.Load("csv")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(m.About, "\n\n")
	got := m.Map(context.Background(), tills.Till{Name: "csv"}, tills.Input{Body: []byte(table)})
	for _, r := range got.Refusals {
		t.Error(r)
	}
	for _, e := range got.Events {
		t.Log(string(e.JSON))
	}
}

// TestManyBodies: a body comes bare, in its wrapping, many in a list, one after the other. Each is one: what is wrong
// with it is told with its place, and keeps back only its own events.
func TestManyBodies(t *testing.T) {
	m, err := tills.Parse("x.yaml", []byte(`
name: x
each: if .type == "list" then .items[] else . end
unwrap: [.data.object, ".order, .orders[]?"]
kinds:
  - kind: order
    also: [order.updated, item.*]
    when: .id
    events: |
      {type: "makegood.error.rejected.v1", id: "\(.id)", time: "2026-01-10T09:00:00Z", subject: "\(.subject // .id)",
       data: {error_id: "e", order_id: "\(.subject // .id)", store_id: $till.store_id,
              reason: "\($envelope | type) \($kind)"}},
      (if .bad then {type: "makegood.error.rejected.v1", id: "2", data: {reasn: 1}} else empty end)
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		body, ids, refused string
	}{
		{`{"id": 1}`, "1", ""}, {`{"data": {"object": {"id": 1}}}`, "1", ""}, {`{"order": {"id": 1}}`, "1", ""},
		{`{"orders": [{"id": 1}, {"id": 2}]}`, "1 2", ""}, {`[{"id": 1}, {"id": 2}]`, "1 2", ""},
		{`{"type": "list", "items": [{"id": 1}, {"data": {"object": {"id": 2}}}]}`, "1 2", ""},
		{"{\"id\": 1}\n{\"id\": 2}", "1 2", ""}, {`[{"type": "list", "items": [{"id": 1}]}, {"id": 2}]`, "1 2", ""},
		{`[]`, "", ""}, {`{"orders": []}`, "", "no kind"}, {`{"data": null, "id": 3}`, "3", ""},
		{`[{"id": 1}, {"id": 2, "bad": true}, {"id": 3}]`, "1 3",
			"record 2, order, line 13 of the mapping, event 2 (id 2), /data/reasn: unknown_member: the contract has no member"},
		{`[{"id": 1}, {"id": 1}, {"id": 2}]`, "1 2", ""}, {`[{"id": 1}, {"id": 1, "subject": 2}]`, "1", "record 2, order, "},
		{`[{"id": 1}, {}]`, "1", "record 2: unknown_kind"}, {`[{"id": 1}, 7]`, "", "expected an object but got: number"},
	} {
		got := m.Map(context.Background(), tills.Till{Name: "x"}, tills.Input{Body: []byte(c.body)})
		var ids, refused []string
		for _, e := range got.Events {
			ids = append(ids, e.Key)
		}
		for _, r := range got.Refusals {
			refused = append(refused, r.String())
		}
		if strings.Join(ids, " ") != c.ids && c.ids != "" || (c.refused == "") != (len(refused) == 0) ||
			len(refused) > 1 || !strings.Contains(strings.Join(refused, ""), c.refused) {
			t.Errorf("%s: %q, %q", c.body, ids, refused)
		}
	}
}

// TestNamesOfKinds: a name that ends in a star takes all that begin so and are no other kind's; a star alone takes what
// headers say, and nothing that a person names.
func TestNamesOfKinds(t *testing.T) {
	m, err := tills.Parse("x.yaml", []byte(`
name: x
kinds:
  - {kind: orders, also: [order.*], header: X-Topic, nothing: orders}
  - {kind: order.paid, header: X-Topic, nothing: paid}
  - {kind: others, also: ["*"], header: X-Topic, nothing: others}
`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"order.new": "orders", "order.paid": "paid", "orders": "orders",
		"x": "others"} {
		header := m.Map(context.Background(), tills.Till{Name: "x"}, tills.Input{Body: []byte("{}"),
			Headers: map[string]string{"X-Topic": name}})
		if len(header.Nothing) != 1 || !strings.HasSuffix(header.Nothing[0], ": "+want) {
			t.Errorf("header %s: %q %v", name, header.Nothing, header.Refusals)
		}
		named := m.Map(context.Background(), tills.Till{Name: "x"}, tills.Input{Body: []byte("{}"), Kind: name})
		if refused := want == "others"; len(named.Nothing) == 1 == refused || len(named.Refusals) == 1 != refused {
			t.Errorf("named %s: %q %v", name, named.Nothing, named.Refusals)
		}
	}
}

// TestPagesAreRefused: what is wrong in a page is told with its line, and what is nearest.
func TestPagesAreRefused(t *testing.T) {
	kinds := "kinds: [{kind: a, when: 'true', events: '.'}]\n"
	for _, c := range []struct{ page, want string }{
		{"name: x\nkind: a\n" + kinds, "line 2: there is no key kind here: do you mean kinds?"},
		{"name: X\n" + kinds, "small letters"},
		{"name: x\n", "kinds: there is none"}, {"name: x\n" + kinds + kinds, "line 3: mapping key"}, {"", "EOF"},
		{"- a\n", "line 1"},
		{"name: x\nread: {formt: csv}\n" + kinds, "line 2: there is no key formt here: do you mean format?"},
		{"name: x\nkinds:\n - kind: a\n   when: .a\n    nothing: b\n", "indented by too many or too few spaces"},
		{"name: x\nkinds:\n\t- kind: a\n", "line 3: found character that cannot start any token (indent with spaces"},
		{"name: x\nabout: a till: ours\n" + kinds, "a text with a colon needs quotes"},
		{"name: x\nkinds:\n  - {kind: a, whn: 'true', events: .}\n", "line 3: there is no key whn here: do you mean when?"},
		{"name: x\nkinds:\n  - {kind: a, events: ., nothing: b}\n", "line 3: a kind has either events: or nothing:"},
		{"name: x\nkinds:\n  - {kind: a}\n", "line 3: a kind has either"},
		{"name: x\nkinds:\n  - {kind: a, events: .}\n  - {kind: a, events: .}\n", "line 4: kind: \"a\" is there twice"},
		{"name: x\nread: {format: yaml}\n" + kinds, "there is no format \"yaml\""},
		{"name: x\nread: {delimiter: ';'}\n" + kinds, "delimiter and encoding are of csv"},
		{"name: x\nread: {format: csv, decimal_comma: true}\n" + kinds, "line 2: decimal_comma lists the columns of numbers"},
		{"name: x\nread: {format: csv, columns: [a], decimal_comma: [b]}\n" + kinds, "a column that there isn't: \"b\""},
		{"name: x\nread: {format: csv, quotes: single}\n" + kinds, "quotes are all, none or not_with_tabs"},
		{"name: x\nread: {format: csv, encoding: klingon}\n" + kinds, "there is no encoding \"klingon\""},
		{"name: x\nread: {format: csv, delimiter: ab}\n" + kinds, "a delimiter is one character"},
		{"name: x\nsettings: {Name: {}}\n" + kinds, "line 2: \"Name\" is no name of a setting"},
		{"name: x\nsettings:\n  a: {defualt: 1}\n" + kinds, "line 3: there is no key defualt here: do you mean default?"},
		{"name: x\ntables: {a: b}\n" + kinds, "line 2: the table a has no words"},
		{"name: x\nfunctions: |\n  def f: 1;\n  def g: h;\n" + kinds, "line 4: there is no function h"},
		{"name: x\nfunctions: |\n  def map: 1;\n" + kinds, "line 3: map is the name of a function that there is"},
		{"name: x\nkinds:\n  - kind: a\n    events: |\n      .a\n      | .b +\n", "line 6: it is no jq program: " +
			"unexpected EOF"},
		{"name: x\nkinds:\n  - kind: a\n    events: |\n      .a\n      | amont\n",
			"line 6: there is no function amont in amont " +
				"(do you mean amount?)"},
		{"name: x\nkinds:\n  - kind: a\n    events: |\n      .a\n      | $x\n", "line 6: variable not defined: $x"},
		{"name: x\nkinds:\n  - kind: a\n    events: |\n      .a\n      | dadd\n", "line 6: dadd has 0 arguments"},
		{"name: x\nkinds:\n  - kind: a\n    events: [a]\n", "line 4: a jq program is a text"},
		{"name: x\nkinds:\n  - kind: a\n    events: ''\n", "there is no program"}, {"name: x\n---\n" + kinds,
			"one YAML document"},
		{strings.Repeat("#", 2<<20), "at most"}, {"name: &a [*a]\n", "line 1"},
	} {
		if _, err := tills.Parse("p.yaml", []byte(c.page)); err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), "p.yaml") {
			t.Errorf("%.200s\n got %v\nwant %s", c.page, err, c.want)
		}
	}
}
