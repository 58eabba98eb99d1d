package report

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/deadletter"
)

// Counts are how much the books hold.
type Counts struct {
	Events      uint64 // distinct events in the books
	DeadLetters uint64 // open ones
	Unpriced    uint64 // events with a line that no rate could price
	Conflicts   uint64 // dead letters because of one identity with several contents
	Doubt
}

// Counter counts what the books hold.
type Counter struct {
	db     driver.Conn
	months *monthCounts
}

// NewCounter has counted nothing yet.
func NewCounter(db driver.Conn) *Counter {
	return &Counter{db: db, months: newMonthCounts(db, `refused = ''`)}
}

// Count counts.
func (c *Counter) Count(ctx context.Context) (Counts, error) {
	var n Counts
	events, err := c.months.count(ctx)
	if err != nil {
		return n, err
	}
	n.Events = events
	if err := c.db.QueryRow(ctx, `
SELECT (SELECT count() FROM `+deadletter.Open+`),
       (SELECT count() FROM unpriced FINAL WHERE notEmpty(missing)),
       (SELECT count() FROM `+deadletter.Open+` WHERE reason = 'conflict')`).Scan(&n.DeadLetters, &n.Unpriced,
		&n.Conflicts); err != nil {
		return n, fmt.Errorf("count dead letters and unpriced events: %w", err)
	}
	n.Doubt, err = CountDoubt(ctx, c.db)
	return n, err
}

// Unbalanced counts the events whose lines don't sum to zero. It reads all of the ledger: it is for checks, not for
// dashboards. More than zero is a bug.
func Unbalanced(ctx context.Context, db driver.Conn) (uint64, error) {
	var n uint64
	if err := db.QueryRow(ctx, `SELECT count() FROM ledger FINAL WHERE arraySum(amount) != 0`).Scan(&n); err != nil {
		return 0, fmt.Errorf("check that every entry balances: %w", err)
	}
	return n, nil
}

// UnpricedEvent is an event with a line that no rate could price.
type UnpricedEvent struct {
	Source  string   `json:"source" ch:"source"`
	EventID string   `json:"event_id" ch:"event_id"`
	Type    string   `json:"type" ch:"event_type"`
	OrderID string   `json:"order_id" ch:"order_id"`
	ErrorID string   `json:"error_id" ch:"error_id"`
	Missing []string `json:"missing" ch:"missing"` // rate:key
}

// ListUnpriced lists them, at most limit, the oldest first.
func ListUnpriced(ctx context.Context, db driver.Conn, limit int) ([]UnpricedEvent, error) {
	events := []UnpricedEvent{}
	if err := db.Select(ctx, &events, `SELECT source, event_id, event_type, order_id, error_id, missing FROM unpriced FINAL
WHERE notEmpty(missing) ORDER BY occurred_at, source, event_id LIMIT ?`, limit); err != nil {
		return nil, fmt.Errorf("list the unpriced events: %w", err)
	}
	return events, nil
}
