package main

import (
	"net/url"
	"testing"

	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/insight/estimate"
)

// estimateIn is the estimate in a row.
func estimateIn(t *testing.T, row insight.Row, name string) *estimate.Estimate {
	t.Helper()
	e, is := row[name].(*estimate.Estimate)
	if !is {
		t.Fatalf("%s is no estimate: %v", name, row[name])
	}
	return e
}

// provisionHolds: months of failure sum to the leakage of the time, and one month tells nothing of what is to come.
func provisionHolds(t *testing.T, c *client) {
	a := insightAnswer(t, c, "provision", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "store": {"p1"},
		"currency": {"USD"}})
	hold(t, "January", find(t, a.Rows, map[string]string{"failed": "2026-01"}), map[string]string{"cases": "4",
		"came": "125.0100", "later": "0.0000"})
	hold(t, "totals", a.Totals, map[string]string{"came": leakageOf(t, c, "p1")})
	for _, row := range a.Parts["still_to_come"].Rows {
		if e := estimateIn(t, row, "to_come"); e.Enough || e.Value != nil || e.WhyNot == "" {
			t.Errorf("%+v", e)
		}
	}
	hold(t, "the entry", find(t, a.Parts["entry"].Rows, map[string]string{"account": "2400"}),
		map[string]string{"name": "accrued_costs", "debit": "0.0000", "credit": "null"})
}

// budgetHolds: of a time that is over nothing is estimated; burn is what an order cost over what it was allowed to.
func budgetHolds(t *testing.T, c *client) {
	query := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "store": {"p1"}, "currency": {"USD"},
		"per_order": {"10"}}
	a := insightAnswer(t, c, "budget", query)
	for _, store := range []string{"p1", "all"} {
		row := find(t, a.Rows, map[string]string{"store": store})
		hold(t, store, row, map[string]string{"orders": "7", "leakage": leakageOf(t, c, "p1"), "per_order": "17.85857143",
			"allowed": "10.00000000", "burn": "1.785857", "orders_expected": "7"})
		if e := estimateIn(t, row, "forecast"); !e.Enough || *e.Value != "125.01" || *e.Low != *e.High {
			t.Errorf("%+v", e)
		}
	}
	query.Set("per_order", "1/3")
	if err := c.get(t.Context(), "/v1/budget", query, nil); err == nil {
		t.Error("a third is taken for a price")
	}
}
