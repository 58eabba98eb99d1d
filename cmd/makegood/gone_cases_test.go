package main

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/makegood/makegood/projections/report"
)

// voidOf takes back the event that was told as the nth of an order.
func voidOf(order, source, id, original string) string {
	return event("void-"+id, "event.voided", "2026-01-25T09:00:00Z", order,
		`{"voids":{"source":"`+source+`","id":"`+id+`"},"reason":"it was told of the wrong order","original":`+original+`}`)
}

var (
	promised = told{kind: "order.placed", at: "2026-01-10T09:00:00Z", data: onOrder +
		`,"promise":{"until":"2026-01-12T00:00:00Z"},
		"lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"100","unit_cost":"60"}]`}
	arrived  = told{kind: "order.delivered", at: "2026-01-11T07:00:00Z", data: `"order_id":"$o","store_id":"s1"`}
	goodwill = told{kind: "refund.issued", at: "2026-01-13T09:00:00Z", data: onOrder + `,"refund_id":"$e-r","net":"30"`}
)

// TestCasesThatAreGone: a case of which everything was voided, and one that a refund made until its report came, are no
// cases any more: in stories, reports, the summary and statements.
func TestCasesThatAreGone(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	// v: a report and a refund of a case, both taken back. r: a refund, then the report that it belongs to.
	v := []told{promised, arrived, reported("damaged", "after_delivery", ""), refunded("30", "0")}
	r := []told{promised, arrived, goodwill, {kind: "error.reported", at: "2026-01-14T08:00:00Z",
		data: onCase + `,"kind":"damaged","found":"after_delivery","detected_by":"customer"`}}
	for n := range v {
		mustPost(t, c, v[n].on("v", n))
		mustPost(t, c, r[n].on("r", n))
	}
	caseIDs := func(order string) string {
		t.Helper()
		var story report.Story
		if err := c.get(t.Context(), "/v1/orders/"+order, nil, &story); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, k := range story.Cases {
			ids = append(ids, k.ErrorID)
		}
		return strings.Join(ids, " ")
	}
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v, r := caseIDs("v"), caseIDs("r"); v != "ve" || r != "re" {
		t.Errorf("the orders have the cases %q and %q", v, r)
	}
	mustPost(t, c, voidOf("v", "urn:till:1", "v-2", v[2].on("v", 2)))
	mustPost(t, c, voidOf("v", "urn:till:1", "v-3", v[3].on("v", 3)))
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := caseIDs("v"); got != "" {
		t.Errorf("of what was voided there are the cases %q", got)
	}
	span := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "group_by": {"case"}}
	var leakage report.Leakage
	if err := c.get(t.Context(), "/v1/reports/leakage", span, &leakage); err != nil {
		t.Fatal(err)
	}
	if len(leakage.Rows) != 1 || leakage.Rows[0].Key["case"] != "re" || leakage.Totals.Cases != 1 ||
		leakage.Totals.Orders != 1 {
		t.Errorf("the report has %+v, in all %+v", leakage.Rows, leakage.Totals)
	}
	span.Del("group_by")
	var summary report.Summary
	if err := c.get(t.Context(), "/v1/summary", span, &summary); err != nil {
		t.Fatal(err)
	}
	if got := summary.RightFirstTime.Numerator + "/" + summary.RightFirstTime.Denominator; got != "1/2" {
		t.Errorf("right first time are %s", got)
	}
	if got := summary.CostPerCase.Denominator; got != "1" {
		t.Errorf("cost per case is of %s cases", got)
	}
	var statement report.Statement
	if err := c.get(t.Context(), "/v1/statement", url.Values{"store": {"s1"}, "period": {"2026-01"}},
		&statement); err != nil {
		t.Fatal(err)
	}
	if all := statement.Currencies[0].Cases; len(all) != 1 || all[0].ErrorID != "re" {
		t.Errorf("the statement lists the cases %+v", all)
	}
	var gone report.Story
	if err := c.get(t.Context(), "/v1/cases/ve", nil, &gone); err != nil || !gone.Gone || len(gone.Cases) != 0 {
		t.Errorf("the story of a case that is gone: %v, %+v", err, gone.Cases)
	}
}

// TestACaseThatOnlyWaits: what waits for a decision makes no case, and the answer says why.
func TestACaseThatOnlyWaits(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	mustPost(t, c, sold.on("o1", 0))
	mustPost(t, c, refundFrom("urn:till:1", "till", "30"))
	waits := strings.Replace(refundFrom("urn:hook:1", "hook", "45"), `"error_id":"o1e"`, `"error_id":"x"`, 1)
	mustPost(t, c, waits)
	mustPost(t, c, strings.Replace(classified("damaged").on("o1", 9), `"error_id":"o1e"`, `"error_id":"y"`, 1))
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for id, words := range map[string]string{"x": "waits for a decision", "y": "nobody reported",
		"z": "nothing under that id"} {
		var p *problem
		err := c.get(t.Context(), "/v1/cases/"+id, nil, nil)
		if !errors.As(err, &p) || p.Status != http.StatusNotFound || !strings.Contains(p.Detail, words) {
			t.Errorf("case %s: %v, want 404 %q", id, err, words)
		}
	}
}
