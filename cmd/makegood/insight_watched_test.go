package main

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/projections/insight"
)

// watchedHold: what monitoring is told on Sunday, the 1st of February, is what the questions answer for the time from
// Monday, the 29th of December, on.
func watchedHold(t *testing.T, app *server.App, c *client) {
	sunday := time.Date(2026, 2, 1, 10, 0, 0, 0, time.UTC)
	signals, err := insight.ReadSignals(t.Context(), app.Store.Reports, sunday)
	if err != nil {
		t.Fatal(err)
	}
	of := func(chart, series, of, currency string) insight.Signal {
		t.Helper()
		i := slices.IndexFunc(signals, func(s insight.Signal) bool {
			return s.Chart == chart && s.Series == series && s.Of == of && s.Currency == currency
		})
		if i < 0 {
			t.Fatalf("no %s of %s %s in %s: %+v", chart, series, of, currency, signals)
		}
		return signals[i]
	}
	row := find(t, insightAnswer(t, c, "signals", url.Values{"from": {"2025-12-29"}, "to": {"2026-02-01"},
		"currency": {"EUR"}}).Rows, map[string]string{"series": "store", "of": "g1"})
	expected, err := strconv.ParseFloat(fmt.Sprint(row["expected"]), 64)
	if err != nil {
		t.Fatal(err)
	}
	if s := of(insight.ChartCases, "store", "g1", "EUR"); !s.Worse || s.Observed != 31 || s.Usual != expected {
		t.Errorf("cases: %+v, the answer expects %v", s, expected)
	}
	// Seven cases of 5 in the week from the 19th to the 25th; a case in four days before.
	if s := of(insight.ChartMoney, "store", "g1", "EUR"); !s.Worse || s.Observed != 35 || s.Usual != 8.75 {
		t.Errorf("money: %+v", s)
	}
	// 91 of the 361 orders before failed. Seven of seven may be chance where weeks vary as those before: no signal.
	if s := of(insight.ChartRightFirstTime, "store", "g1", "EUR"); s.Worse || s.Observed != 7 ||
		math.Abs(s.Usual-7*91./361) > 1e-4 {
		t.Errorf("right first time: %+v", s)
	}

	sources, err := insight.ReadSources(t.Context(), app.Store.Reports, sunday)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(sources, func(s insight.Source) bool { return s.What == "store" && s.Name == "q1" })
	if i < 0 || !sources[i].Silent || sources[i].Expected < 24 {
		t.Errorf("the silent store: %d, %+v", i, sources)
	}
	i = slices.IndexFunc(sources, func(s insight.Source) bool { return s.What == "store" && s.Name == "g1" })
	if i < 0 || sources[i].Silent {
		t.Errorf("the store that sells: %d, %+v", i, sources)
	}
}
