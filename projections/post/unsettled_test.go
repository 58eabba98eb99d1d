package post_test

import (
	"testing"

	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/post"
)

// TestManyUnsettledConflicts: conflicts are counted where there are more than the text of a statement holds, as while
// the check for conflicts is behind. A month that is closed then has to be sealed later.
func TestManyUnsettledConflicts(t *testing.T) {
	t.Parallel()
	const orders = 20_000 // ClickHouse reads a statement of 256 KiB, some 13,000 hashes
	store := bookstest.Open(t)
	if err := store.DB.Exec(t.Context(), `
INSERT INTO ledger (stream, offset, event_type, source, event_id, order_id, content, occurred_at)
SELECT 'orders', number, 'makegood.order.placed.v1', 'till', concat(order, if(number < 2 * ?, '', ' again')),
       toString(number % ?) AS order, number, '2026-01-01 00:00:00'
FROM numbers(3 * ?)`, orders, orders, orders); err != nil {
		t.Fatal(err)
	}
	if n, err := post.UnsettledConflicts(t.Context(), store.DB); err != nil || n != orders {
		t.Errorf("%d conflicts, want %d: %v", n, orders, err)
	}
	if n, err := post.UnsettledDoubles(t.Context(), store.DB); err != nil || n != orders {
		t.Errorf("%d orders placed twice, want %d: %v", n, orders, err)
	}
}
