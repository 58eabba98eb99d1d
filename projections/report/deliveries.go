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
	OnTime    uint64 `ch:"on_time"`  // of the promised
	InFull    uint64 `ch:"in_full"`
	Kept      uint64 `ch:"kept"`             // not late, in full, none damaged, the right items, documents right
	Right     uint64 `ch:"right_first_time"` // kept, and no founded case
	Silent    uint64 `ch:"silent"`           // not kept, and nobody reported anything or knew
}

// readDeliveries asks how the orders delivered in the period kept what was promised (contract §5).
//
// Only the period's months are searched for deliveries; the other months only for the orders found there, by the first
// column of the ledger's key.
//
// What counts, in delivery_outcomes.sql and kept_promises.sql:
//
//   - The promise is the last, by time and then identity, among that of the order itself, that of a change which the
//     customer made, and the changed promises that the customer agreed to. One without an end can't be broken by being
//     late.
//   - What was promised are the lines of goods of the order and those added to it, less what the customer took off;
//     what came are the lines of all its deliveries, both summed by sku. A kit also comes as its components. A delivery
//     without lines says that it brought what was missing.
//   - What the business took off stays promised, but somebody knows of it: that alone is no silent failure.
//   - A founded case that reached the customer says what deliveries don't: missing_item and not_delivered that not all
//     came, damaged and defective that something was damaged, wrong_item, not_as_described and over_shipped that it was
//     the wrong.
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

// fixPromises count the redeliveries that were dispatched in a period with a time promised.
type fixPromises struct {
	Promised uint64 `ch:"promised"`
	Kept     uint64 `ch:"kept"` // completed by then
}

func readFixPromises(ctx context.Context, db driver.Conn, q *SummaryQuery) (fixPromises, error) {
	var all []fixPromises
	if err := q.fixPromises().Select(ctx, db, &all); err != nil {
		return fixPromises{}, fmt.Errorf("count how the promises of fixes were kept: %w", err)
	}
	if len(all) != 1 {
		return fixPromises{}, fmt.Errorf("count how the promises of fixes were kept: %d rows for one", len(all))
	}
	return all[0], nil
}

// fixPromises asks for the counts.
func (q *SummaryQuery) fixPromises() sql.Statement { return q.of("fix_promises") }

// KeptPromises is the same question for tools that ask the books themselves: SQL with a row for each order whose last
// delivery falls on a day from one on and before another, with columns day, store_id, currency, is_promised (a time),
// is_on_time (of those that are promised alone), is_in_full, is_kept, is_right (first time) and is_silent (a failure).
// from and to are SQL, of type Date.
func KeptPromises(from, to string) string {
	d := (&SummaryQuery{}).data()
	d.Views, d.First, d.Then = true, "WHERE", "AND" // boards ask views of the books
	text := statements.Text("kept_promises", d)
	return strings.NewReplacer("@from", from, "@to", to).Replace(text)
}
