package post_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/report"
)

// TestDecidedInAnyOrder: what a person decided on an event that posts alone, or on what was spent on quality, holds
// whichever of the two comes first.
func TestDecidedInAnyOrder(t *testing.T) {
	against := event("d", "fact.decided", "2026-01-12T00:00:00Z", "",
		`{"source":"urn:till:1","id":"x","counts":false,"actor":"ann","reason":"never was"}`)
	placed := event("p", "order.placed", "2026-01-09T00:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","currency":"USD",`+
			`"lines":[{"line_id":"1","sku":"a","quantity":"1","unit_price":"5"}]}`)
	delivered := event("x", "order.delivered", "2026-01-10T00:00:00Z", "o1", `{"order_id":"o1","store_id":"s1"}`)
	spent := event("x", "quality.spent", "2026-01-10T00:00:00Z", "",
		`{"spend_id":"q1","category":"appraisal","currency":"JPY","amount":"250.72"}`)
	orders := func(e string) reference.Record { return reference.Record{Stream: "orders", Event: []byte(e)} }
	books := func(e string) reference.Record { return reference.Record{Stream: "books", Event: []byte(e)} }
	for name, c := range map[string]struct {
		sent []reference.Record
		want string
	}{
		"delivered, then decided": {[]reference.Record{orders(placed), orders(delivered), books(against)},
			"d , p , x discarded: 0"},
		"decided, then delivered": {[]reference.Record{orders(placed), books(against), orders(delivered)},
			"d , p , x discarded: 0"},
		"spent, then decided": {[]reference.Record{books(spent), books(against)}, "d , x discarded: 0"},
		"decided, then spent": {[]reference.Record{books(against), books(spent)}, "d , x discarded: 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := bookstest.Open(t)
			for i := range c.sent {
				c.sent[i].Seq = int64(i + 1)
				c.sent[i].RecordedAt = bookstest.Sequence("")[0].RecordedAt
			}
			for i := range c.sent {
				// Who books it knows what stands before it, and no more.
				bookstest.BookKnowing(t, store, c.sent, c.sent[i:i+1], c.sent[i].Seq+1)
			}
			var said string
			if err := store.DB.QueryRow(t.Context(), `SELECT concat(arrayStringConcat(arraySort(groupArray(
    concat(event_id, ' ', toString(standing)))), ', '), ': ', toString(sum(arraySum(arrayMap((a, n) ->
        if(a = 6110, n, 0), account, amount))))) FROM ledger FINAL`).Scan(&said); err != nil {
				t.Fatal(err)
			}
			if said != c.want {
				t.Errorf("the ledger says %s, not %s", said, c.want)
			}
		})
	}
}

// TestDecidedBeforeItCame: what a person decided on an event that comes later is not in the order's story as of the
// time between the two, neither before the event comes nor after it.
func TestDecidedBeforeItCame(t *testing.T) {
	placed := event("p", "order.placed", "2026-01-09T00:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","currency":"USD",`+
			`"lines":[{"line_id":"1","sku":"a","quantity":"1","unit_price":"5"}]}`)
	against := event("d", "fact.decided", "2026-01-12T00:00:00Z", "",
		`{"source":"urn:till:1","id":"x","counts":false,"actor":"ann","reason":"never was"}`)
	void := event("v", "event.voided", "2026-01-13T00:00:00Z", "",
		`{"voids":{"source":"urn:till:1","id":"d"},"reason":"it was","actor":"ann","original":`+against+`}`)
	refund := event("x", "refund.issued", "2026-01-10T00:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","error_id":"e1","refund_id":"r","currency":"USD","net":"5"}`)
	for name, c := range map[string]struct{ sent, want []string }{
		"decided":    {[]string{placed, against, refund}, []string{"p", "x", "d"}},
		"taken back": {[]string{placed, against, void, refund}, []string{"p", "x", "d", "v"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := bookstest.Open(t)
			records := bookstest.Sequence(c.sent...)
			for i := range records {
				switch c.sent[i] {
				case placed:
					records[i].Stream = "orders"
				case against, void:
					records[i].Stream = "books"
				}
			}
			last := len(records) - 1
			tell := func(at time.Time) (ids []string) {
				t.Helper()
				ctx, asOf := t.Context(), report.AsOf{}
				if !at.IsZero() {
					ctx, asOf = bookstest.AsOfTime(t, store, records, at)
				}
				story, err := report.ReadOrder(ctx, store.DB, "o1", asOf)
				if err != nil {
					t.Fatal(err)
				}
				for i := range story.Events {
					ids = append(ids, story.Events[i].ID)
				}
				return ids
			}
			between := records[last].RecordedAt.Add(-time.Second)
			bookstest.BookKnowing(t, store, records, records[:last], 100)
			if got := tell(between); !slices.Equal(got, []string{"p"}) {
				t.Errorf("before the event came its order's story has %q", got)
			}
			bookstest.BookKnowing(t, store, records, records[last:], 100)
			if got := tell(between); !slices.Equal(got, []string{"p"}) {
				t.Errorf("as of the time before the event came its order's story has %q", got)
			}
			if got := tell(time.Time{}); !slices.Equal(got, c.want) {
				t.Errorf("the order's story has %q, not %q", got, c.want)
			}
		})
	}
}

// TestDecisionIsInItsEventsOrder: two orders name one case, so they are settled together. What a person decides after a
// close on an event of the second one, without naming its order, is in that order's story, and so is its void.
func TestDecisionIsInItsEventsOrder(t *testing.T) {
	placed := func(order, currency string) string {
		return event("p"+order, "order.placed", "2026-01-09T00:00:00Z", order, `{"order_id":"`+order+
			`","store_id":"s1","currency":"`+currency+`","lines":[{"line_id":"1","sku":"a","quantity":"1","unit_price":"5"}]}`)
	}
	labour := func(order, currency string) string {
		return event("l"+order, "labour.spent", "2026-01-10T00:00:00Z", order, `{"order_id":"`+order+
			`","store_id":"s1","error_id":"e1","labour_id":"`+order+`","currency":"`+currency+`","role":"agent","minutes":5}`)
	}
	refund := func(id string) string {
		return event(id, "refund.issued", "2026-01-10T00:00:00Z", "o2",
			`{"order_id":"o2","store_id":"s1","error_id":"e2","refund_id":"r","currency":"EUR","net":"5","tax":"`+
				map[string]string{"r1": "1", "r2": "2"}[id]+`"}`)
	}
	decided := event("d", "fact.decided", "2026-02-02T00:00:00Z", "",
		`{"source":"urn:till:1","id":"r2","separate":true,"actor":"ann","reason":"two refunds"}`)
	sent := []string{placed("o1", "USD"), labour("o1", "USD"), placed("o2", "EUR"), labour("o2", "EUR"), refund("r1"),
		refund("r2"), event("c", "period.closed", "2026-02-01T00:00:00Z", "", `{"period":"2026-01"}`), decided,
		event("v", "event.voided", "2026-02-03T00:00:00Z", "",
			`{"voids":{"source":"urn:till:1","id":"d"},"reason":"mistake","original":`+decided+`}`)}
	for name, n := range map[string]int{"decided": len(sent) - 1, "taken back": len(sent)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records := bookstest.Sequence(sent[:n]...)
			for i, stream := range map[int]string{0: "orders", 2: "orders", 7: "books", 8: "books"} {
				if i < n {
					records[i].Stream = stream
				}
			}
			want, err := reference.Run(records, time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			store, random := bookstest.Open(t), rand.New(rand.NewPCG(1, 1))
			bookstest.Book(t, store, records, random)
			bookstest.CompareBooks(t, store, want, random)
			var with string
			if err := store.DB.QueryRow(t.Context(), `SELECT arrayStringConcat(groupUniqArray(settled_with), ', ')
FROM ledger FINAL WHERE event_id IN ('d', 'v')`).Scan(&with); err != nil {
				t.Fatal(err)
			}
			if with != "o2" {
				t.Errorf("what was decided is of %q, not of o2", with)
			}
		})
	}
}
