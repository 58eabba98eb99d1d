package report_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/report"
)

// TestCancelledWholeIsJudgedByTheLinesOrder: after a close somebody decides which of two orders placed under one id
// counts, without naming it. What that changes of the sale stands with the decision, and is of an order that its
// customer cancelled whole: nobody earns anything back with it. An order given away counts as one.
func TestCancelledWholeIsJudgedByTheLinesOrder(t *testing.T) {
	t.Parallel()
	placed := func(id, order, price, cost string) string {
		return bookstest.Event(id, "order.placed", "2026-01-09T00:00:00Z", order, `{"order_id":"`+order+
			`","store_id":"s1","currency":"USD","lines":[{"line_id":"1","sku":"a","quantity":"1","unit_price":"`+price+
			`","unit_cost":"`+cost+`"}]}`)
	}
	records := bookstest.Sequence(placed("p", "o1", "100", "60"),
		strings.ReplaceAll(placed("q", "o1", "130", "60"), "urn:till:1", "urn:web"),
		bookstest.Event("c", "order.cancelled", "2026-01-10T00:00:00Z", "o1",
			`{"order_id":"o1","store_id":"s1","by":"customer","currency":"USD"}`),
		placed("r", "o2", "50", "20"), placed("g", "o3", "0", "0"),
		bookstest.Event("m", "period.closed", "2026-02-01T00:00:00Z", "", `{"period":"2026-01"}`),
		bookstest.Event("d", "fact.decided", "2026-02-02T00:00:00Z", "",
			`{"source":"urn:web","id":"q","counts":true,"actor":"ann","reason":"the shop is right"}`))
	for i, stream := range []string{"orders", "orders", "orders", "orders", "orders", "books", "books"} {
		records[i].Stream = stream
	}
	store := bookstest.Open(t)
	bookstest.Book(t, store, records, rand.New(rand.NewPCG(1, 1)))
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	q := report.SummaryQuery{From: from, To: from.AddDate(0, 2, 0), Currency: "USD"}
	got, err := report.ReadSummary(t.Context(), store.DB, q, from.AddDate(0, 3, 0))
	if err != nil {
		t.Fatal(err)
	}
	want, err := reference.Serve(records, time.UTC, reference.ServiceQuery{From: "2026-01-01", To: "2026-03-01",
		Currency: "USD", Known: from.AddDate(0, 3, 0)})
	if err != nil {
		t.Fatal(err)
	}
	// 30.00 of o2, and the two orders that were not cancelled.
	if s := got.PerfectContribution; s.Numerator != "30.0000" || s.Denominator != "2" {
		t.Errorf("perfect contribution is %s of %s orders, not 30.0000 of 2", s.Numerator, s.Denominator)
	}
	if g, w := bookstest.Service(got)["perfect_contribution"], want["perfect_contribution"]; g != w {
		t.Errorf("perfect contribution is %s, by the reference %s", g, w)
	}
	profit, err := report.ReadProfit(t.Context(), store.DB, report.LeakageQuery{From: q.From, To: q.To, View: "economic",
		PeriodBy: "occurred", Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	if profit.Orders != 3 || profit.Promised != "100.0000" {
		t.Errorf("%d orders were to bring %s, not 3 of them 100.0000", profit.Orders, profit.Promised)
	}
}
