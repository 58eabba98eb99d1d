package clickhouse

import (
	"log/slog"
	"testing"
	"testing/fstest"
	"time"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/makegood/makegood/infra/embedded/enginetest"
	"github.com/makegood/makegood/projections/sql"
)

// clustered is a store of the engine that takes it for a server of a cluster.
func clustered(t *testing.T) *Store {
	t.Helper()
	migrations := fstest.MapFS{"00001_one.sql": {Data: []byte("-- +goose Up\n" +
		"CREATE TABLE one (a UInt8) ENGINE = MergeTree ORDER BY a;\n")}}
	s, err := Open(t.Context(), Config{DSN: enginetest.Database(t), Logger: slog.New(slog.DiscardHandler)}, migrations)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	s.cluster = "one"
	return s
}

// TestQuorumKeepsSettings: the settings of an insert into a cluster don't take the place of those that the caller gave.
func TestQuorumKeepsSettings(t *testing.T) {
	s := clustered(t)
	s.up.up, s.up.at = 2, time.Now()
	ctx := sql.WithSettings(sql.Unhurried(t.Context()), clickhousego.Settings{"max_partitions_per_insert_block": 0})
	ctx, err := s.withQuorum(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for setting, want := range map[string]string{"max_partitions_per_insert_block": "0", "max_threads": "1",
		"priority": "2", "insert_quorum": "2"} {
		var is string
		if err := s.Watch.QueryRow(ctx, "SELECT value FROM system.settings WHERE name = ?", setting).Scan(&is); err != nil {
			t.Fatal(err)
		}
		if is != want {
			t.Errorf("%s is %s and not %s", setting, is, want)
		}
	}
}
