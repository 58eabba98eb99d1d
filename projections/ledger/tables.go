package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// table is how makegood makes a table: what it folds depends on both.
type table struct{ engine, sorting string }

const (
	mergeTree = "MergeTree"
	replacing = "ReplacingMergeTree"
	folding   = "AggregatingMergeTree"
)

var tables = map[string]table{
	"ledger":              {replacing, "order_id, source, event_id, content"},
	"failures":            {replacing, "unit, source, event_id, content"},
	"identities":          {mergeTree, "identity"},
	"places":              {mergeTree, "stream, partition, offset"},
	"voids":               {replacing, "voids_source, voids_id, source, event_id, content"},
	"unpriced":            {replacing, "source, event_id, content"},
	"case_units":          {replacing, "error_id, order_id"},
	"unplaced_orders":     {replacing, "order_id"},
	"leakage_daily":       {replacing, "unit, error_id, day, posting_day, currency, store_id, account, element, basis"},
	"dead_letters":        {folding, "id"},
	"dead_letter_actions": {mergeTree, "id, at"},
	"checkpoints":         {replacing, "name, stream, partition"},
	"gaps":                {replacing, "stream, partition, first, upto, found"},
	"log_topics":          {replacing, "stream, id"},
	"rebuilds":            {replacing, "id"},
	"sealed_events":       {replacing, "root, source, event_id, order_id, error_id, content"},
}

// Tables are the names of all tables that hold something, in order.
func Tables() []string { return slices.Sorted(maps.Keys(tables)) }

// there is what the database has under our names, and whether makegood has ever made its schema there.
func there(ctx context.Context, db driver.Conn) (found map[string]table, ours bool, err error) {
	rows, err := db.Query(ctx, "SELECT name, engine, sorting_key FROM system.tables WHERE database = currentDatabase()")
	if err != nil {
		return nil, false, fmt.Errorf("list the tables: %w", err)
	}
	defer rows.Close()
	found = map[string]table{}
	for rows.Next() {
		var name string
		var t table
		if err := rows.Scan(&name, &t.engine, &t.sorting); err != nil {
			return nil, false, fmt.Errorf("list the tables: %w", err)
		}
		if _, known := tables[name]; known {
			found[name] = t
		}
		ours = ours || name == "schema_versions"
	}
	if err := rows.Err(); err != nil {
		return nil, false, fmt.Errorf("list the tables: %w", err)
	}
	return found, ours, nil
}

// CheckEngines refuses a database whose tables makegood did not make, before it changes anything there. A table that is
// spread over several servers, say (Distributed), folds nothing across them: books through it come out wrong and say so
// nowhere. ClickHouse Cloud makes Shared tables of the ones that it is asked for: they fold alike.
func CheckEngines(ctx context.Context, db driver.Conn) error { return checkEngines(ctx, db, "") }

// CheckReplicatedEngines does the same at a server of a cluster, where tables replicate.
func CheckReplicatedEngines(ctx context.Context, db driver.Conn) error {
	return checkEngines(ctx, db, "Replicated")
}

func checkEngines(ctx context.Context, db driver.Conn, kind string) error {
	found, ours, err := there(ctx, db)
	if err != nil {
		return err
	}
	var errs []error
	advice := "give makegood a database of its own"
	for _, name := range slices.Sorted(maps.Keys(found)) {
		engine, want := found[name].engine, kind+tables[name].engine
		if engine == want || engine == "Shared"+tables[name].engine {
			continue
		}
		errs = append(errs, fmt.Errorf("the table %s has the engine %s and not %s", name, engine, want))
		switch engine {
		case tables[name].engine:
			advice = "tables of one server don't replicate: move them to another database of the cluster (infra/README.md, " +
				"A cluster)"
		case "Replicated" + tables[name].engine:
			advice = "these replicate: name the cluster (--clickhouse-cluster)"
		}
	}
	if len(found) > 0 && !ours {
		errs = append(errs, fmt.Errorf("the database has tables of makegood's names (%s) and not schema_versions: makegood "+
			"did not make them", strings.Join(slices.Sorted(maps.Keys(found)), ", ")))
	}
	if len(errs) > 0 {
		return fmt.Errorf("these tables can't hold the books, %s: %w", advice, errors.Join(errs...))
	}
	return nil
}

// checkTables holds all tables against how makegood makes them.
func checkTables(ctx context.Context, db driver.Conn) error {
	found, _, err := there(ctx, db)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		switch t, is := found[name]; {
		case !is:
			errs = append(errs, fmt.Errorf("the table %s is missing", name))
		case t.sorting != tables[name].sorting:
			errs = append(errs, fmt.Errorf("the table %s is ordered by %s and not by %s", name, t.sorting, tables[name].sorting))
		}
	}
	return errors.Join(errs...)
}

// leastRoom is what a disk must have free for tables and views to be made or changed, in bytes.
const leastRoom = 16 << 20

// EnoughRoom refuses to make or change tables and views on a disk that is full. There ClickHouse says that it was done,
// keeps the definition as an empty file, and doesn't start again because of it.
func EnoughRoom(ctx context.Context, db driver.Conn) error {
	var free uint64
	if err := db.QueryRow(ctx, "SELECT filesystemAvailable()").Scan(&free); err != nil {
		return fmt.Errorf("ask ClickHouse how full its disk is: %w", err)
	}
	if free < leastRoom {
		return fmt.Errorf("ClickHouse's disk has %d bytes left, and %d are needed to make or change tables and views: "+
			"on a full disk ClickHouse loses their definitions", free, leastRoom)
	}
	return nil
}
