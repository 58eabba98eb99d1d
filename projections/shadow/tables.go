package shadow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// Tables are the tables that a rebuild changes: the ledger and what is kept from it.
var Tables = []string{"ledger", "failures", "unpriced", "leakage_daily"}

// Table is the table that stands in for one of them. Its name is the rebuild's own, so that a process that doesn't
// know yet that its rebuild was given up can spoil no other.
func Table(table, id string) string { return "rebuilt_" + table + "_" + id }

// Make makes the tables of a rebuild. In a cluster each table needs a UUID of its own (see infra/clickhouse). The
// tables are only at the server that computes the rebuild: what is swapped in comes to the others from there.
func Make(ctx context.Context, db driver.Conn, id string) error {
	for _, table := range Tables {
		var engine string
		if err := db.QueryRow(ctx, "SELECT engine FROM system.tables WHERE database = currentDatabase() AND name = ?",
			table).Scan(&engine); err != nil {
			return fmt.Errorf("look at %s: %w", table, err)
		}
		identity := ""
		if strings.HasPrefix(engine, "Replicated") {
			identity = " UUID '" + uuid.NewString() + "'"
		}
		if err := db.Exec(ctx, "CREATE TABLE "+Table(table, id)+identity+" AS "+table); err != nil {
			return fmt.Errorf("make the shadow of %s: %w", table, err)
		}
	}
	return makeUnits(ctx, db, id)
}

// Drop drops what is left of a rebuild.
func Drop(ctx context.Context, db driver.Conn, id string) error {
	if !ID.MatchString(id) {
		return nil // it never had any
	}
	for _, table := range append(slices.Clone(Tables), unitsTable) {
		if err := db.Exec(ctx, "DROP TABLE IF EXISTS "+Table(table, id)+" SYNC"); err != nil {
			return fmt.Errorf("drop the shadow of rebuild %s: %w", id, err)
		}
	}
	return nil
}

// unitsTable holds the units for which a rebuild posts an entry of its own, once it is in the log.
const unitsTable = "units"

// makeUnits makes the table of a rebuild's units.
func makeUnits(ctx context.Context, db driver.Conn, id string) error {
	if err := db.Exec(ctx, "CREATE TABLE "+Table(unitsTable, id)+" (order_id String, error_id String) ENGINE = "+
		"MergeTree ORDER BY (order_id, error_id)"); err != nil {
		return fmt.Errorf("make the table of what rebuild %s posts itself: %w", id, err)
	}
	return nil
}

// KeepUnits notes units for which a rebuild posts an entry of its own.
func KeepUnits(ctx context.Context, db driver.Conn, id string, units *ledger.Units) error {
	if units.Len() == 0 {
		return nil
	}
	batch, err := db.PrepareBatch(ctx, "INSERT INTO "+Table(unitsTable, id))
	if err != nil {
		return fmt.Errorf("note what rebuild %s posts itself: %w", id, err)
	}
	defer batch.Close()
	for order := range units.Orders {
		err = errors.Join(err, batch.Append(order, ""))
	}
	for errorID := range units.Cases {
		err = errors.Join(err, batch.Append("", errorID))
	}
	if err == nil {
		err = batch.Send()
	}
	if err != nil {
		return fmt.Errorf("note what rebuild %s posts itself: %w", id, err)
	}
	return nil
}

// ReadUnits hands over the units for which a rebuild posts an entry of its own, some at a time.
func ReadUnits(ctx context.Context, db driver.Conn, id string, take func(*ledger.Units) error) error {
	const most = 50_000
	for from := 0; ; from += most {
		var orders, cases []string
		if err := db.QueryRow(ctx, fmt.Sprintf("SELECT groupArrayIf(order_id, order_id != ''), groupArrayIf(error_id, "+
			"error_id != '') FROM (SELECT * FROM %s ORDER BY order_id, error_id LIMIT %d OFFSET %d)",
			Table(unitsTable, id), most, from)).Scan(&orders, &cases); err != nil {
			return fmt.Errorf("read what rebuild %s posts itself: %w", id, err)
		}
		if len(orders)+len(cases) == 0 {
			return nil
		}
		units := ledger.NewUnits()
		for _, order := range orders {
			units.Orders[order] = true
		}
		for _, errorID := range cases {
			units.Cases[errorID] = true
		}
		if err := take(&units); err != nil {
			return err
		}
	}
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

// Changeable is the condition on rows that today's rules or the rates may change. It tells copies of one row apart. It
// is no variable: domain.PostingRules takes some 30 ms the first time, and no process needs it at its start.
func Changeable() string { return fmt.Sprintf("(rated OR rules != %d)", domain.PostingRules()) }

// ChangeableFirst is what may be asked of rows before their copies are folded, so that no copy stays that another one
// stands above: that they ask for rates, as what did once always does; nothing where rows of other rules are there.
func ChangeableFirst(ctx context.Context, db driver.Conn) (string, error) {
	var other bool
	if err := db.QueryRow(ctx, "SELECT count() > 0 FROM (SELECT 1 FROM ledger WHERE rules != ? LIMIT 1)",
		domain.PostingRules()).Scan(&other); err != nil {
		return "", fmt.Errorf("look for what other rules posted: %w", err)
	}
	if other {
		return "true", nil
	}
	return "rated", nil
}
