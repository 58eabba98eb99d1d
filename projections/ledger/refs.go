package ledger

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Ref names what a void takes back: an event of an order.
type Ref struct{ Order, Source, ID string }

// ScanRefs reads all that a statement names, and closes it.
func ScanRefs(rows driver.Rows) (all []Ref, err error) {
	defer rows.Close()
	for rows.Next() {
		var r Ref
		if err := rows.Scan(&r.Order, &r.Source, &r.ID); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// WithTargets lets a statement know the targets as a table of that name.
func WithTargets(ctx context.Context, targets []Ref) (context.Context, error) {
	table, err := ext.NewTable("targets", ext.Column("order_id", "String"), ext.Column("source", "String"),
		ext.Column("event_id", "String"))
	if err != nil {
		return nil, fmt.Errorf("name the voided events: %w", err)
	}
	for _, t := range targets {
		if err := table.Append(t.Order, t.Source, t.ID); err != nil {
			return nil, fmt.Errorf("name the voided events: %w", err)
		}
	}
	return clickhouse.Context(ctx, clickhouse.WithExternalTable(table)), nil
}

// ReadFamilies reads the rows of the targets and those of their voids.
func ReadFamilies(ctx context.Context, db driver.Conn, targets []Ref) ([]Stored, error) {
	ctx, err := WithTargets(ctx, targets)
	if err != nil {
		return nil, err
	}
	return Read(ctx, db, `ledger FINAL WHERE order_id IN (SELECT order_id FROM targets)
        AND ((order_id, source, event_id) IN (SELECT order_id, source, event_id FROM targets)
          OR (order_id, voids_source, voids_id) IN (SELECT order_id, source, event_id FROM targets))`)
}
