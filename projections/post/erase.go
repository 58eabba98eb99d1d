package post

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// Erased is somebody who is erased from what stands before a mark: Person takes the place of the hashes.
type Erased struct {
	Person string
	Hashes []string
	Mark   domain.Mark
}

// personColumns are the columns that may hold a hash, and how it is looked for: %[1]s is the column, %[2]s the list
// of the hashes.
var personColumns = map[string]string{
	"customer_id":   "has(%[2]s, %[1]s)",
	"employee_id":   "has(%[2]s, %[1]s)",
	"payload":       "multiSearchAny(%[1]s, %[2]s)",
	"headers":       "multiSearchAny(toString(%[1]s), %[2]s)",
	"facts":         "multiSearchAny(toString(%[1]s), %[2]s)",
	"fact_employee": "hasAny(%[1]s, %[2]s)",
}

// Erase replaces hashes in all tables, in every copy of a row, and returns when that is done. Again it changes
// nothing.
func Erase(ctx context.Context, db driver.Conn, e *Erased) error {
	var columns []struct {
		Table  string `ch:"table"`
		Column string `ch:"name"`
		Type   string `ch:"type"`
		Placed uint8  `ch:"placed"`
	}
	if err := db.Select(ctx, &columns, `
SELECT table, name, type,
       table IN (SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'recorded_at') AS placed
FROM system.columns
WHERE database = currentDatabase() AND default_kind != 'ALIAS'
    AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')
    AND name IN ('customer_id', 'employee_id', 'payload', 'headers', 'facts', 'fact_employee')
ORDER BY table, name`); err != nil {
		return fmt.Errorf("look for the tables that may name a person: %w", err)
	}
	list, person := texts(e.Hashes), text(e.Person)
	for i := 0; i < len(columns); {
		table := columns[i].Table
		var where, set []string
		before := "1"
		for ; i < len(columns) && columns[i].Table == table; i++ {
			c := columns[i]
			where = append(where, fmt.Sprintf(personColumns[c.Column], c.Column, list))
			set = append(set, c.Column+" = "+replaceAll(c.Column, c.Type, e.Hashes, person))
			if c.Placed != 0 {
				before = ledger.StoodBefore(&e.Mark)
			}
		}
		if table == "leakage_daily" { // which doesn't say where its events stand: it goes by those that were changed before
			before = "unit IN (SELECT arrayJoin(arrayConcat([unit], fact_order)) FROM failures " +
				"WHERE has(fact_employee, " + person + "))"
		}
		if err := eraseFrom(ctx, db, table, strings.Join(set, ", "),
			"("+strings.Join(where, " OR ")+") AND "+before); err != nil {
			return err
		}
	}
	return nil
}

// eraseFrom changes a table where there is anything to change: to change nothing would write all of its parts again.
func eraseFrom(ctx context.Context, db driver.Conn, table, set, where string) error {
	var n uint64
	if err := db.QueryRow(ctx, "SELECT count() FROM "+table+" WHERE "+where).Scan(&n); err != nil {
		return fmt.Errorf("look for a person in %s: %w", table, err)
	}
	if n == 0 {
		return nil
	}
	if err := db.Exec(ctx, "ALTER TABLE "+table+" UPDATE "+set+" WHERE "+where+
		" SETTINGS mutations_sync = 2"); err != nil {
		return fmt.Errorf("erase a person from %s: %w", table, err)
	}
	return nil
}

// replaceAll replaces the hashes wherever they are in a column. They have no character that is written otherwise
// anywhere.
func replaceAll(column, kind string, hashes []string, person string) string {
	if strings.Contains(kind, "Map(") { // to which no text can be made
		return "mapApply((k, v) -> (k, " + replaceAll("v", "String", hashes, person) + "), " + column + ")"
	}
	to, whole := column, kind == "String" || strings.HasPrefix(kind, "SimpleAggregateFunction(")
	if !whole {
		to = "toString(" + column + ")"
	}
	for _, h := range hashes {
		to = "replaceAll(" + to + ", " + text(h) + ", " + person + ")"
	}
	if !whole {
		to = "CAST(" + to + ", " + text(kind) + ")"
	}
	return to
}

// text is a literal.
func text(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

func texts(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = text(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
