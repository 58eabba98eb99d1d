package post

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// UnsettledConflicts counts the identities of which the books hold two contents at the moment, until the next conflict
// check takes the later one out. A close that is to be quoted for ever waits for that.
func UnsettledConflicts(ctx context.Context, db driver.Conn) (uint64, error) {
	var since time.Time
	if err := db.QueryRow(ctx, `SELECT max(at) FROM checkpoints WHERE name = ?`, conflictsCheckpoint).Scan(&since); err != nil {
		return 0, fmt.Errorf("read the checkpoint of the conflicts: %w", err)
	}
	// The same question that the check begins with: mostly its answer is nothing, and the ledger isn't read at all.
	var suspects []uint64
	if err := db.QueryRow(ctx, `
SELECT groupArray(identity) FROM (
    SELECT identity FROM identities WHERE identity IN (SELECT identity FROM identities WHERE arrived_at > ?)
    GROUP BY identity HAVING min(content) != max(content))`, since.Add(-overlap)).Scan(&suspects); err != nil {
		return 0, fmt.Errorf("look for conflicts: %w", err)
	}
	if len(suspects) == 0 {
		return 0, nil
	}
	var n uint64
	if err := db.QueryRow(ctx, `
SELECT count() FROM (
    SELECT source, event_id FROM ledger FINAL
    WHERE refused = '' AND cityHash64(source, event_id) IN (?)
    GROUP BY source, event_id HAVING count() > 1)`, suspects).Scan(&n); err != nil {
		return 0, fmt.Errorf("look for conflicts in the ledger: %w", err)
	}
	return n, nil
}

// UnsettledDoubles counts the orders that several events place and that were not settled since, until the next check for
// conflicts sees to them: where two projectors booked them, or they came far apart.
func UnsettledDoubles(ctx context.Context, db driver.Conn) (n uint64, err error) {
	var since time.Time
	if err := db.QueryRow(ctx, `SELECT max(at) FROM checkpoints WHERE name = ?`, conflictsCheckpoint).Scan(&since); err != nil {
		return 0, fmt.Errorf("read the checkpoint of the conflicts: %w", err)
	}
	var suspects []uint64
	if err := db.QueryRow(ctx, `
SELECT groupArray(identity) FROM (
    SELECT identity FROM identities WHERE identity IN (SELECT identity FROM identities WHERE arrived_at > ?)
    GROUP BY identity HAVING min(content) != max(content))`, since.Add(-overlap)).Scan(&suspects); err != nil {
		return 0, fmt.Errorf("look for orders placed twice: %w", err)
	}
	if len(suspects) == 0 {
		return 0, nil
	}
	if err := db.QueryRow(ctx, `
SELECT count() FROM (
    SELECT order_id FROM ledger FINAL
    WHERE refused = '' AND event_type = 'makegood.order.placed.v1' AND standing = '' AND cityHash64('order.placed', order_id) IN (?)
    GROUP BY order_id HAVING count() > 1)`, suspects).Scan(&n); err != nil {
		return 0, fmt.Errorf("look for orders placed twice in the ledger: %w", err)
	}
	return n, nil
}
