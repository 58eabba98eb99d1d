package embedded

import (
	"context"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func startEngine(t *testing.T, cfg EngineConfig) *Engine {
	t.Helper()
	e, err := StartEngine(testContext(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil && e.Err() == nil {
			t.Errorf("closing: %v", err)
		}
	})
	return e
}

func connect(t *testing.T, dsn string) driver.Conn {
	t.Helper()
	opts, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func exec1(t *testing.T, conn driver.Conn, queries ...string) {
	t.Helper()
	for _, q := range queries {
		if err := conn.Exec(testContext(t), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

func scan1[T any](t *testing.T, conn driver.Conn, query string) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(testContext(t), query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func TestEngineAnswersAndStops(t *testing.T) {
	dir := t.TempDir()
	e := startEngine(t, EngineConfig{Dir: dir})
	conn := connect(t, e.DSN())
	if got := scan1[string](t, conn, "SELECT currentUser()"); got != "makegood" {
		t.Errorf("logged in as %q", got)
	}
	exec1(t, conn, "CREATE DATABASE makegood", "CREATE TABLE makegood.t (a UInt64) ENGINE = ReplacingMergeTree ORDER BY a",
		"INSERT INTO makegood.t SELECT number FROM numbers(1000)", "OPTIMIZE TABLE makegood.t FINAL")
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	<-e.Done()
	if err := e.Err(); err != nil {
		t.Errorf("after a clean stop: %v", err)
	}

	again := startEngine(t, EngineConfig{Dir: dir})
	if again.Password() != e.Password() || again.ReaderPassword() != e.ReaderPassword() {
		t.Error("passwords changed with a restart")
	}
	if got := scan1[uint64](t, connect(t, again.DSN()), "SELECT count() FROM makegood.t"); got != 1000 {
		t.Errorf("%d rows after the restart", got)
	}
}
