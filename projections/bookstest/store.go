package bookstest

import (
	"log/slog"
	"testing"

	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/projections/ledger"
)

// Open opens a database of its own for the test, with the schema and the views of today.
func Open(t testing.TB) *clickhouse.Store {
	t.Helper()
	dsn := Books(t, t.Name())
	store, err := clickhouse.Open(t.Context(), clickhouse.Config{DSN: dsn, Logger: slog.New(slog.DiscardHandler)},
		ledger.Migrations())
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.CreateViews(t.Context(), store.DB); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}
