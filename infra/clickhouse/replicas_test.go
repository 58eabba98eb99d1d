package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/makegood/makegood/projections/ledger"
)

// TestReplicatedMigrations: for a cluster, each table that a migration makes has a replicating engine and an identity
// of its own, and nothing else of it changes.
func TestReplicatedMigrations(t *testing.T) {
	identity := regexp.MustCompile(` UUID '[0-9a-f-]{36}'`)
	seen := map[string]bool{}
	names, err := fs.Glob(replicatedFS{ledger.Migrations()}, "*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d migrations (%v)", len(names), err)
	}
	for _, name := range names {
		was, err := fs.ReadFile(ledger.Migrations(), name)
		if err != nil {
			t.Fatal(err)
		}
		is, err := fs.ReadFile(replicatedFS{ledger.Migrations()}, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range identity.FindAllString(string(is), -1) {
			if seen[id] {
				t.Errorf("%s: two tables have the identity%s", name, id)
			}
			seen[id] = true
		}
		tables := strings.Count(string(was), "CREATE TABLE ")
		if n := len(identity.FindAllString(string(is), -1)); n != tables {
			t.Errorf("%s: %d of %d tables have an identity", name, n, tables)
		}
		back := strings.ReplaceAll(identity.ReplaceAllString(string(is), ""), "ENGINE = Replicated", "ENGINE = ")
		if back != string(was) {
			t.Errorf("%s changed otherwise", name)
		}
		if n, m := strings.Count(string(was), "ENGINE = "), strings.Count(string(is), "ENGINE = Replicated"); n != m {
			t.Errorf("%s: %d of %d engines replicate", name, m, n)
		}
	}
}

// TestHosts: who saw a server gone goes on at the next one, once for all who saw it.
func TestHosts(t *testing.T) {
	h := newHosts([]string{"a", "b"})
	h.add([]string{"b", "c"})
	_, first := h.now()
	for range 3 { // three saw it
		if !h.next(first) {
			t.Fatal("there is no other server")
		}
	}
	if addr, _ := h.now(); addr != "b" {
		t.Errorf("it goes on at %s", addr)
	}
	for want := range strings.SplitSeq("c a b", " ") {
		_, turn := h.now()
		h.next(turn)
		if addr, _ := h.now(); addr != want {
			t.Errorf("it goes on at %s and not %s", addr, want)
		}
	}
	if alone := newHosts([]string{"a"}); alone.next(0) {
		t.Error("a server alone has another one beside it")
	}
}

// TestUnreachable tells what another server may answer from what each would refuse.
func TestUnreachable(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{io.EOF, true},
		{fmt.Errorf("wait: %w", errMoved), true},
		{fmt.Errorf("dial: %w", syscall.ECONNREFUSED), true},
		{&clickhousego.Exception{Code: codeTableReadOnly}, true},
		{&clickhousego.Exception{Code: codeKeeper}, true},
		{&clickhousego.Exception{Code: codeUnknownTable}, false},
		{errors.New("whatever"), false},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, true},
		{fmt.Errorf("read: %w", &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ETIMEDOUT)}), true},
		{&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, true},
		{fmt.Errorf("read: %w", &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}), false},
		{context.DeadlineExceeded, false},
	} {
		if is := isUnreachable(c.err); is != c.want {
			t.Errorf("%v: %t", c.err, is)
		}
	}
}

// TestOneServerIsDialedAsEver: only in a cluster, where there is another server, we notice within seconds that one is
// gone.
func TestOneServerIsDialedAsEver(t *testing.T) {
	for cluster, own := range map[string]bool{"": false, "one": true} {
		o, err := Config{DSN: "clickhouse://makegood@localhost:9000/makegood", Cluster: cluster}.options()
		if err != nil {
			t.Fatal(err)
		}
		if is := o.DialContext != nil; is != own {
			t.Errorf("servers of the cluster %q are dialed in our own way: %t", cluster, is)
		}
	}
}

// TestOpenFailed: a server whose schema can't be read leaves no connection behind.
func TestOpenFailed(t *testing.T) {
	s := clustered(t)
	s.cluster = "" // no quorum is wanted for what follows
	if err := s.DB.Exec(t.Context(), "RENAME TABLE schema_versions TO was"); err != nil {
		t.Fatal(err)
	}
	if err := s.DB.Exec(t.Context(), "CREATE TABLE schema_versions (a UInt8) ENGINE = MergeTree ORDER BY a"); err != nil {
		t.Fatal(err)
	}
	r := s.replica(s.options.Addr[0])
	if err := r.open(t.Context()); err == nil || r.db != nil {
		t.Errorf("it is open: %t (%v)", r.db != nil, err)
	}
}

// TestSlowStatementStays: a statement that takes too long is not run again at the next server, for this one answers.
// One that stands still doesn't: its machine takes the connection, and nobody says anything.
func TestSlowStatementStays(t *testing.T) {
	s := clustered(t)
	still, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer still.Close()
	s.hosts.add([]string{still.Addr().String()})
	s.options.ReadTimeout = 200 * time.Millisecond
	if err := errors.Join(s.DB.Close(), s.Watch.Close(), s.Reports.Close(), s.openPools()); err != nil {
		t.Fatal(err)
	}
	_, turn := s.hosts.now()
	s.up.note(2, turn, 0)
	err = s.Reports.Exec(t.Context(), "SELECT sleep(1)")
	if _, turn := s.hosts.now(); !isTimeout(err) || turn != 0 {
		t.Errorf("the process went on %d times (%v)", turn, err)
	}
	limited, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if s.isGone(limited, s.options.Addr[0], io.EOF) {
		t.Error("a server is gone because a context is over")
	}
	s.options.DialTimeout = 200 * time.Millisecond
	if timeout := os.ErrDeadlineExceeded; !s.isGone(t.Context(), still.Addr().String(), timeout) {
		t.Error("a server that stands still is there")
	}
}
