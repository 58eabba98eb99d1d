package ledger_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/embedded/enginetest"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/ledger"
)

// TestTablesThatAreNotOurs: what lies under our names and wasn't made by us is refused before anything is changed.
func TestTablesThatAreNotOurs(t *testing.T) {
	store := bookstest.Open(t)
	open := func() error {
		s, err := clickhouse.Open(t.Context(), clickhouse.Config{DSN: enginetest.Database(t), Check: ledger.CheckEngines,
			Logger: slog.New(slog.DiscardHandler)}, ledger.Migrations())
		if err == nil {
			err = ledger.CheckSchema(t.Context(), s.DB)
			if closed := s.Close(); closed != nil {
				t.Error(closed)
			}
		}
		return err
	}
	exec := func(queries ...string) {
		t.Helper()
		for _, query := range queries {
			if err := store.DB.Exec(context.Background(), query); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := open(); err != nil {
		t.Fatalf("our own tables are refused: %v", err)
	}
	for _, c := range []struct {
		what   string
		do     []string
		undo   []string
		refuse string
	}{
		{"a ledger of another engine", []string{"RENAME TABLE ledger TO kept",
			"CREATE TABLE ledger (a String) ENGINE = MergeTree ORDER BY a"},
			[]string{"DROP TABLE ledger", "RENAME TABLE kept TO ledger"}, "ledger has the engine MergeTree"},
		{"a table that folds nothing", []string{"RENAME TABLE failures TO kept",
			"CREATE TABLE failures (unit String) ENGINE = MergeTree ORDER BY unit"},
			[]string{"DROP TABLE failures", "RENAME TABLE kept TO failures"}, "failures has the engine MergeTree"},
		{"another order", []string{"RENAME TABLE voids TO kept",
			"CREATE TABLE voids (source String) ENGINE = ReplacingMergeTree ORDER BY source"},
			[]string{"DROP TABLE voids", "RENAME TABLE kept TO voids"}, "voids is ordered by source"},
		{"a missing table", []string{"RENAME TABLE places TO kept"}, []string{"RENAME TABLE kept TO places"},
			"places is missing"},
		{"a schema of nobody's", []string{"RENAME TABLE schema_versions TO kept"},
			[]string{"RENAME TABLE kept TO schema_versions"},
			"makegood did not make them"},
	} {
		exec(c.do...)
		if err := open(); err == nil || !strings.Contains(err.Error(), c.refuse) {
			t.Errorf("%s: %v", c.what, err)
		}
		exec(c.undo...)
		if err := open(); err != nil {
			t.Errorf("after %s: %v", c.what, err)
		}
	}
	two := strings.Replace(enginetest.Database(t), "@", "@elsewhere:9000,", 1)
	if err := (clickhouse.Config{DSN: two, Logger: slog.New(slog.DiscardHandler)}).Validate(); err == nil {
		t.Error("two servers are taken for one")
	}
}

// TestSettingsOfOurTables: every table that we make is fsynced and takes no insert for another one, whatever the
// server's own settings are.
func TestSettingsOfOurTables(t *testing.T) {
	store := bookstest.Open(t)
	rows, err := store.DB.Query(t.Context(), `SELECT name, create_table_query FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name NOT LIKE 'schema_%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var name, query string
		if err := rows.Scan(&name, &query); err != nil {
			t.Fatal(err)
		}
		n++
		for setting, want := range map[string]int{"fsync_after_insert": 1, "fsync_part_directory": 1,
			"non_replicated_deduplication_window": 0, "replicated_deduplication_window": 0} {
			if !strings.Contains(query, fmt.Sprintf("%s = %d", setting, want)) {
				t.Errorf("table %s doesn't say %s = %d", name, setting, want)
			}
		}
	}
	if err := rows.Err(); err != nil || n < 15 {
		t.Fatalf("%d tables: %v", n, err)
	}
	var names []string // of a connection; the writer's own says the same
	if err := store.DB.QueryRow(t.Context(), `SELECT groupArray(concat(name, '=', value)) FROM system.settings
WHERE name IN ('insert_deduplicate', 'async_insert')`).Scan(&names); err != nil || len(names) != 2 ||
		!slices.Contains(names, "async_insert=0") || !slices.Contains(names, "insert_deduplicate=0") {
		t.Errorf("a connection says %v: %v", names, err)
	}
}
