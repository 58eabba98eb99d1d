package main

import (
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// plantWeeks: twelve weeks to the end of January, five orders a day; one of them is picked wrongly and costs 10, of one
// week all five.
func plantWeeks(p *planted) {
	first := time.Date(2025, 11, 9, 9, 0, 0, 0, time.UTC)
	for day := range 84 {
		at := first.AddDate(0, 0, day)
		failing := 1
		if at.Month() == time.January && at.Day() >= 4 && at.Day() <= 10 {
			failing = 5
		}
		for n := range 5 {
			order, when := fmt.Sprintf("weeks-%d-%d", day, n), at.Format(time.RFC3339)
			of := fmt.Sprintf(`{"order_id":%q,"store_id":%q,"currency":"NZD",`, order, p.store)
			p.all = append(p.all, event(order+"-p", "order.placed", when, order,
				of+`"lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"100","unit_cost":"60"}]}`))
			if n >= failing {
				continue
			}
			p.all = append(p.all, event(order+"-e", "error.reported", when, order, of+fmt.Sprintf(`"error_id":"%s-e",
				"kind":"wrong_item","found":"after_delivery","detected_by":"customer","root_cause":"pick_pack"}`, order)),
				event(order+"-c", "concession.granted", when, order, of+fmt.Sprintf(`"error_id":"%s-e",
				"concession_id":"%[1]s-c","kind":"cash","amount":"10"}`, order)))
		}
	}
}

// nextHolds: what is to be done first has the figures of the questions that it is taken from.
func nextHolds(t *testing.T, c *client) {
	usd := insightAnswer(t, c, "next", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "currency": {"USD"}})
	owed := insightAnswer(t, c, "recoverable", url.Values{"from": {"2025-02-01"}, "to": {"2026-02-01"},
		"currency": {"USD"}, "vendor": {"acme"}})
	claim := usd.Rows[0]
	hold(t, "what acme owes", claim, map[string]string{"rank": "1", "question": "recoverable", "action": "claim",
		"of": "acme", "amount": fmt.Sprint(owed.Totals["to_file"]), "cases": fmt.Sprint(owed.Totals["cases_to_file"]),
		"until": "2108-03-01"})
	// Of the claims on acme one was answered: too few to say how much comes back.
	if e, _ := claim["worth"].(*estimate.Estimate); e.Enough || e.Value != nil || e.N != 1 || e.WhyNot == "" {
		t.Errorf("what comes back of it: %+v", e)
	}
	// The packet behind it comes to the same.
	link, err := url.Parse(fmt.Sprint(claim["link"]))
	if err != nil {
		t.Fatal(err)
	}
	query := link.Query()
	query.Set("format", "json")
	packet := insightAnswer(t, c, strings.TrimPrefix(link.Path, "/v1/"), query)
	toFile := new(big.Rat)
	for _, row := range packet.Rows {
		if row["status"] == "to_file" {
			amount, _ := new(big.Rat).SetString(fmt.Sprint(row["claimed"]))
			toFile.Add(toFile, amount)
		}
	}
	if toFile.FloatString(4) != fmt.Sprint(claim["amount"]) {
		t.Errorf("the packet comes to %s, what is to be claimed is %v", toFile.FloatString(4), claim["amount"])
	}
	for _, row := range usd.Rows[1:] { // four weeks, and no year before
		if e, _ := row["worth"].(*estimate.Estimate); row["action"] != "cant_tell_yet" || e.Enough || e.WhyNot == "" ||
			!strings.Contains(fmt.Sprint(row["sentence"]), "Can't tell yet") {
			t.Errorf("without enough to tell it says %v", row)
		}
	}

	nzd := url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"}, "currency": {"NZD"}}
	rows := insightAnswer(t, c, "next", nzd).Rows
	if len(rows) != 3 {
		t.Fatalf("%d rows: %v", len(rows), rows)
	}
	// 1,120 in 84 days.
	cause, _ := rows[0]["worth"].(*estimate.Estimate)
	hold(t, "the cause", rows[0], map[string]string{"action": "get_right", "of": "pick_pack"})
	if cause == nil || *cause.Value != "4870.00" {
		t.Errorf("a year of the cause is %+v", cause)
	}
	if s := fmt.Sprint(rows[0]["sentence"]); !strings.Contains(s, "costs 4,870.00 NZD (") {
		t.Errorf("it says %q", s)
	}
	hold(t, "the signal", rows[1], map[string]string{"question": "signals", "action": "look_into", "cases": "59",
		"amount": "590.0000"})
	chart := find(t, insightAnswer(t, c, "signals", nzd).Rows, map[string]string{"series": "store", "of": "n1"})
	expected, _ := new(big.Rat).SetString(fmt.Sprint(chart["expected"]))
	extra := new(big.Rat).Sub(big.NewRat(59, 1), expected)
	want := extra.Mul(extra, big.NewRat(10, 1)).FloatString(2)
	if worth, _ := rows[1]["worth"].(*estimate.Estimate); worth == nil || *worth.Value != want {
		t.Errorf("what came on top is %+v, worked out %s", worth, want)
	}
	hold(t, "what is owed", rows[2], map[string]string{"question": "recoverable", "action": "cant_tell_yet"})
	nextOfNothing(t, c)
}

// nextOfNothing: without any data all three say what is needed.
func nextOfNothing(t *testing.T, c *client) {
	rows := insightAnswer(t, c, "next", url.Values{"from": {"2026-01-01"}, "to": {"2026-02-01"},
		"currency": {"CLP"}}).Rows
	questions := map[string]bool{}
	for _, row := range rows {
		questions[fmt.Sprint(row["question"])] = true
		if row["action"] != "cant_tell_yet" {
			t.Errorf("of nothing it says %v", row)
		}
	}
	if len(rows) != 3 || len(questions) != 3 {
		t.Errorf("of nothing it says %v", rows)
	}
}
