package main

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"github.com/makegood/makegood/projections/report"
)

// TestEveryAmountHasItsCurrency: an order in dollars with refunds in dollars and yen is told in both, by the order and
// by its case alike, event by event and line by line; no sum is of two.
func TestEveryAmountHasItsCurrency(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	const order = `"order_id":"o1","store_id":"s1",`
	for _, e := range []string{
		event("c", "period.closed", "2026-01-01T00:00:00Z", "", `{"period":"2025-12","actor":"ann","reason":"year's end"}`),
		event("1", "order.placed", "2025-12-10T09:00:00Z", "o1",
			`{`+order+`"currency":"USD","lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"100","unit_cost":"60"}]}`),
		event("2", "refund.issued", "2025-12-11T09:00:00Z", "o1",
			`{`+order+`"error_id":"e1","refund_id":"r1","currency":"JPY","net":"9000"}`),
		event("3", "refund.issued", "2025-12-12T09:00:00Z", "o1",
			`{`+order+`"error_id":"e1","refund_id":"r2","currency":"USD","net":"10"}`),
	} {
		mustPost(t, c, e)
		mustCatchUp(t, c)
	}
	for _, path := range []string{"/v1/orders/o1", "/v1/cases/e1"} {
		var s report.Story
		if err := c.get(t.Context(), path, nil, &s); err != nil {
			t.Fatal(err)
		}
		if s.Currency != "USD" || s.Net != "10.0000" || len(s.Others) != 1 || s.Others[0].Currency != "JPY" ||
			s.Others[0].Net != "9000.0000" {
			t.Errorf("%s: %s of %s, and %+v", path, s.Net, s.Currency, s.Others)
		}
		for _, e := range s.Events {
			if want := map[string]string{"1": "USD", "2": "JPY", "3": "USD"}[e.ID]; e.Currency != want {
				t.Errorf("%s, event %s: in %q, not %q", path, e.ID, e.Currency, want)
			}
			for _, l := range e.Lines {
				if l.Currency != e.Currency {
					t.Errorf("%s, event %s: a line in %q", path, e.ID, l.Currency)
				}
			}
		}
		var text bytes.Buffer
		tell(&text, &s)
		for _, amount := range []string{"9000.0000  JPY", "10.0000  USD"} {
			if !strings.Contains(text.String(), amount) {
				t.Errorf("%s: nobody tells of %s in\n%s", path, amount, text.String())
			}
		}
	}
	err := c.get(t.Context(), "/v1/summary", url.Values{"from": {"2025-12-01"}, "to": {"2026-01-01"}}, nil)
	if err == nil || !strings.Contains(err.Error(), "ask for one of USD, JPY") { // the order's sale is in dollars as well
		t.Errorf("the currency with the most lines doesn't come first: %v", err)
	}
	var changes report.Changes
	if err := c.get(t.Context(), "/v1/reports/changes", url.Values{"since_close": {"2025-12"}}, &changes); err != nil {
		t.Fatal(err)
	}
	totals := map[string]string{}
	for _, total := range changes.Totals {
		totals[total.Currency] = total.Net
	}
	if len(totals) != 2 || totals["USD"] != "10.0000" || totals["JPY"] != "9000.0000" {
		t.Errorf("since the close: %v", totals)
	}
}
