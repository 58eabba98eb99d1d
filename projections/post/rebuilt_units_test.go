package post_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/report"
)

// TestRebuildPricesEveryCase: what a rebuild posts for a case that has no order stands beside what it posts for others,
// and beside its own event.
func TestRebuildPricesEveryCase(t *testing.T) {
	const hour = `{"rate":"labour_hour","key":"agent","currency":"USD","effective_from":"2026-01-01T00:00:00Z","value":`
	labour := func(id string) string {
		return event(id, "labour.spent", "2026-01-0"+id+"T00:00:00Z", "e"+id, `{"error_id":"e`+id+`","store_id":"s1",`+
			`"labour_id":"`+id+`","currency":"USD","role":"agent","minutes":"60"}`)
	}
	records := bookstest.Sequence(event("r1", "rate.set", "2026-01-01T00:00:00Z", "", hour+`"30"}`),
		labour("2"), labour("3"), labour("4"),
		event("c", "period.closed", "2026-02-01T00:00:00Z", "", `{"period":"2026-01"}`),
		event("r2", "rate.set", "2026-02-02T00:00:00Z", "", hour+`"40"}`),
		event("b", "books.rebuilt", "2026-02-03T00:00:00Z", "", `{"rebuild_id":"x","closed_periods":true}`))
	for i, stream := range []string{"books", "redeliveries", "redeliveries", "redeliveries", "books", "books", "books"} {
		records[i].Stream = stream
	}
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("order %d", seed), func(t *testing.T) {
			t.Parallel()
			store, random := bookstest.Open(t), rand.New(rand.NewPCG(seed, 1))
			bookstest.Book(t, store, records, random)
			bookstest.CompareBooks(t, store, want, random)
			for _, id := range []string{"e2", "e3", "e4"} {
				s, err := report.ReadCase(t.Context(), store.DB, id, report.AsOf{})
				if err != nil {
					t.Fatal(err)
				}
				if s.Net != "40.0000" {
					t.Errorf("%s cost %s, not 40.0000", id, s.Net)
				}
			}
			if _, err := report.ReadEvent(t.Context(), store.DB, "urn:till:1", "b"); err != nil {
				t.Errorf("the rebuild's own event: %v", err)
			}
		})
	}
}
