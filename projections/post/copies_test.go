package post_test

import (
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/projections/bookstest"
)

// tablesAgree holds the tables that are fed from the ledger against it.
func tablesAgree(t *testing.T, store *clickhouse.Store) {
	t.Helper()
	bookstest.Clean(t, store)
	var differ uint64
	if err := store.DB.QueryRow(t.Context(), `SELECT count() FROM (SELECT source, event_id, unpriced FROM ledger FINAL
    WHERE notEmpty(unpriced) AND refused = '') AS l FULL JOIN (SELECT source, event_id, missing FROM unpriced FINAL
    WHERE notEmpty(missing)) AS u USING (source, event_id) WHERE l.unpriced != u.missing`).Scan(&differ); err != nil {
		t.Fatal(err)
	}
	if differ != 0 {
		t.Errorf("%d events are unpriced in the ledger or in unpriced alone", differ)
	}
}

// TestEarlierCopyComesLast: of two copies of an order.placed that were sent with different keys, the one that the log
// took first is booked after the other. The tables that are fed from the ledger hold it too, whatever they were told of
// the other.
func TestEarlierCopyComesLast(t *testing.T) {
	placed := event("p", "order.placed", "2026-01-09T00:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","currency":"USD",`+
			`"lines":[{"line_id":"1","sku":"a","quantity":"1","unit_price":"5"}]}`)
	refund := event("x", "refund.issued", "2026-01-10T00:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","error_id":"e1","refund_id":"r","currency":"USD","net":"5"}`)
	closed := event("c", "period.closed", "2026-02-01T00:00:00Z", "", `{"period":"2026-01"}`)
	rate := event("r", "rate.set", "2026-01-01T00:00:00Z", "",
		`{"rate":"item_cost","key":"a","value":"2","currency":"USD","effective_from":"2026-01-01"}`)
	void := event("v", "event.voided", "2026-01-11T00:00:00Z", "",
		`{"voids":{"source":"urn:till:1","id":"r"},"reason":"mistake","original":`+rate+`}`)
	for name, c := range map[string]struct {
		sent   []string
		booked []int
		want   string
	}{
		"which came after a close": {[]string{placed, refund, closed, placed}, []int{1, 2, 3, 0}, "c , p , x "},
		"which had no price":       {[]string{rate, placed, void, placed}, []int{0, 2, 3, 1}, "p , r , v "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := bookstest.Open(t)
			records := bookstest.Sequence(c.sent...)
			for i := range records {
				if c.sent[i] == placed {
					records[i].Stream = "orders"
				}
			}
			for _, i := range c.booked {
				bookstest.BookKnowing(t, store, records, []reference.Record{records[i]}, 100)
			}
			var said string
			if err := store.DB.QueryRow(t.Context(), `SELECT arrayStringConcat(arraySort(groupArray(
    concat(event_id, ' ', toString(standing)))), ', ') FROM ledger FINAL`).Scan(&said); err != nil {
				t.Fatal(err)
			}
			if said != c.want {
				t.Errorf("the ledger says %s, not %s", said, c.want)
			}
			tablesAgree(t, store)
		})
	}
}

// TestFirstCopyComesAfterAClose: of an event that came three times the second says something else, and it and the
// third stand after a close, with times before it. They are booked, and the time of the third is corrected, before the
// first one comes.
func TestFirstCopyComesAfterAClose(t *testing.T) {
	x := event("x", "refund.issued", "2026-01-10T00:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","error_id":"e1","refund_id":"r","currency":"USD","net":"5"}`)
	closed := event("c", "period.closed", "2026-02-01T00:00:00Z", "", `{"period":"2026-01"}`)
	store := bookstest.Open(t)
	records := bookstest.Sequence(x, closed, strings.Replace(x, `"net":"5"`, `"net":"7"`, 1), x)
	records[2].RecordedAt = records[0].RecordedAt.Add(time.Second)
	records[3].RecordedAt = records[0].RecordedAt.Add(2 * time.Second)
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for _, booked := range []struct{ i, knowing int }{{3, 1}, {1, 4}, {2, 4}, {0, 4}} {
		limit := records[0].Seq + int64(booked.knowing)
		bookstest.BookKnowing(t, store, records, records[booked.i:booked.i+1], limit)
	}
	if got, want := bookstest.Journal(t, store), strings.TrimSpace(want.Journal()); got != want {
		t.Errorf("the journals differ:\n%s", bookstest.Difference(got, want))
	}
	tablesAgree(t, store)
}
