package main

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/insight/estimate"
	"github.com/makegood/makegood/projections/report"
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

// spentOnPrevention is money for two causes of a store, and some whose cause nobody said.
var spentOnPrevention = []string{
	event("sp1", "quality.spent", "2026-01-05T09:00:00Z", "", `{"spend_id":"sp1","category":"prevention","store_id":"p1",
		"target_cause":"pick_pack","currency":"USD","amount":"12.34"}`),
	event("sp2", "quality.spent", "2026-01-19T09:00:00Z", "", `{"spend_id":"sp2","category":"prevention","store_id":"p1",
		"target_cause":"pick_pack","currency":"USD","amount":"2"}`),
	event("sp3", "quality.spent", "2026-01-19T09:00:00Z", "", `{"spend_id":"sp3","category":"prevention","store_id":"p1",
		"currency":"USD","amount":"1.01"}`),
	typedTwice,
	event("sp5", "event.voided", "2026-01-21T09:00:00Z", "", `{"voids":{"source":"urn:till:1","id":"sp4"},
		"reason":"typed twice","original":`+typedTwice+`}`),
}

var typedTwice = event("sp4", "quality.spent", "2026-01-20T09:00:00Z", "", `{"spend_id":"sp4","category":"prevention",
	"store_id":"p1","target_cause":"training","currency":"USD","amount":"50"}`)

// preventionHolds: what was spent sums to account 6100, voids included, and three weeks tell nothing.
func preventionHolds(t *testing.T, c *client) {
	january := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "store": {"p1"}, "currency": {"USD"}}
	a := insightAnswer(t, c, "prevention", january)
	for cause, spent := range map[string]string{"pick_pack": "14.3400", "": "1.0100"} {
		row := find(t, a.Rows, map[string]string{"cause": cause})
		hold(t, cause, row, map[string]string{"spent": spent, "verdict": "cant_tell_yet", "paid_back": "null"})
		if e := estimateIn(t, row, "net_value"); e.Enough || e.WhyNot == "" || row["needed"] == nil {
			t.Errorf("%s: %+v, %v", cause, e, row["needed"])
		}
	}
	var summary report.Summary
	if err := c.get(t.Context(), "/v1/summary", january, &summary); err != nil {
		t.Fatal(err)
	}
	if got := a.Totals["spent"]; len(summary.PAF.Periods) != 1 || got != summary.PAF.Periods[0].Prevention {
		t.Errorf("%v was spent, the summary has %+v", got, summary.PAF)
	}
}

// whatIfHolds: two weeks are no year.
func whatIfHolds(t *testing.T, c *client) {
	for _, by := range []string{"cause", "store", "vendor", "kind"} {
		a := insightAnswer(t, c, "what-if", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "store": {"p1"},
			"currency": {"USD"}, "by": {by}})
		if len(a.Rows) == 0 || len(a.Parts["whole"].Rows) != 1 {
			t.Fatalf("%s: %+v", by, a)
		}
		if e := estimateIn(t, a.Rows[0], "year"); e.Enough || e.N == 0 || e.Value != nil {
			t.Errorf("%s: %+v", by, e)
		}
		hold(t, by, a.Rows[len(a.Rows)-1], map[string]string{"up_to_here": "1.000000"})
	}
}

// signalsHold: cases are counted where they belong, and without a year before nothing is called.
func signalsHold(t *testing.T, c *client) {
	query := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "store": {"p1"}, "currency": {"USD"}}
	a := insightAnswer(t, c, "signals", query)
	for _, of := range []map[string]string{{"series": "company"}, {"series": "store", "of": "p1"}} {
		row := find(t, a.Rows, of)
		hold(t, "January", row, map[string]string{"cases": "4", "signal": "null", "called": "null", "baseline": "null"})
		if row["why_not"] == nil {
			t.Error("nothing says why nothing is called")
		}
	}
	for _, alarms := range []string{"0", "-1", "many", "1e9"} {
		query.Set("alarms", alarms)
		if err := c.get(t.Context(), "/v1/signals", query, nil); err == nil {
			t.Errorf("%s alarms are accepted", alarms)
		}
	}
}

// plantRise: an order a day in a year, every fourth of which fails; in January each of them does.
func plantRise(p *planted) {
	p.currency = "EUR"
	january := time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC)
	for day := -364; day < 31; day++ {
		at := january.AddDate(0, 0, day)
		order := fmt.Sprintf("rise-%d", day)
		p.sold(order, at.Format(time.RFC3339), "")
		p.arrived(order, at.Add(time.Hour).Format(time.RFC3339))
		if day%4 == 0 || day >= 0 {
			p.given(order, "damaged", at.Add(2*time.Hour).Format(time.RFC3339), "5")
		}
	}
}

// riseIsSeen: from a case in four days to one a day is called within weeks, watched before, and right first time is
// below its limit.
func riseIsSeen(t *testing.T, c *client) {
	a := insightAnswer(t, c, "signals", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "store": {"g1"},
		"currency": {"EUR"}})
	row := find(t, a.Rows, map[string]string{"series": "store", "of": "g1"})
	// A quarter of 31 orders, over the exposure of the year before, whose first six days have less than seven before them:
	// 91 ÷ (361 orders' worth of 364) × 31.
	hold(t, "g1", row, map[string]string{"cases": "31", "baseline": "0.25000000", "expected": "7.81440443",
		"signal": "true", "watch": "true", "since": "2026-01-01", "baseline_days": "364"})
	if called := row["called"].(string); called < "2026-01-05" || called > "2026-01-20" {
		t.Errorf("called on %s", called)
	}
	found, err := strconv.Atoi(row["found_in"].(string))
	if err != nil {
		t.Fatal(err)
	}
	fastest, err := strconv.Atoi(row["fastest"].(string))
	if err != nil || fastest < 5 || found < fastest || found > 3*fastest {
		t.Errorf("a doubling is found in %d days, no method takes less than %d", found, fastest)
	}
	weeks := a.Parts["right_first_time"].Rows
	if len(weeks) != 4 {
		t.Fatalf("%v", weeks)
	}
	for _, week := range weeks {
		hold(t, "week", week, map[string]string{"store": "g1", "delivered": "7", "right": "0", "share": "0.000000",
			"usual": "0.750000"})
	}
}

// whoCameBack are the orders of four customers: two were failed, of whom one came back, as did one of the others.
func whoCameBack() []string {
	p := &planted{store: "p7"}
	for customer, again := range map[string]bool{"failed-a": true, "failed-b": false, "fine-c": true, "fine-d": false} {
		with := `,"customer_id":"` + customer + `"`
		p.sold("p7-"+customer, "2026-01-05T09:00:00Z", with)
		if customer == "fine-c" { // found in time: nobody was failed
			p.tell("error.reported", "2026-01-05T10:00:00Z", "p7-"+customer, `"error_id":"p7-c","kind":"wrong_item",
				"found":"before_delivery","detected_by":"employee"`)
		}
		if strings.HasPrefix(customer, "failed") {
			p.given("p7-"+customer, "late", "2026-01-06T09:00:00Z", "1")
		}
		if again {
			p.sold("p7-"+customer+"-2", "2026-02-20T09:00:00Z", with)
		}
	}
	// Twenty customers in each arm of an experiment: 15 of those who were called come back, 5 of the others.
	for n := range 40 {
		arm, order := []string{"call", "holdout"}[n%2], fmt.Sprintf("p7-drawn-%d", n)
		with := fmt.Sprintf(`,"customer_id":"drawn-%d"`, n)
		p.sold(order, "2026-02-05T09:00:00Z", with)
		p.tell("error.reported", "2026-02-06T09:00:00Z", order, fmt.Sprintf(`"error_id":"%s-e","kind":"late",
			"found":"after_delivery","detected_by":"customer","experiment":{"name":"calls","arm":%q}`, order, arm))
		if n < 10 || arm == "call" && n < 30 {
			p.sold(order+"-2", "2026-03-20T09:00:00Z", with)
		}
	}
	return p.all
}

// experimentHolds: the arms are compared by Newcombe's interval, worked out by its formula by hand.
func experimentHolds(t *testing.T, c *client) {
	a := insightAnswer(t, c, "customers", url.Values{"from": {"2026-02-01"}, "to": {"2026-03-01"}, "store": {"p7"},
		"currency": {"USD"}})
	arm := func(name string) insight.Row {
		return find(t, a.Parts["experiments"].Rows, map[string]string{"experiment": "calls", "arm": name})
	}
	hold(t, "called", arm("call"), map[string]string{"customers": "20", "orders_before": "1.00"})
	// 15 of 20: Wilson 0.5313 to 0.8881; 5 of 20: 0.1119 to 0.4687.
	e := estimateIn(t, arm("call"), "difference")
	if !e.Enough || *e.Value != "0.500000" || !strings.HasPrefix(*e.Low, "0.190") || !strings.HasPrefix(*e.High, "0.695") {
		t.Errorf("%s from %s to %s, %s", *e.Value, *e.Low, *e.High, e.WhyNot)
	}
	if e := estimateIn(t, arm("holdout"), "difference"); e.Enough {
		t.Errorf("the holdout is held against itself: %+v", e)
	}
	fixes := find(t, a.Parts["fixes"].Rows, map[string]string{"by": "remedy", "of": "nothing"})
	hold(t, "without a remedy", fixes, map[string]string{"failed": "40"})
	hold(t, "never", find(t, a.Parts["fixes"].Rows, map[string]string{"by": "speed", "of": "never"}),
		map[string]string{"failed": "40"})
}

// customersHold: failed orders are counted with those like them, and two tell nothing.
func customersHold(t *testing.T, c *client) {
	a := insightAnswer(t, c, "customers", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "store": {"p7"},
		"currency": {"USD"}})
	for _, store := range []string{"p7", "all"} {
		row := find(t, a.Rows, map[string]string{"store": store})
		hold(t, store, row, map[string]string{"failed": "2", "alike": "2", "back_failed": "null", "e_value": "null"})
		if e := estimateIn(t, row, "difference"); e.Enough || e.N != 2 || e.WhyNot == "" {
			t.Errorf("%+v", e)
		}
		hold(t, "balance", find(t, a.Parts["balance"].Rows, map[string]string{"store": store, "what": "basket"}),
			map[string]string{"before": "0.0000", "after": "0.0000"})
	}
	for by, of := range map[string]string{"remedy": "concession", "speed": "within a day"} {
		row := find(t, a.Parts["fixes"].Rows, map[string]string{"by": by})
		hold(t, by, row, map[string]string{"of": of, "failed": "2", "e_value_bound": "null"})
		if e := estimateIn(t, row, "back"); *e.Value != "0.500000" || e.Enough {
			t.Errorf("%+v", e)
		}
	}
}

// TestStoreNamedAll: a store that is called as all stores together are has its own row, and counts once among all.
func TestStoreNamedAll(t *testing.T) {
	t.Parallel()
	_, c := startTestApp(t, t.TempDir())
	for i, store := range []string{"all", "s1"} {
		id := strconv.Itoa(i)
		mustPost(t, c, event("p"+id, "order.placed", "2026-01-10T09:00:00Z", "o"+id, `{"order_id":"o`+id+`","store_id":"`+
			store+`","currency":"USD","lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"100"}]}`))
		mustPost(t, c, event("r"+id, "refund.issued", "2026-01-11T09:00:00Z", "o"+id, `{"order_id":"o`+id+`","store_id":"`+
			store+`","error_id":"e`+id+`","refund_id":"r`+id+`","currency":"USD","net":"`+strconv.Itoa(i*10+5)+`"}`))
	}
	mustCatchUp(t, c)
	a := insightAnswer(t, c, "budget", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "per_order": {"10"}})
	var got []string
	for _, row := range a.Rows {
		got = append(got, fmt.Sprint(row["store"], " ", row["orders"], " ", row["leakage"]))
	}
	if want := []string{"all 1 5.0000", "s1 1 15.0000", "all 2 20.0000"}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
}
