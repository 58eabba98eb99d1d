package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makegood/makegood/cmd/makegood/terminal"
)

// offline runs a command as a process would, with this standard input.
func offline(t *testing.T, in string, args ...string) (status int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	status = run(context.Background(), args, terminal.Streams{In: strings.NewReader(in), Out: &o, Err: &e})
	return status, o.String(), e.String()
}

const tableOfAShop = `what,order,line,date,sku,quantity,unit_price,discount,tax,unit_cost,currency,id,amount,kind
sale,1001,1,2026-01-10 09:00,M,1,100.00,,8.00,60.00,USD,,,
`

// TestTillMap: events on one stream, what is refused with its place on the other; a file that is refused, or isn't
// there, stops nothing in the others, and nothing is printed for what says nothing.
func TestTillMap(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.csv", tableOfAShop)
	bad := file("bad.csv", strings.Replace(tableOfAShop, "100.00", "one hundred", 1))
	mapping := file("mine.yaml", `
name: mine
settings: {region: {about: where it is, required: true}}
kinds:
  - kind: product
    header: X-Topic
    nothing: no money
  - kind: refund
    header: X-Topic
    events: |
      {type: "makegood.refund.issued.v1", id: "refund/\(.id)", time: $headers["x-at"], subject: "o-\($till.region)",
       data: {refund_id: "\(.id)", order_id: "o-\($till.region)", store_id: $till.store_id, currency: "EUR", net: .net}}
`)
	status, out, errs := offline(t, "", "till", "map", "csv", "--set", "store_id=s=1", bad, good,
		filepath.Join(dir, "none"))
	var event struct {
		ID     string
		Source string
		Data   map[string]any
	}
	if err := json.Unmarshal([]byte(out), &event); err != nil || event.ID != "order/1001" ||
		event.Source != "//tills/csv" || event.Data["store_id"] != "s=1" {
		t.Errorf("%v: %s", err, out)
	}
	if status != 1 || !strings.Contains(errs, "none") ||
		!strings.Contains(errs, "bad.csv: line 2 of the file, sale, line ") ||
		!strings.Contains(errs, `"one hundred" is no decimal number in .unit_price | price`) {
		t.Errorf("status %d: %s", status, errs)
	}
	status, out, errs = offline(t, `{"id": 9007199254740993, "net": 12.340}`, "till", "map", mapping, "--header",
		"X-Topic=refund", "--header=X-At=2026-01-10T09:00:00Z", "--set", "region=eu", "-")
	if status != 0 || errs != "" || !strings.Contains(out, `"id":"refund/9007199254740993"`) ||
		!strings.Contains(out, `"net":"12.340"`) || strings.Count(out, "\n") != 1 {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"", []string{"--kind", "product", "--set", "region=eu"}},
		{"", []string{"--header", "x-topic=product", "--set", "region=eu"}},
		{"bad_setting: region is not set", []string{"--kind", "product"}},
		{`bad_setting: mine has no setting "reg"`, []string{"--kind", "product", "--set", "reg=eu", "--set", "region=eu"}},
		{"do you mean product?", []string{"--kind", "products", "--set", "region=eu"}},
		{"unknown_kind: the header x-topic names a kind that there isn't: \"order\"",
			[]string{"--header", "X-Topic=order", "--set", "region=eu"}},
		{"unknown_kind: no kind of the mapping fits this body", []string{"--set", "region=eu"}},
		{"--header: \"X\" is not NAME=VALUE", []string{"--header", "X"}},
	} {
		status, out, errs := offline(t, "{}", append(append([]string{"till", "map", mapping}, c.args...), "-")...)
		if out != "" || (status == 0) != (c.want == "") || !strings.Contains(errs, c.want) || c.want == "" && errs != "" {
			t.Errorf("%q: status %d: %s%s", c.args, status, out, errs)
		}
	}
}

// TestTillNewFrom: a copy of a built-in mapping makes what that one makes, under its own name.
func TestTillNewFrom(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("day.csv", []byte(tableOfAShop), 0o644); err != nil {
		t.Fatal(err)
	}
	_, want, _ := offline(t, "", "till", "map", "csv", "day.csv")
	if status, out, errs := offline(t, "", "till", "new", "--from", "csv", "mine"); status != 0 ||
		!strings.Contains(out, "makegood till map mine/mine.yaml FILE") {
		t.Fatalf("status %d: %s%s", status, out, errs)
	}
	_, got, errs := offline(t, "", "till", "map", "mine/mine.yaml", "--set", "store_id=csv", "day.csv")
	if got != strings.ReplaceAll(want, "//tills/csv", "//tills/mine") || got == "" {
		t.Errorf("it makes %s%s\nand not %s", got, errs, want)
	}
	for _, from := range []string{"nobody", "../csv", ""} {
		status, _, errs := offline(t, "", "till", "new", "--from="+from, "mine")
		if status != 1 || from != "" && !strings.Contains(errs, "no mapping \""+from+"\" is built in: adyen, ") {
			t.Errorf("%q: status %d: %s", from, status, errs)
		}
	}
}

// TestTillNew: what it writes passes its own test; what is changed, or missing, is told.
func TestTillNew(t *testing.T) {
	t.Chdir(t.TempDir())
	if status, _, errs := offline(t, "", "till", "new", "mine"); status != 0 {
		t.Fatal(errs)
	}
	if status, out, errs := offline(t, "", "till", "test", "mine"); status != 0 || !strings.Contains(out, "3 of 3") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	if status, _, errs := offline(t, "", "till", "new", "mine"); status != 1 || !strings.Contains(errs, "mine") {
		t.Errorf("status %d: %s", status, errs)
	}
	change := func(file, from, to string) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.ReplaceAll(string(text), from, to)
		if changed == string(text) {
			t.Fatalf("%s has no %s", file, from)
		}
		if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	change("mine/refund.want.ndjson", "100.00", "101.00")
	if err := os.Rename("mine/product.want.ndjson", "mine/gone"); err != nil {
		t.Fatal(err)
	}
	status, out, _ := offline(t, "", "till", "test", "mine", "--seed", "7")
	if status != 1 || !strings.Contains(out, `/data/net: wanted "101.00", got "100.00"`) ||
		!strings.Contains(out, "neither product.want.ndjson nor product.refused.txt") ||
		!strings.Contains(out, "1 of 3 examples are right (--seed 7)") {
		t.Errorf("status %d: %s", status, out)
	}
	change("mine/refund.want.ndjson", "101.00", "100.00")
	if status, out, _ := offline(t, "", "till", "test", "mine", "--write"); status != 0 ||
		!strings.Contains(out, "written  product: 0 events") {
		t.Errorf("status %d: %s", status, out)
	}
	if status, out, _ := offline(t, "", "till", "test", "mine"); status != 0 {
		t.Errorf("status %d: %s", status, out)
	}
	change("mine/mine.yaml", "ascii_upcase", "ascii_upcas")
	if status, _, errs := offline(t, "", "till", "test", "mine"); status != 1 ||
		!strings.Contains(errs, "mine.yaml: line 45: there is no function ascii_upcas") ||
		!strings.Contains(errs, "do you mean ascii_upcase?") {
		t.Errorf("status %d: %s", status, errs)
	}
}
