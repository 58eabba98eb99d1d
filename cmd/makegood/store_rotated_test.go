package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/embedded"
	"github.com/makegood/makegood/projections/bookstest"
)

// ownStore is a ClickHouse apart from makegood, on an address that stays the same.
type ownStore struct {
	*testing.T
	dir    string
	port   int
	engine *embedded.Engine
}

func (s *ownStore) start() {
	s.Helper()
	var err error
	config := embedded.EngineConfig{Dir: s.dir, NativePort: s.port}
	if s.engine, err = embedded.StartEngine(s.Context(), config); err != nil {
		s.Fatal(err)
	}
}

func (s *ownStore) stop() {
	s.Helper()
	if err := s.engine.Close(); err != nil {
		s.Error(err)
	}
}

// passwordFile is where the engine keeps the writer's password.
func (s *ownStore) passwordFile() string {
	return filepath.Join(s.dir, "clickhouse", "makegood.password")
}

// dsn is the store's address, without a password.
func (s *ownStore) dsn() string {
	u, err := url.Parse(s.engine.DSN())
	if err != nil {
		s.Fatal(err)
	}
	u.User = url.User(u.User.Username())
	return u.String()
}

func newOwnStore(t *testing.T) *ownStore {
	t.Helper()
	_, port, err := net.SplitHostPort(freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	s := &ownStore{T: t, dir: t.TempDir()}
	if s.port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	s.start()
	t.Cleanup(s.stop)
	return s
}

// spoken is a log that may be read while it is written.
type spoken struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *spoken) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// startOnStore starts makegood on a store, with a broker inside.
func startOnStore(t *testing.T, dir, dsn, passwordFile string, log *spoken) (*server.App, *client) {
	t.Helper()
	app, err := server.Start(t.Context(), server.Config{DataDir: dir, HTTP: "127.0.0.1:0", KafkaListen: "127.0.0.1:0",
		Prefix: "makegood.", Group: "makegood-projector", Partitions: 4, Zone: "UTC",
		Roles:      []string{server.RoleGateway, server.RoleProjector, server.RoleExporter},
		ClickHouse: dsn, ClickHousePasswordFile: passwordFile,
		Access: server.AccessFlags{InsecureOpen: true}}, slog.New(slog.NewTextHandler(log, nil)), log)
	if err != nil {
		t.Fatal(err)
	}
	return app, newClient(app.URL)
}

// nothingLost waits until all is booked, and holds it against the second set of books.
func nothingLost(ctx context.Context, t *testing.T, c *client, want *reference.Books, seed uint64) {
	t.Helper()
	now, err := c.caughtUp(ctx)
	if err != nil || now.Events != uint64(len(want.Entries)) || now.DeadLetters != 0 || len(now.Gaps) != 0 {
		t.Errorf("seed %d: %d events of %d, %d dead letters, gaps %v: %v", seed, now.Events, len(want.Entries),
			now.DeadLetters, now.Gaps, err)
	}
	sameLeakage(ctx, t, c, want, seed)
}

// TestClickHousePasswordIsRotated: ClickHouse begins again with another password. What is sent waits in the log; when
// the file has the new password makegood goes on by itself. Neither password is ever said, and who asks for readiness
// from outside isn't told what ClickHouse says.
func TestClickHousePasswordIsRotated(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	store := newOwnStore(t)
	known := filepath.Join(t.TempDir(), "password")
	copyPassword := func() string {
		t.Helper()
		text, err := os.ReadFile(store.passwordFile())
		if err = errors.Join(err, os.WriteFile(known, text, 0o600)); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	first := copyPassword()
	var log spoken
	app, c := startOnStore(t, t.TempDir(), store.dsn(), known, &log)
	defer func() {
		if err := app.Close(); err != nil {
			t.Error(err)
		}
	}()
	seed := uint64(bookstest.Seeds(t, 1, 1)[0])
	records := ratesFirst(reference.Generate(int64(seed), reference.Options{Orders: 20}))
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	send := func(part []reference.Record) {
		t.Helper()
		if err := sendUntilAcknowledged(ctx, c, part, seed); err != nil {
			t.Fatal(err)
		}
	}
	half := len(records) / 2
	send(records[:half])
	if _, err := c.caughtUp(ctx); err != nil {
		t.Fatal(err)
	}
	store.stop()
	if err := os.Remove(store.passwordFile()); err != nil { // it makes another one
		t.Fatal(err)
	}
	store.start()
	send(records[half:])
	_, outside := awaitReadiness(ctx, t, app, func(code int, said string) bool {
		return code == http.StatusServiceUnavailable && (strings.Contains(said, "code 516") ||
			strings.Contains(said, "clickhouse does not answer"))
	})
	if strings.Contains(outside, "Exception") || strings.Contains(outside, "127.0.0.1") {
		t.Errorf("who asks from outside is told %s", outside)
	}
	for !strings.Contains(log.String(), "Authentication failed") {
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			t.Fatalf("the log doesn't say why nothing is booked: %s", log.String())
		}
	}
	second := copyPassword()
	nothingLost(ctx, t, c, want, seed)
	awaitReadiness(ctx, t, app, func(code int, _ string) bool { return code == http.StatusOK })
	for _, secret := range []string{first, second} {
		if secret == "" || strings.Contains(log.String(), secret) {
			t.Errorf("the log has a password: %q", secret)
		}
	}
	if first == second {
		t.Error("the password is the same")
	}
}

// TestClickHouseHasTooLittleMemory: what ClickHouse has no memory for is done in halves, and what goes into none waits:
// readiness says so, nothing is a dead letter for it, and with more memory all is booked.
func TestClickHouseHasTooLittleMemory(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	store := newOwnStore(t)
	var log spoken
	dir := t.TempDir()
	start := func(most string) (*server.App, *client) {
		t.Helper()
		dsn := store.dsn() + "&max_memory_usage=" + most
		if !strings.Contains(store.dsn(), "?") {
			dsn = store.dsn() + "?max_memory_usage=" + most
		}
		return startOnStore(t, dir, dsn, store.passwordFile(), &log)
	}
	stop := func(app *server.App) {
		t.Helper()
		if err := app.Close(); err != nil {
			t.Error(err)
		}
	}
	seed := uint64(bookstest.Seeds(t, 1, 1)[0])
	records := ratesFirst(reference.Generate(int64(seed), reference.Options{Orders: 40}))
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	app, _ := start("0") // no bound
	stop(app)
	app, c := start("4000000")
	if err := sendUntilAcknowledged(ctx, c, records, seed); err != nil {
		t.Fatal(err)
	}
	code, said := awaitReadiness(ctx, t, app, func(code int, said string) bool {
		return code == http.StatusServiceUnavailable && strings.Contains(said, "code 241")
	})
	t.Logf("with little memory readiness says %d %s", code, said)
	stop(app)
	app, c = start("0")
	defer stop(app)
	nothingLost(ctx, t, c, want, seed)
}
