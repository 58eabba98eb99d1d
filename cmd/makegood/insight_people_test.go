package main

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/insight/estimate"
)

// People at the counter of k1. The books keep hashes of them.
const (
	careful, hasty, middling, beginner = "careful", "hasty", "middling", "beginner"
)

// plantCounter: 120 orders each of three people, with 2, 14 and 40 failures; three of a beginner, and one that names
// nobody. A supplier's failure and a rejected case are nobody's.
func plantCounter(p *planted) {
	const at = "2026-01-10T09:00:00Z"
	sold := func(who string, n int, promise string) string {
		order := fmt.Sprintf("k-%s-%d", who, n)
		p.sold(order, at, fmt.Sprintf(`,"employee_id":%q%s`, who, promise))
		return order
	}
	failed := func(order, more string) {
		p.tell("error.reported", at, order, fmt.Sprintf(`"error_id":"%s-e","kind":"wrong_item",
			"detected_by":"customer",%s`, order, more))
	}
	for n := range 120 {
		promise := ""
		if n < 25 {
			promise = until("2026-01-12T12:00:00Z")
		}
		order := sold(careful, n, promise)
		if promise != "" {
			p.arrived(order, "2026-01-12T11:00:00Z")
		}
		if n < 2 {
			failed(order, `"found":"before_delivery","root_cause":"pick_pack"`)
		}
		if order := sold(middling, n, ""); n < 14 {
			failed(order, `"found":"after_delivery","root_cause":"training"`)
		}
		order = sold(hasty, n, promise)
		if promise != "" {
			p.arrived(order, map[bool]string{true: "2026-01-12T11:00:00Z", false: "2026-01-12T13:00:00Z"}[n < 5])
		}
		switch {
		case n < 20:
			failed(order, `"found":"after_delivery","employee_id":"`+hasty+`","root_cause":"catalog_data"`)
		case n < 40:
			failed(order, `"found":"after_delivery","root_cause":"pick_pack","party_at_fault":"own"`)
		case n < 50: // another one's, the supplier's, the catalogue's
			failed(order, []string{`"found":"after_delivery","employee_id":"` + beginner + `"`,
				`"found":"after_delivery","party_at_fault":"supplier"`,
				`"found":"after_delivery","root_cause":"catalog_data"`}[n%3])
		}
	}
	for n := range 3 {
		sold(beginner, n, "")
	}
	p.sold("k-nobody", at, "")
}

func counterHolds(t *testing.T, c *client) {
	a := insightAnswer(t, c, "counter", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "store": {"k1"}})
	// Hashes are told apart by what they did.
	row := func(orders, failed int) insight.Row {
		return find(t, a.Rows, map[string]string{"orders": fmt.Sprint(orders), "failed": fmt.Sprint(failed)})
	}
	hold(t, "the careful one", row(120, 2), map[string]string{"caught": "2", "stands": "above", "promised": "25",
		"avoided": "24.67"}) // 54 of 243 orders, times 120, less 2
	hold(t, "the middling one", row(120, 14), map[string]string{"caught": "0", "stands": "below", "promised": "0"})
	hold(t, "the hasty one", row(120, 40), map[string]string{"caught": "0", "stands": "below", "promised": "25"})
	hold(t, "the beginner", row(3, 0), map[string]string{"stands": "null"})
	hold(t, "nobody", row(1, 0), map[string]string{"employee": "", "stands": "null"})
	hold(t, "all", a.Totals, map[string]string{"orders": "364", "failed": "56", "caught": "2"})
	for i, who := range []insight.Row{row(120, 2), nil, nil, nil, row(1, 0)} {
		if who != nil && a.Rows[i]["employee"] != who["employee"] {
			t.Errorf("row %d is %v", i, a.Rows[i])
		}
	}
	right, _ := row(120, 40)["right"].(*estimate.Estimate)
	kept, _ := row(120, 2)["kept_difference"].(*estimate.Estimate)
	if right == nil || !right.Enough || *right.Value < "0.66" || *right.Value > "0.69" || kept == nil ||
		*kept.Value != "0.800000" || *kept.Low < "0.5" {
		t.Errorf("%+v, %+v", right, kept)
	}
	if early := row(3, 0)["right"].(*estimate.Estimate); early.Enough || early.Value != nil {
		t.Errorf("of three orders: %+v", early)
	}
}
