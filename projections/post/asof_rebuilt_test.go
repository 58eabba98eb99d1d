package post_test

import (
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/report"
)

// TestAsOfBeforeRatesOfARebuild: as of a time before a rebuild, what it priced again is priced as it was, whether who
// booked it knew the rebuild or not, and whether it posts alone or not. What the rebuild left alone stays.
func TestAsOfBeforeRatesOfARebuild(t *testing.T) {
	rate := func(id, of, key, value string) string {
		return event(id, "rate.set", "2026-01-01T00:00:00Z", "", `{"rate":"`+of+`","key":"`+key+`","value":"`+value+
			`","currency":"USD","effective_from":"2026-01-01"}`)
	}
	placed := func(order, cost string) string {
		return event("p"+order, "order.placed", "2026-01-09T00:00:00Z", order, `{"order_id":"`+order+`","store_id":"s1",`+
			`"currency":"USD","lines":[{"line_id":"1","sku":"a","quantity":"1","unit_price":"100"`+cost+`}]}`)
	}
	records := bookstest.Sequence(rate("r1", "item_cost", "a", "60"), rate("r2", "labour_hour", "*", "30"),
		placed("o1", ""), placed("o2", ""), event("l", "labour.spent", "2026-01-10T00:00:00Z", "o2", `{"order_id":"o2",`+
			`"store_id":"s1","error_id":"e2","labour_id":"l","role":"agent","minutes":60,"currency":"USD"}`),
		placed("o3", `,"unit_cost":"50"`), rate("r3", "item_cost", "a", "80"), rate("r4", "labour_hour", "*", "40"),
		event("b", "books.rebuilt", "2026-02-03T00:00:00Z", "", `{"rebuild_id":"x"}`))
	for _, i := range []int{2, 3, 5} {
		records[i].Stream = "orders"
	}
	for name, limit := range map[string]int64{"known": 100, "not known": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := bookstest.Open(t)
			for i := range records {
				knows := limit
				if limit == 0 {
					knows = records[i].Seq + 1
				}
				bookstest.BookKnowing(t, store, records, records[i:i+1], knows)
			}
			tell := func(before bool) string {
				t.Helper()
				ctx, asOf := t.Context(), report.AsOf{}
				if before {
					ctx, asOf = bookstest.AsOfTime(t, store, records, records[5].RecordedAt.Add(time.Second))
				}
				var all []string
				for _, order := range []string{"o1", "o2", "o3"} {
					story, err := report.ReadOrder(ctx, store.DB, order, asOf)
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, story.Contribution)
				}
				return strings.Join(all, " ")
			}
			if got := tell(false); got != "20.0000 -20.0000 50.0000" {
				t.Errorf("the orders bring %s", got)
			}
			if got := tell(true); got != "40.0000 10.0000 50.0000" {
				t.Errorf("as of before the rebuild the orders brought %s", got)
			}
		})
	}
}
