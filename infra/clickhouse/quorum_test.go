package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

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

// TestEmptyServerIsPassedOver: a server that came back without the books, the database or the user is left for the next
// one when a process comes to it. What refuses later on, when it was worked with, doesn't say that.
func TestEmptyServerIsPassedOver(t *testing.T) {
	for what, empty := range map[string]func(*Store){
		"no tables":   func(*Store) {},
		"no database": func(s *Store) { s.options.Auth.Database += "_gone" },
		"no user":     func(s *Store) { s.secret.value = "another" },
	} {
		t.Run(what, func(t *testing.T) {
			s := clustered(t)
			s.hosts.add([]string{"127.0.0.1:1"})
			empty(s)
			if err := errors.Join(s.DB.Close(), s.Watch.Close(), s.Reports.Close(), s.openPools()); err != nil {
				t.Fatal(err)
			}
			err := s.DB.Exec(t.Context(), "SELECT 1")
			if _, turn := s.hosts.now(); turn == 0 {
				t.Errorf("the process stays there: %v", err)
			}
			if isUnreachable(&clickhousego.Exception{Code: codeUnknownTable}) {
				t.Error("a table that is unknown makes a process go elsewhere")
			}
		})
	}
}

// TestMovedGoesOn: who waited at a server while the process went on asks the next one, and doesn't go on once more.
func TestMovedGoesOn(t *testing.T) {
	s := &Store{cluster: "one", hosts: newHosts([]string{"a", "b", "c"})}
	var asked []string
	err := s.anywhere(t.Context(), func(addr string, turn uint64) error {
		if asked = append(asked, addr); turn > 0 {
			return nil
		}
		s.hosts.next(turn) // somebody else saw it gone
		return fmt.Errorf("wait: %w", errMoved)
	})
	if err != nil || !slices.Equal(asked, []string{"a", "b"}) {
		t.Errorf("it asked %q (%v)", asked, err)
	}
}

// TestSyncReadsPasswordAgain: whoever waits for what other servers wrote finds out that the password has changed.
func TestSyncReadsPasswordAgain(t *testing.T) {
	s := clustered(t)
	right := s.secret.value
	s.secret.value, s.secret.read = "wrong", func() (string, error) { return right, nil }
	if err := errors.Join(s.DB.Close(), s.Watch.Close(), s.Reports.Close(), s.openPools()); err != nil {
		t.Fatal(err)
	}
	// The engine's tables don't replicate: so it refuses, but not for the password.
	if err := s.sync(t.Context(), 0, []string{"one"}); err == nil || isCode(err, authenticationFailed) ||
		s.secret.now() != right {
		t.Errorf("sync: %v", err)
	}
}

// slowWatch is a server that answers once it may.
type slowWatch struct {
	driver.Conn
	asked chan struct{}
	may   chan struct{}
}

func (w *slowWatch) QueryRow(context.Context, string, ...any) driver.Row {
	w.asked <- struct{}{}
	<-w.may
	return upRow{noRow{}}
}

type upRow struct{ noRow }

func (upRow) Scan(into ...any) error { *into[0].(*uint64) = 2; return nil }

// TestServersUpIsAskedOnce: who asks at once shares an answer, who can't wait goes, and what was asked before an insert
// failed isn't believed after that.
func TestServersUpIsAskedOnce(t *testing.T) {
	w := &slowWatch{asked: make(chan struct{}, 10), may: make(chan struct{})}
	s := &Store{Watch: w, cluster: "one", hosts: newHosts([]string{"a", "b"})}
	answer := make(chan error)
	go func() {
		up, err := s.serversUp(t.Context())
		if err == nil && up != 2 {
			err = fmt.Errorf("%d servers are up", up)
		}
		answer <- err
	}()
	<-w.asked
	impatient, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.serversUp(impatient); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who can't wait is told: %v", err)
	}
	if len(w.asked) > 0 {
		t.Error("two who ask at once ask twice")
	}
	s.forgetUp()
	close(w.may)
	if err := <-answer; err != nil {
		t.Error(err)
	}
	if _, _, known := s.up.known(0); known {
		t.Error("what was asked before an insert failed is believed after it")
	}
	if up, err := s.serversUp(t.Context()); up != 2 || err != nil {
		t.Errorf("asked again: %d (%v)", up, err)
	}
	if up, _, known := s.up.known(0); up != 2 || !known {
		t.Errorf("%d are known to be up: %t", up, known)
	}
}
