package bookstest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/embedded/enginetest"
	"github.com/makegood/makegood/projections/ledger"
)

// Books is the address of a database of that name with the schema and the views of today, and nothing in it: see
// enginetest.DatabaseOf. It is a copy of one that is brought there by all migrations, once for a test binary: a
// hundred and more statements for each test took a tenth of the time of all tests.
func Books(t testing.TB, name string) string {
	t.Helper()
	return enginetest.MadeDatabase(t, name, func(address string) error { return copyBooks(t, address) })
}

const (
	pattern = "tpattern" // the database that is copied
	ofCopy  = "{copy}"   // in statements: the name of a copy
)

// patternBooks are the statements that make a copy.
var patternBooks struct {
	once       sync.Once
	statements []string
	err        error
}

func copyBooks(t testing.TB, address string) error {
	patternBooks.once.Do(func() { patternBooks.statements, patternBooks.err = readPattern(enginetest.Kept(t, pattern)) })
	if patternBooks.err != nil {
		return patternBooks.err
	}
	options, err := clickhousego.ParseDSN(address)
	if err != nil {
		return err
	}
	name := options.Auth.Database
	options.Auth.Database = "default"
	db, err := clickhousego.Open(options)
	if err != nil {
		return err
	}
	return errors.Join(copyPattern(db, name), db.Close())
}

func copyPattern(db driver.Conn, name string) error {
	ctx := context.Background() // another test may need the copy longer than the first one
	for _, statement := range patternBooks.statements {
		if err := db.Exec(ctx, strings.ReplaceAll(statement, ofCopy, name)); err != nil {
			return fmt.Errorf("copy books to %s: %w", name, err)
		}
	}
	return nil
}

// readPattern makes the books that are copied.
func readPattern(address string) ([]string, error) {
	ctx := context.Background()
	store, err := clickhouse.Open(ctx, clickhouse.Config{DSN: address, Logger: slog.New(slog.DiscardHandler)},
		ledger.Migrations())
	if err != nil {
		return nil, err
	}
	statements, err := statementsOf(ctx, store.DB)
	return statements, errors.Join(err, store.Close())
}

// statementsOf are the statements that make what a database holds: tables first, then what fills some of them from
// others, then views, then what migrations have written. Nobody holds the lock of the schema.
func statementsOf(ctx context.Context, db driver.Conn) ([]string, error) {
	if err := ledger.CreateViews(ctx, db); err != nil {
		return nil, err
	}
	var made, rows []string
	if err := db.QueryRow(ctx, `
SELECT groupArray(create_table_query), groupArrayIf(name, total_rows > 0 AND name NOT LIKE 'schema_lock%') FROM (
    SELECT name, create_table_query, total_rows FROM system.tables WHERE database = currentDatabase()
    ORDER BY indexOf(['MaterializedView', 'View'], engine), name)`).Scan(&made, &rows); err != nil {
		return nil, fmt.Errorf("read the books that are copied: %w", err)
	}
	statements := []string{"CREATE DATABASE " + ofCopy}
	for _, statement := range made {
		statements = append(statements, strings.ReplaceAll(statement, pattern+".", ofCopy+"."))
	}
	for _, table := range rows {
		statements = append(statements, fmt.Sprintf("INSERT INTO %s.%s SELECT * FROM %s.%[2]s", ofCopy, table, pattern))
	}
	return statements, nil
}
