package ledger_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/embedded/enginetest"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/ledger"
)

// TestCopiedBooksAreAsMigrated: what tests have as empty books is what the migrations make, and nothing else. Who held
// the lock of the schema meanwhile, and for how long, is no part of it.
func TestCopiedBooksAreAsMigrated(t *testing.T) {
	held := func(address string, views bool) string {
		t.Helper()
		store, err := clickhouse.Open(t.Context(), clickhouse.Config{DSN: address, Logger: slog.New(slog.DiscardHandler)},
			ledger.Migrations())
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		if views {
			if err := ledger.CreateViews(t.Context(), store.DB); err != nil {
				t.Fatal(err)
			}
		}
		var tables []string
		var name, versions string
		if err := store.DB.QueryRow(t.Context(), `
SELECT currentDatabase(), (SELECT toString(arraySort(groupArray((version_id, is_applied)))) FROM schema_versions),
    (SELECT arraySort(groupArray(concat(engine, ' ', if(name LIKE 'schema_lock%', '',
        toString(ifNull(total_rows, 0))), ' ', create_table_query)))
    FROM system.tables WHERE database = currentDatabase())`).Scan(&name, &versions, &tables); err != nil {
			t.Fatal(err)
		}
		if len(tables) < 20 {
			t.Fatalf("there are %q", tables)
		}
		return versions + "\n" + strings.ReplaceAll(strings.Join(tables, "\n"), name+".", "books.")
	}
	migrated := held(enginetest.Database(t), true)
	if copied := held(bookstest.Books(t, t.Name()+" copied"), false); copied != migrated {
		t.Errorf("copied:\n%s", bookstest.Difference(copied, migrated))
	}
}
