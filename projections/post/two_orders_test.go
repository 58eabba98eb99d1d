package post_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/report"
)

// crossedOrders are two orders that name one case, e2. The last event, a second order.placed of o2, makes all of its
// source wait: so e2 is of o1, whose refund without a case is a case of its own then, and no part of e1, which is
// unfounded. So an event of o2 moves what o1 cost.
func crossedOrders() []reference.Record {
	placed := func(id, order, store string) string {
		return event(id, "order.placed", "2026-01-0"+id[1:]+"T00:00:00Z", order, `{"order_id":"`+order+`","store_id":"`+store+
			`","currency":"USD","lines":[{"line_id":"1","sku":"a","quantity":"1","unit_price":"100"}]}`)
	}
	of := func(order, errorID string) string { return `{"order_id":"` + order + `","store_id":"s1",` + errorID }
	refund := func(id, order, errorID, net string) string {
		return event(id, "refund.issued", "2026-01-0"+id[1:]+"T00:00:00Z", order,
			of(order, errorID)+`"refund_id":"`+id+`","currency":"USD","net":"`+net+`"}`)
	}
	fromB := func(e string) string { return strings.Replace(e, "urn:till:1", "urn:till:b", 1) }
	records := bookstest.Sequence(placed("p1", "o1", "s1"),
		event("e2", "error.reported", "2026-01-02T00:00:00Z", "o1", of("o1", `"error_id":"e1",`)+
			`"kind":"damaged","found":"after_delivery","detected_by":"customer"}`),
		event("e3", "error.rejected", "2026-01-03T00:00:00Z", "o1", of("o1", `"error_id":"e1",`)+`"reason":"it was whole"}`),
		refund("r4", "o1", "", "18.928"), placed("p5", "o2", "s1"), fromB(refund("r6", "o2", `"error_id":"e2",`, "7")),
		refund("r7", "o1", `"error_id":"e2",`, "9"), fromB(placed("p8", "o2", "s2")))
	for i, stream := range []string{"orders", "errors", "errors", "redeliveries", "orders", "redeliveries", "redeliveries",
		"orders"} {
		records[i].Stream = stream
	}
	return records
}

// TestWhatOneOrderChangesOfAnother: what an event of one order moves of another one's money is the other's, wherever
// somebody asks; in any order of arrival, and where a month was closed before it came.
func TestWhatOneOrderChangesOfAnother(t *testing.T) {
	closed := append(crossedOrders(), reference.Record{Stream: "books",
		Event: []byte(event("c", "period.closed", "2026-02-01T00:00:00Z", "", `{"period":"2026-01"}`))})
	last := len(closed) - 1
	closed[last-1], closed[last] = closed[last], closed[last-1] // before the second order.placed
	first := closed[0].RecordedAt
	for i := range closed {
		closed[i].Seq, closed[i].RecordedAt = int64(i+1), first.Add(time.Duration(i)*time.Minute)
	}
	for name, records := range map[string][]reference.Record{"open": crossedOrders(), "closed": closed} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("%s, order %d", name, seed), func(t *testing.T) {
				t.Parallel()
				want, err := reference.Run(records, time.UTC)
				if err != nil {
					t.Fatal(err)
				}
				store, random := bookstest.Open(t), rand.New(rand.NewPCG(seed, 1))
				bookstest.Book(t, store, records, random)
				bookstest.CompareBooks(t, store, want, random)
				checkCrossed(t, store)
			})
		}
	}
}

// checkCrossed asks every surface what the two orders cost.
func checkCrossed(t *testing.T, store *clickhouse.Store) {
	t.Helper()
	const net, unfounded = "27.9280", "0.0000"
	for order, want := range map[string]string{"o1": net, "o2": "0.0000"} {
		story, err := report.ReadOrder(t.Context(), store.DB, order, report.AsOf{})
		if err != nil {
			t.Fatal(err)
		}
		if story.Net != want || story.Unfounded != unfounded {
			t.Errorf("the story of %s has net %s, unfounded %s, not %s and %s", order, story.Net, story.Unfounded, want,
				unfounded)
		}
		for _, c := range story.Cases {
			if order == "o2" {
				t.Errorf("o2 has the case %s", c.ErrorID)
			}
		}
	}
	asked := report.LeakageQuery{From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		To: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), GroupBy: []string{"order", "case"}, View: "economic",
		PeriodBy: "occurred", Currency: "USD"}
	for _, later := range []bool{false, true} { // from the roll-up, and without it
		if later {
			asked.AsOf.Time = time.Now().AddDate(10, 0, 0)
		}
		got, err := report.ReadLeakage(t.Context(), store.DB, asked, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		var rows []string
		for _, r := range got.Rows {
			rows = append(rows, fmt.Sprint(r.Key["order"], " ", r.Key["case"], " ", r.Net))
		}
		if text := strings.Join(rows, ", "); text != "o1 e2 9.0000, o1 r4 18.9280" || got.Apart["unfounded"] != unfounded {
			t.Errorf("the report says %s; unfounded %s", text, got.Apart["unfounded"])
		}
	}
	for question, want := range map[string]string{
		`SELECT arrayStringConcat(arraySort(groupArray(concat(order_id, ' ', toString(net), ' ', toString(unfounded)))), ', ')
         FROM orders`: "o1 27.928 0, o2 0 0",
		`SELECT arrayStringConcat(arraySort(groupArray(concat(order_id, ' ', error_id, ' ', toString(net)))), ', ')
         FROM cases`: "o1 e1 0, o1 e2 9, o1 r4 18.928",
		`SELECT arrayStringConcat(arraySort(groupArray(concat(order_id, ' ', error_id, ' ', toString(n)))), ', ')
         FROM (SELECT order_id, error_id, sum(amount) AS n FROM journal WHERE element != '' GROUP BY order_id, error_id
             HAVING n != 0)`: "o1 e2 9, o1 r4 18.928",
	} {
		var got string
		if err := store.DB.QueryRow(t.Context(), question).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s: %s, not %s", question, got, want)
		}
	}
	month, err := domain.ParsePeriod("2026-01")
	if err != nil {
		t.Fatal(err)
	}
	statement, err := report.ReadStatement(t.Context(), store.DB,
		report.StatementQuery{Store: "s1", Period: month, PeriodBy: "occurred"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if c := statement.Currencies[0]; c.Net != net || c.Unfounded != unfounded {
		t.Errorf("the statement says net %s, unfounded %s", c.Net, c.Unfounded)
	}
	for _, c := range statement.Currencies[0].Cases {
		if c.OrderID != "o1" {
			t.Errorf("the statement has the case %s of order %s", c.ErrorID, c.OrderID)
		}
	}
}
