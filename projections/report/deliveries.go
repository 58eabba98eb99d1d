package report

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/sql"
)

// deliveries count what became of the orders that were delivered in a period. An order counts where its last delivery
// falls, since only with that one is it whole.
type deliveries struct {
	Delivered uint64 `ch:"delivered"`
	Promised  uint64 `ch:"promised"` // with a time in the last promise; without one nothing can be late
	OnTime    uint64 `ch:"on_time"`
	InFull    uint64 `ch:"in_full"`
	Kept      uint64 `ch:"kept"`             // on time, in full, none damaged, documents right
	Right     uint64 `ch:"right_first_time"` // kept, and no founded error
	Silent    uint64 `ch:"silent"`           // not kept, and nobody reported anything
}

// readDeliveries asks how the orders delivered in the period kept what was promised (contract §5).
//
// Only the period's months are searched for deliveries; the other months only for the orders found there, by the first
// column of the ledger's key.
//
// What counts, in delivery_outcomes.sql:
//
//   - The promise is the last, by time and then identity, among that of the order itself and the changes that the
//     customer agreed to. One without an end can't be broken by being late.
//   - What was promised are the lines of the order, what came are those of all its deliveries, both summed by sku. A
//     delivery without lines says that it brought what was missing.
//   - It is delivered when its last delivery was.
func readDeliveries(ctx context.Context, db driver.Conn, q *SummaryQuery) (deliveries, error) {
	var all []deliveries
	if err := q.deliveries().Select(ctx, db, &all); err != nil {
		return deliveries{}, fmt.Errorf("count how promises were kept: %w", err)
	}
	if len(all) != 1 {
		return deliveries{}, fmt.Errorf("count how promises were kept: %d rows for one", len(all))
	}
	return all[0], nil
}

// deliveries asks for the counts.
func (q *SummaryQuery) deliveries() sql.Statement { return q.of("deliveries") }

// KeptPromises is the same question for tools that ask the books themselves: SQL with a row for each order whose last
// delivery falls on a day from one on and before another, with columns day, store_id, currency, is_promised (a time),
// is_on_time, is_in_full, is_kept, is_right (first time) and is_silent (a failure). from and to are SQL, of type Date.
func KeptPromises(from, to string) string {
	text := statements.Text("kept_promises", (&SummaryQuery{}).data())
	return strings.NewReplacer("@from", from, "@to", to).Replace(text)
}
