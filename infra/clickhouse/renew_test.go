package clickhouse

import (
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/makegood/makegood/infra/embedded/enginetest"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Run(m)) }

// TestPasswordIsReadAgain: what the server doesn't know any more is read again, for reports, batches and inserts alike;
// and as long as there is no other, the server's refusal is the answer.
func TestPasswordIsReadAgain(t *testing.T) {
	right := ""
	reads, file := 0, "wrong too"
	const up = "-- +goose Up\nCREATE TABLE one (a UInt8) ENGINE = MergeTree ORDER BY a;\n"
	migration := fstest.MapFS{"00001_one.sql": {Data: []byte(up)}}
	store, err := Open(t.Context(), Config{DSN: enginetest.Database(t), Logger: slog.New(slog.DiscardHandler),
		Renew: func() (string, error) { reads++; return file, nil }}, migration)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	right = store.secret.value
	// As it is after the password has changed: what is known is not what the server knows.
	rotate := func(known string) {
		store.secret.value = known
		if err := errors.Join(store.DB.Close(), store.Watch.Close(), store.Reports.Close(), store.openPools()); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "makegood: Authentication failed") ||
			strings.Contains(err.Error(), right) {
			t.Errorf("%s: %v", what, err)
		}
	}
	rotate("wrong")
	refused("with a password that is wrong too", store.DB.Exec(t.Context(), "SELECT 1"))
	_, _, err = store.dial(t.Context())
	refused("an insert with a password that is wrong too", err)
	if reads == 0 {
		t.Error("the password was never read again")
	}
	file = right
	for what, ask := range map[string]func() error{
		"a statement": func() error { return store.DB.Exec(t.Context(), "SELECT 1") },
		"a row":       func() error { var n uint8; return store.Watch.QueryRow(t.Context(), "SELECT 1").Scan(&n) },
		"a ping":      func() error { return store.Watch.Ping(t.Context()) },
		"rows": func() error {
			rows, err := store.Reports.Query(t.Context(), "SELECT 1")
			if err != nil {
				return err
			}
			return rows.Close()
		},
		"a batch": func() error {
			b, err := store.DB.PrepareBatch(t.Context(), "INSERT INTO one (a)")
			if err != nil {
				return err
			}
			return errors.Join(b.Append(uint8(1)), b.Send())
		},
		"an insert": func() error {
			c, _, err := store.dial(t.Context())
			if err != nil {
				return err
			}
			return c.Close()
		},
	} {
		rotate("wrong")
		if err := ask(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}
