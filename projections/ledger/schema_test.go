package ledger_test

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/embedded/enginetest"
	"github.com/makegood/makegood/projections/ledger"
)

// startMany starts so many processes at once.
func startMany(t *testing.T, config clickhouse.Config, processes int) {
	t.Helper()
	errs := make([]error, processes)
	var all sync.WaitGroup
	for i := range processes {
		all.Go(func() {
			store, err := clickhouse.Open(t.Context(), config, ledger.Migrations())
			if err == nil {
				err = ledger.CreateViews(t.Context(), store.DB)
			}
			if err == nil {
				err = store.Close()
			}
			errs[i] = err
		})
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("process %d: %v", i, err)
		}
	}
}

// TestManyStartAtOnce: processes that start at once against one ClickHouse all come up: one of them makes the schema,
// the others wait. A process that died while it did so keeps them for no longer than its lease. Where there is nothing
// to change nobody takes the lock.
func TestManyStartAtOnce(t *testing.T) {
	t.Parallel()
	const processes = 8
	config := clickhouse.Config{DSN: enginetest.Database(t), Logger: slog.New(slog.DiscardHandler)}
	startMany(t, config, processes)
	store, err := clickhouse.Open(t.Context(), config, ledger.Migrations())
	if err != nil {
		t.Fatal(err)
	}
	locks := func() (highest, all uint64) {
		t.Helper()
		if err := store.DB.QueryRow(t.Context(),
			"SELECT max(toUInt64OrZero(substring(name, 13))), count() FROM system.tables "+
				"WHERE database = currentDatabase() AND startsWith(name, 'schema_lock_')").Scan(&highest, &all); err != nil {
			t.Fatal(err)
		}
		return highest, all
	}
	// Who found something to change had it once, and the last one's is what is left.
	last, all := locks()
	if last < 1 || last > processes || all != 1 {
		t.Errorf("%d locks are there, the highest %d", all, last)
	}
	startMany(t, config, processes)
	if highest, _ := locks(); highest != last {
		t.Errorf("the lock was taken again with nothing to change: %d after %d", highest, last)
	}
	// older lets the last step of the schema be done again, which changes nothing.
	older := func() {
		t.Helper()
		if err := store.DB.Exec(t.Context(), "ALTER TABLE schema_versions DELETE WHERE version_id = "+
			"(SELECT max(version_id) FROM schema_versions) SETTINGS mutations_sync = 1"); err != nil {
			t.Fatal(err)
		}
	}
	died := func(number uint64, ago time.Duration) {
		t.Helper()
		name := fmt.Sprint("schema_lock_", number)
		for _, query := range []string{
			"CREATE TABLE " + name + " (at DateTime64(3, 'UTC') DEFAULT now64(3), done Bool) ENGINE = MergeTree ORDER BY at",
			fmt.Sprintf("INSERT INTO %s SELECT now64(3) - toIntervalMillisecond(%d), false", name, ago.Milliseconds()),
		} {
			if err := store.DB.Exec(t.Context(), query); err != nil {
				t.Fatal(err)
			}
		}
	}
	died(last+1, time.Hour) // nobody waits for that
	older()
	startMany(t, config, processes)
	highest, _ := locks()
	died(highest+1, 13*time.Second) // for that for two seconds
	older()
	began := time.Now()
	startMany(t, config, processes)
	if took := time.Since(began); took < time.Second {
		t.Errorf("it waited for %s only", took)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}
