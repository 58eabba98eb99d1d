package main

import (
	"bytes"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/insight/estimate"
	"github.com/makegood/makegood/projections/report"
)

// vendorsTerms: acme pays all goods and half of the truck where it caused it, for a long time; swift all goods of its
// own, within five days.
var vendorsTerms = []string{
	event("terms-1", "vendor.terms", "2026-01-01T00:00:00Z", "", `{"vendor_id":"acme","window_days":30000,
		"effective_from":"2026-01-01","covers":[{"element":"GOODS","clause":"4.1"},
		{"element":"FLEET","cause":"supplier_quality","share":"0.5","clause":"4.2"}]}`),
	event("terms-2", "vendor.terms", "2026-01-01T00:00:00Z", "", `{"vendor_id":"swift","window_days":5,
		"effective_from":"2026-01-01","covers":[{"element":"GOODS","clause":"9"}]}`),
	// It takes effect after all that is asked for here.
	event("terms-3", "vendor.terms", "2026-01-01T00:00:00Z", "", `{"vendor_id":"acme","window_days":1,
		"effective_from":"2026-03-01","covers":[{"element":"REFUND"}]}`),
}

// plantVendors: five cases that suppliers and carriers caused, and one that was rejected.
func plantVendors(p *planted) {
	const at = "2026-01-10T12:00:00Z"
	report := func(order, more string) {
		p.sold(order, "2026-01-09T09:00:00Z", "")
		p.tell("error.reported", at, order, fmt.Sprintf(`"error_id":"%s-e","kind":"defective","found":"after_delivery",
			"detected_by":"customer",%s,"lines":[{"sku":"M","quantity":1,"unit_cost":"60"}]`, order, more))
	}
	// A part of 60 goes out: GOODS.
	goods := func(order, mode string) {
		p.tell("redelivery.dispatched", at, order, fmt.Sprintf(`"error_id":"%s-e","redelivery_id":"%[1]s-d","mode":%q,
			"lines":[{"sku":"M","quantity":1,"unit_cost":"60"}]`, order, mode))
	}
	cash := func(order, amount string) {
		p.tell("concession.granted", at, order, fmt.Sprintf(`"error_id":"%s-e","concession_id":"%[1]s-c","kind":"cash",
			"amount":%[2]q`, order, amount))
	}
	claim := func(kind, order, amount string) {
		p.tell("claim."+kind, "2026-01-12T10:00:00Z", order, fmt.Sprintf(`"error_id":"%s-e","claim_id":"%[1]s-k",
			"party":"supplier","party_id":"acme","amount":%q`, order, amount))
	}
	acme := `"party_at_fault":"supplier","root_cause":"supplier_quality","vendor_id":"acme"`
	report("truck", acme) // goods 60, truck 57.15, cash 10
	goods("truck", "own_truck")
	p.tell("redelivery.completed", at, "truck", `"error_id":"truck-e","redelivery_id":"truck-d","succeeded":true,
		"drive_minutes":30,"site_minutes":15,"distance_km":24`)
	cash("truck", "10")

	// Only the order's line says whose goods it is about.
	p.tell("order.placed", "2026-01-09T09:00:00Z", "line", `"lines":[{"line_id":"1","sku":"M","vendor_id":"acme",
		"quantity":1,"unit_price":"100","unit_cost":"60"},{"line_id":"2","sku":"N","vendor_id":"other","quantity":1,
		"unit_price":"20","unit_cost":"9"}]`)
	p.tell("error.reported", at, "line", `"error_id":"line-e","kind":"defective","found":"after_delivery",
		"detected_by":"customer","party_at_fault":"supplier","lines":[{"sku":"M","quantity":1,"unit_cost":"60"}]`)
	goods("line", "pickup")
	claim("filed", "line", "60")

	report("unnamed", `"party_at_fault":"carrier","root_cause":"carrier"`)
	cash("unnamed", "3")
	report("late", `"party_at_fault":"carrier","root_cause":"carrier","vendor_id":"swift"`)
	goods("late", "pickup")
	report("paid", acme)
	goods("paid", "pickup")
	p.tell("claim.filed", "2026-01-11T04:00:00Z", "paid", `"error_id":"paid-e","claim_id":"paid-k","party":"supplier",
		"party_id":"acme","amount":"45"`)
	claim("accepted", "paid", "45")
	claim("settled", "paid", "45")
	report("mistaken", acme)
	cash("mistaken", "9")
	p.n++
	p.all = append(p.all, event(fmt.Sprintf("%s-%d", p.store, p.n), "error.rejected", at, "mistaken",
		fmt.Sprintf(`{"order_id":"mistaken","store_id":%q,"error_id":"mistaken-e","reason":"none"}`, p.store)))
}

func recoverableHolds(t *testing.T, c *client) {
	january := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "store": {"v1"}, "currency": {"USD"}}
	a := insightAnswer(t, c, "recoverable", january)
	if len(a.Rows) != 3 {
		t.Fatalf("%v", a.Rows)
	}
	last := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 30000)
	left := int(last.Sub(a.AsOf.Truncate(24*time.Hour)) / (24 * time.Hour))
	row := func(vendor string) insight.Row { return find(t, a.Rows, map[string]string{"vendor": vendor}) }
	hold(t, "acme", row("acme"), map[string]string{"cases": "3", "gross": "247.1500", "to_file": "88.5750",
		"filed": "60.0000", "accepted": "60.0000", "refused": "0.0000", "lapsed": "0.0000", "not_covered": "38.5750",
		"recovered": "45.0000", "settled": "45.0000", "cases_to_file": "1", "days_left": fmt.Sprint(left),
		"last_day": last.Format(time.DateOnly)})
	hold(t, "swift", row("swift"), map[string]string{"cases": "1", "gross": "60.0000", "lapsed": "60.0000",
		"cases_to_file": "0", "days_left": "null"})
	hold(t, "nobody", row(""), map[string]string{"cases": "1", "gross": "3.0000", "not_covered": "3.0000"})
	hold(t, "the case of a line", find(t, a.Parts["cases"].Rows, map[string]string{"case": "line-e"}),
		map[string]string{"vendor": "acme", "status": "filed", "covered": "60.0000"})

	// The whole is the gross leakage that the report has of suppliers and carriers.
	gross := new(big.Rat)
	for _, party := range []string{"supplier", "carrier"} {
		var l report.Leakage
		query := url.Values{"party_at_fault": {party}}
		for name, of := range january {
			query[name] = of
		}
		if err := c.get(t.Context(), "/v1/reports/leakage", query, &l); err != nil {
			t.Fatal(err)
		}
		amount, _ := new(big.Rat).SetString(l.Totals.Gross)
		gross.Add(gross, amount)
	}
	parts := new(big.Rat)
	for _, name := range []string{"to_file", "filed", "accepted", "refused", "lapsed", "not_covered"} {
		amount, _ := new(big.Rat).SetString(fmt.Sprint(a.Totals[name]))
		parts.Add(parts, amount)
	}
	if a.Totals["gross"] != gross.FloatString(4) || parts.Cmp(gross) != 0 || gross.FloatString(4) != "310.1500" {
		t.Errorf("gross %v, its parts %s, the leakage report %s", a.Totals["gross"], parts.FloatString(4),
			gross.FloatString(4))
	}
	alone := january
	alone.Set("vendor", "swift")
	if got := insightAnswer(t, c, "recoverable", alone); len(got.Rows) != 1 || got.Totals["gross"] != "60.0000" {
		t.Errorf("of swift alone: %v", got.Rows)
	}
}

// vendorsHold: sales and costs sum to the journal, what failed to the leakage report.
func vendorsHold(t *testing.T, c *client) {
	a := insightAnswer(t, c, "vendors", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "store": {"v1"},
		"currency": {"USD"}})
	row := func(vendor string) insight.Row { return find(t, a.Rows, map[string]string{"vendor": vendor}) }
	hold(t, "acme", row("acme"), map[string]string{"lines": "1", "pieces": "1.0000", "sales": "100.0000",
		"received": "60.0000", "margin": "40.0000", "failed_lines": "1", "cases": "3", "gross": "247.1500",
		"recovered": "45.0000", "net": "202.1500", "of_margin": "5.053750", "claims": "2", "claims_accepted": "1",
		"days_to_accept": "1.25", "place_from": "null"})
	hold(t, "other", row("other"), map[string]string{"lines": "1", "sales": "20.0000", "received": "9.0000",
		"failed_lines": "0", "cases": "0", "net": "0.0000", "of_margin": "0.000000"})
	hold(t, "swift", row("swift"), map[string]string{"lines": "0", "margin": "0.0000", "net": "60.0000",
		"of_margin": "null", "days_to_accept": "null"})
	hold(t, "nobody", row(""), map[string]string{"lines": "5", "sales": "500.0000", "received": "300.0000",
		"net": "3.0000"})
	hold(t, "totals", a.Totals, map[string]string{"sales": "620.0000", "received": "369.0000", "gross": "310.1500",
		"recovered": "45.0000", "net": "265.1500"})
	if e, _ := row("acme")["per_thousand"].(*estimate.Estimate); e == nil || e.Enough || *e.Value != "1000.000000" {
		t.Errorf("%+v", e)
	}
	var text bytes.Buffer
	if err := c.get(t.Context(), strings.SplitN(row("acme")["link"].(string), "?", 2)[0],
		mustQuery(t, row("acme")["link"].(string)), &text); err != nil || !strings.Contains(text.String(), "truck-e") {
		t.Errorf("%v: %s", err, text.String())
	}
}

func mustQuery(t *testing.T, link string) url.Values {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// termsByCommand: what the command sends is what counts from that day on, however often it is sent.
func termsByCommand(t *testing.T, c *client) {
	for range 2 {
		var out, said bytes.Buffer
		if status := run(t.Context(), []string{"claim", "terms", "--to", c.base, "--vendor", "swift", "--window", "30000",
			"--from", "2026-01-05", "--cover", "GOODS:carrier:0.25:9", "--reason", "a new contract"},
			terminal.Streams{Out: &out, Err: &said}); status != 0 {
			t.Fatalf("%d %s", status, said.String())
		}
	}
	mustCatchUp(t, c)
	a := insightAnswer(t, c, "recoverable", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "store": {"v1"},
		"currency": {"USD"}, "vendor": {"swift"}})
	hold(t, "swift, from 5 January on", a.Totals, map[string]string{"gross": "60.0000", "to_file": "15.0000",
		"lapsed": "0.0000", "not_covered": "45.0000"})
	for _, bad := range []string{"", ":carrier"} {
		if _, err := coverOf(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// packetHolds: what is claimed is the sum of the journal lines that are named, by clause, and is filed once.
func packetHolds(t *testing.T, c *client) {
	january := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "store": {"v1"}, "currency": {"USD"},
		"vendor": {"acme"}}
	a := insightAnswer(t, c, "claims/packet", january)
	if len(a.Rows) != 3 {
		t.Fatalf("%v", a.Rows)
	}
	hold(t, "totals", a.Totals, map[string]string{"amount": "177.1500", "claimed": "148.5750"})
	hold(t, "goods", find(t, a.Rows, map[string]string{"case": "truck-e", "element": "GOODS"}), map[string]string{
		"order": "truck", "party": "supplier", "sku": `["M"]`, "quantity": `["1"]`, "ordered": "2026-01-09T09:00:00Z",
		"promised": "null", "reported": "2026-01-10T12:00:00Z", "condition": "defective", "status": "to_file",
		"amount": "60.0000", "share": "1", "clause": "4.1", "claimed": "60.0000"})
	fleet := find(t, a.Rows, map[string]string{"case": "truck-e", "element": "FLEET"})
	hold(t, "truck", fleet, map[string]string{"amount": "57.1500", "share": "0.5", "clause": "4.2",
		"claimed": "28.5750", "rate": `["45 minutes and 24 km"]`})
	if lines := fmt.Sprint(fleet["lines"]); !strings.HasSuffix(lines, " 5220 57.1500]") {
		t.Errorf("the journal lines of the truck: %s", lines)
	}
	if evidence, _ := fleet["evidence"].([]any); len(evidence) != 4 {
		t.Errorf("the evidence of the truck: %v", evidence)
	}

	// As of a moment it is the same again, whatever is filed meanwhile.
	january.Set("as_of", a.AsOf.Format(time.RFC3339Nano))
	text := func(format string) string {
		january.Set("format", format)
		var b bytes.Buffer
		if err := c.get(t.Context(), "/v1/claims/packet", january, &b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	before := [...]string{text("json"), text("csv"), text("html")}
	if !strings.Contains(before[2], "148.5750") || !strings.Contains(before[1], "57.1500") {
		t.Errorf("%v", before)
	}
	file := func() string {
		var out, said bytes.Buffer
		if status := run(t.Context(), []string{"claim", "file", "--to", c.base, "--vendor", "acme", "--from", "2026-01-01",
			"--until", "2026-02-01", "--store", "v1", "--currency", "USD", "--yes"},
			terminal.Streams{Out: &out, Err: &said}); status != 0 {
			t.Fatalf("%d %s", status, said.String())
		}
		mustCatchUp(t, c)
		return out.String()
	}
	if said := file(); said != "truck-e 88.5750 USD\n1 claims filed, 88.5750 USD\n" {
		t.Error(said)
	}
	if said := file(); said != "nothing is to be filed with acme\n" {
		t.Error(said)
	}
	if after := [...]string{text("json"), text("csv"), text("html")}; after != before {
		t.Errorf("as of the same moment, after a claim was filed:\n%v\n%v", before, after)
	}
	hold(t, "filed", insightAnswer(t, c, "recoverable", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"},
		"store": {"v1"}, "currency": {"USD"}, "vendor": {"acme"}}).Totals,
		map[string]string{"to_file": "0.0000", "filed": "148.5750"})
}
