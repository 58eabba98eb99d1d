package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
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

func TestEngineSettings(t *testing.T) {
	e := startEngine(t, EngineConfig{Dir: t.TempDir()})
	conn := connect(t, e.DSN())
	for query, want := range map[string]string{
		"SELECT value FROM system.settings WHERE name = 'async_insert'":                                   "0",
		"SELECT value FROM system.merge_tree_settings WHERE name = 'fsync_after_insert'":                  "1",
		"SELECT value FROM system.merge_tree_settings WHERE name = 'fsync_part_directory'":                "1",
		"SELECT value FROM system.merge_tree_settings WHERE name = 'non_replicated_deduplication_window'": "0",
		"SELECT value FROM system.server_settings WHERE name = 'background_pool_size'":                    "2",
		"SELECT value FROM system.server_settings WHERE name = 'mark_cache_size'":                         "134217728",
		"SELECT toString(count()) FROM system.tables WHERE database = 'system' AND name LIKE '%\\_log'":   "0",
		"SELECT timezone()": "UTC",
	} {
		if got := scan1[string](t, conn, query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	// The pools are small enough to make a mutation wait for ever if its
	// thresholds didn't fit.
	exec1(t, conn, "CREATE DATABASE makegood",
		"CREATE TABLE makegood.t (a UInt64, b UInt64) ENGINE = ReplacingMergeTree ORDER BY a",
		"INSERT INTO makegood.t SELECT number, 0 FROM numbers(100)",
		"INSERT INTO makegood.t SELECT number, 1 FROM numbers(100)",
		"ALTER TABLE makegood.t UPDATE b = 2 WHERE 1 SETTINGS mutations_sync = 1",
		"CREATE MATERIALIZED VIEW makegood.r REFRESH EVERY 1 SECOND ENGINE = MergeTree ORDER BY a AS SELECT * FROM "+
			"makegood.t FINAL",
		"SYSTEM REFRESH VIEW makegood.r", "SYSTEM WAIT VIEW makegood.r")
	if got := scan1[uint64](t, conn, "SELECT sum(b) FROM makegood.r"); got != 200 {
		t.Errorf("sum after the mutation is %d", got)
	}
}

// TestEngineKeepsWhatItAcknowledged kills the engine while it takes inserts.
func TestEngineKeepsWhatItAcknowledged(t *testing.T) {
	dir := t.TempDir()
	acked := uint64(0)
	for round := range 3 {
		e := startEngine(t, EngineConfig{Dir: dir})
		conn := connect(t, e.DSN())
		if round == 0 {
			exec1(t, conn, "CREATE DATABASE makegood",
				"CREATE TABLE makegood.t (a UInt64, s String) ENGINE = MergeTree ORDER BY a")
		}
		inserts := 0
		for {
			// Other rows on their way at the moment of the kill.
			if inserts == 20 {
				go func() {
					_ = conn.Exec(context.WithoutCancel(t.Context()),
						fmt.Sprintf("INSERT INTO makegood.t SELECT number + %d, randomPrintableASCII(100) FROM numbers(1000000)",
							uint64(1)<<40))
				}()
				if err := syscall.Kill(e.PID(), syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				break
			}
			exec1(t, conn, fmt.Sprintf("INSERT INTO makegood.t SELECT number + %d, 'x' FROM numbers(100)", acked))
			acked += 100
			inserts++
		}
		<-e.Done()
		err := e.Err()
		if err == nil || !strings.Contains(err.Error(), "killed") {
			t.Errorf("Err after a kill: %v", err)
		}
		if cerr := e.Close(); !errors.Is(cerr, err) {
			t.Errorf("Close after a kill: %v, want %v", cerr, err)
		}
	}
	e := startEngine(t, EngineConfig{Dir: dir})
	conn := connect(t, e.DSN())
	if got := scan1[uint64](t, conn, fmt.Sprintf("SELECT uniqExact(a) FROM makegood.t WHERE a < %d",
		uint64(1)<<40)); got != acked {
		t.Errorf("%d rows are there, %d were acknowledged", got, acked)
	}
	if got := scan1[uint64](t, conn, fmt.Sprintf("SELECT count() FROM makegood.t WHERE a >= %d",
		uint64(1)<<40)); got%1000000 != 0 {
		t.Logf("%d rows of an insert that was not acknowledged: blocks of it may stay", got)
	}
}

// TestEngineDiesWithItsParent: kill -9 of the parent ends the engine, and a
// start right after waits until it is gone.
func TestEngineDiesWithItsParent(t *testing.T) {
	dir := t.TempDir()
	for round := range uint64(3) {
		h := startHost(t, "host-engine", dir)
		conn := connect(t, h.DSN)
		if round == 0 {
			exec1(t, conn, "CREATE DATABASE makegood", "CREATE TABLE makegood.t (a UInt64) ENGINE = MergeTree ORDER BY a")
		}
		exec1(t, conn, "INSERT INTO makegood.t VALUES (1)")
		h.kill(t)
		e := startEngine(t, EngineConfig{Dir: dir})
		if running(t, h.ChildPID) {
			t.Error("two engines on one directory")
		}
		if got := scan1[uint64](t, connect(t, e.DSN()), "SELECT count() FROM makegood.t"); got != round+1 {
			t.Errorf("%d rows after %d kills", got, round+1)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		if running(t, e.PID()) {
			t.Error("the engine outlived Close")
		}
	}
	h := startHost(t, "host-engine", dir)
	h.stop(t)
	if running(t, h.ChildPID) {
		t.Error("the engine outlived a clean stop of its parent")
	}
}

// running tells whether a process still works. One that has ended, and whose
// parent hasn't waited for it yet, doesn't.
func running(t *testing.T, pid int) bool {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z") && !strings.HasPrefix(after, "X")
}

func TestEngineHasItsDirectoryAlone(t *testing.T) {
	dir := t.TempDir()
	e := startEngine(t, EngineConfig{Dir: dir})
	second, err := StartEngine(testContext(t), EngineConfig{Dir: dir, LockTimeout: 100 * time.Millisecond})
	if err == nil {
		_ = second.Close()
		t.Fatal("two engines on one directory")
	}
	if !strings.Contains(err.Error(), "engine of another run") || !strings.Contains(err.Error(), dir) {
		t.Errorf("unclear: %v", err)
	}
	if got := scan1[uint8](t, connect(t, e.DSN()), "SELECT 1"); got != 1 {
		t.Error("the first engine suffered from it")
	}
}

// TestEngineStopsWithWorkAtHand: a query that won't end doesn't hold a stop up
// for ever.
func TestEngineStopsWithWorkAtHand(t *testing.T) {
	e := startEngine(t, EngineConfig{Dir: t.TempDir(), StopTimeout: 20 * time.Second})
	conn := connect(t, e.DSN())
	running := make(chan struct{})
	go func() {
		defer close(running)
		_ = conn.Exec(context.WithoutCancel(t.Context()),
			"SELECT count() FROM numbers(1e18) WHERE NOT ignore(sleepEachRow(0.001)) SETTINGS max_block_size = 100, "+
				"function_sleep_max_microseconds_per_block = 1e9")
	}()
	for scan1[uint64](t, conn, "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow%' AND query NOT "+
		"LIKE '%processes%'") == 0 {
	}
	err := e.Close()
	t.Logf("stopped with %v", err)
	<-e.Done()
	<-running
}

// shellDirs are what a shell script needs to run.
var shellDirs = []string{"/bin", "/usr/bin"}

// shim puts a program called clickhouse on the PATH.
func shim(t *testing.T, script string) {
	t.Helper()
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "clickhouse"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// TestEngineFromThePath: a clickhouse on the PATH is used instead of the
// library, with the options of `clickhouse local`. It is the same engine here,
// behind a script.
func TestEngineFromThePath(t *testing.T) {
	library, err := Fetch(testContext(t), FetchConfig{})
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	// It works in the engine's own directory, and can write nowhere else.
	shim(t, fmt.Sprintf("[ \"$1\" = local ] || exit 64\nshift\necho \"$@\" > used\nexec '%s' %s %s %s '%s' \"$@\"\n", self,
		childArgument, noFence, kindLibrary, library))
	// The cache is where no library can be: it must not be looked for.
	e := startEngine(t, EngineConfig{Dir: dir, CacheDir: filepath.Join(os.DevNull, "nowhere"),
		readable: append([]string{self, library}, shellDirs...)})
	if got := scan1[uint8](t, connect(t, e.DSN()), "SELECT 1"); got != 1 {
		t.Errorf("answered %d", got)
	}
	text, err := os.ReadFile(filepath.Join(dir, "clickhouse", "data", "used"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "--config-file="+filepath.Join(dir, "clickhouse", "config.xml")) {
		t.Errorf("options: %s", text)
	}
}

func TestEngineThatFailsSaysWhy(t *testing.T) {
	shim(t, "echo the reason >&2\nexit 3\n")
	e, err := StartEngine(testContext(t), EngineConfig{Dir: t.TempDir(), readable: shellDirs})
	if err == nil {
		_ = e.Close()
		t.Fatal("started")
	}
	for _, part := range []string{"the reason", "exit status 3", "clickhouse on the PATH"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in: %v", part, err)
		}
	}
}

func TestEngineThatNeverAnswers(t *testing.T) {
	shim(t, "echo still thinking >&2\nexec sleep 600\n")
	dir := t.TempDir()
	e, err := StartEngine(testContext(t), EngineConfig{Dir: dir, StartTimeout: 300 * time.Millisecond,
		readable: shellDirs})
	if err == nil {
		_ = e.Close()
		t.Fatal("started")
	}
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "still thinking") {
		t.Errorf("unclear: %v", err)
	}
	// It must be gone, or the directory would stay locked.
	lock, err := lockEngine(testContext(t), engineLayout(dir).lock, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestEngineTakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // loopback
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	taken := l.Addr().(*net.TCPAddr).Port
	free, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	e, err := StartEngine(testContext(t), EngineConfig{Dir: t.TempDir(), NativePort: taken, HTTPPort: free})
	if err == nil {
		_ = e.Close()
		t.Fatal("started on a taken port")
	}
	if !strings.Contains(err.Error(), "Address already in use") {
		t.Errorf("unclear: %v", err)
	}
}

func TestEngineConfig(t *testing.T) {
	for _, c := range []EngineConfig{
		{},
		{Dir: "x", NativePort: -1},
		{Dir: "x", HTTPPort: 65536},
		{Dir: "x", HTTPPort: -2},
		{Dir: "x", Connect: []int{0}},
		{Dir: "x", NativePort: 9000, HTTPPort: 9000},
		{Dir: "x", StopTimeout: -1},
	} {
		if err := c.Validate(); err == nil {
			t.Errorf("%+v passed", c)
		}
		if _, err := StartEngine(testContext(t), c); err == nil {
			t.Errorf("%+v started", c)
		}
	}
	if err := (EngineConfig{Dir: "x", NativePort: 9000, HTTPPort: 8123}).Validate(); err != nil {
		t.Error(err)
	}
}

// TestEngineSurvivesHostileClients: an error in a connection concerns that
// connection alone. Without its terminal the engine would abort on each of these.
func TestEngineSurvivesHostileClients(t *testing.T) {
	e := startEngine(t, EngineConfig{Dir: t.TempDir(), HTTPPort: AnyPort})
	hangUp := func(addr, say string, listen int) {
		t.Helper()
		conn, err := net.Dial("tcp", addr) //nolint:noctx // loopback
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, say); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, conn, int64(listen)); err != nil {
			t.Fatal(err)
		}
		// Closing with no lingering sends a reset.
		if err := errors.Join(conn.(*net.TCPConn).SetLinger(0), conn.Close()); err != nil {
			t.Fatal(err)
		}
	}
	query := "/?user=makegood&password=" + e.Password() + "&query=SELECT+number+FROM+numbers(100000000)"
	for range 5 {
		if err := connect(t, login(e, e.User(), "guess")).Ping(testContext(t)); err == nil {
			t.Fatal("a wrong password was right")
		}
		hangUp(loopbackAddr(e.inside), "GET "+query+" HTTP/1.1\r\nHost: x\r\n\r\n", 10000)
		hangUp(e.HTTPAddr(), "GET / HT", 0)
		hangUp(e.HTTPAddr(), "no HTTP\r\n\r\n", 0)
		hangUp(e.HTTPAddr(), "POST /?query=SELECT+1&user=finance&password="+e.ReaderPassword()+
			" HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", 0)
		hangUp(e.Addr(), "\x00\x04rude", 0)
		hangUp(e.Addr(), "no native protocol", 0)
		hangUp(e.Addr(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 10)
		hangUp(e.Addr(), "", 0)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_ = connect(t, e.DSN()).Exec(ctx, "SELECT count() FROM numbers(1e18)") // given up by the client
		cancel()
	}
	if got := scan1[uint8](t, connect(t, e.DSN()), "SELECT 1"); got != 1 {
		t.Errorf("answered %d", got)
	}
	if err := e.Err(); err != nil {
		t.Error(err)
	}
}

// TestEngineReadsTheBroker: the two parts work with each other as real servers
// do, through a client that is neither Go nor ours.
func TestEngineReadsTheBroker(t *testing.T) {
	dir := t.TempDir()
	b := startBroker(t, BrokerConfig{Dir: dir})
	_, port, err := loopback(b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	e := startEngine(t, EngineConfig{Dir: dir, Connect: []int{port},
		Grants: []string{"GRANT TABLE ENGINE ON Kafka", "GRANT KAFKA ON *.*"}})
	createTopic(t, b.Addr(), "makegood.orders", 2)
	for p := range 2 {
		if _, err := produce(testContext(t), b.Addr(), "makegood.orders", p, `{"a":1}`, `{"a":2}`); err != nil {
			t.Fatal(err)
		}
	}
	conn := connect(t, e.DSN())
	exec1(t, conn, "CREATE DATABASE makegood",
		fmt.Sprintf("CREATE TABLE makegood.q (a UInt64) ENGINE = Kafka SETTINGS kafka_broker_list = '%s', kafka_topic_list "+
			"= 'makegood.orders', kafka_group_name = 'q', kafka_format = 'JSONEachRow', kafka_num_consumers = 2, "+
			"kafka_flush_interval_ms = 100", b.Addr()),
		"CREATE MATERIALIZED VIEW makegood.t ENGINE = MergeTree ORDER BY a AS SELECT a FROM makegood.q")
	for scan1[uint64](t, conn, "SELECT sum(a) FROM makegood.t") != 6 {
		time.Sleep(pollEvery)
	}
	exec1(t, conn, "DROP TABLE makegood.t", "DROP TABLE makegood.q")
}
