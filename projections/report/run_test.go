package report

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"

	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/embedded/enginetest"
	"github.com/makegood/makegood/projections/ledger"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Run(m)) }

// TestStatementsRun: ClickHouse takes every statement that is pinned, over the tables of today.
func TestStatementsRun(t *testing.T) {
	config := clickhouse.Config{DSN: enginetest.Database(t), Logger: slog.New(slog.DiscardHandler)}
	store, err := clickhouse.Open(t.Context(), config, ledger.Migrations())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for name, all := range pinned() {
		for i, s := range all {
			ctx := t.Context()
			if strings.Contains(s.Text, "FROM exchange") {
				ctx = withExchange(t)
			}
			rows, err := s.Rows(ctx, store.DB)
			if err != nil {
				t.Errorf("%s, statement %d: %v\n%s", name, i, err, s.Text)
				continue
			}
			for rows.Next() { // the server says what is wrong as late as it can
			}
			if err := rows.Err(); err != nil {
				t.Errorf("%s, statement %d: %v\n%s", name, i, err, s.Text)
			}
			if err := rows.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// withExchange lets a statement know the table of rates, which is empty.
func withExchange(t *testing.T) context.Context {
	t.Helper()
	table, err := ext.NewTable("exchange", ext.Column("currency", "String"), ext.Column("day", "Date"),
		ext.Column("rate", "String"),
		ext.Column("number", "UInt32"))
	if err != nil {
		t.Fatal(err)
	}
	return clickhousego.Context(t.Context(), clickhousego.WithExternalTable(table))
}
