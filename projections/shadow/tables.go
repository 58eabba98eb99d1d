package shadow

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/makegood/makegood/domain"
)

// Tables are the tables that a rebuild changes: the ledger and what is kept from it.
var Tables = []string{"ledger", "failures", "unpriced", "leakage_daily"}

// Table is the table that stands in for one of them. Its name is the rebuild's own, so that a process that doesn't
// know yet that its rebuild was given up can spoil no other.
func Table(table, id string) string { return "rebuilt_" + table + "_" + id }

// Drop drops what is left of a rebuild.
func Drop(ctx context.Context, db driver.Conn, id string) error {
	if !ID.MatchString(id) {
		return nil // it never had any
	}
	for _, table := range Tables {
		if err := db.Exec(ctx, "DROP TABLE IF EXISTS "+Table(table, id)+" SYNC"); err != nil {
			return fmt.Errorf("drop the shadow of rebuild %s: %w", id, err)
		}
	}
	return nil
}

// Partitions are those of a table that are in so many parts at least.
func Partitions(ctx context.Context, db driver.Conn, table string, least int) ([]string, error) {
	var ids []string
	if err := db.QueryRow(ctx, `
SELECT groupArray(partition_id) FROM (
    SELECT partition_id FROM system.parts WHERE database = currentDatabase() AND table = ? AND active
    GROUP BY partition_id HAVING count() >= ? ORDER BY partition_id)`, table, least).Scan(&ids); err != nil {
		return nil, fmt.Errorf("list the partitions of %s: %w", table, err)
	}
	return ids, nil
}

// Changeable is the condition on rows that today's rules or the rates may change. It is the same of all copies of a row, so
// they may be sorted out before they are folded.
var Changeable = fmt.Sprintf("(rated OR rules != %d)", domain.PostingRules())
