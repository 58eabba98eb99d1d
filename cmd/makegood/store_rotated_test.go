package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/infra/embedded"
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

// dsn is the store's address, without a password, with settings of ClickHouse's for each statement.
func (s *ownStore) dsn(settings url.Values) string {
	u, err := url.Parse(s.engine.DSN())
	if err != nil {
		s.Fatal(err)
	}
	u.User = url.User(u.User.Username())
	query := u.Query()
	maps.Copy(query, settings)
	u.RawQuery = query.Encode()
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

// startOnStore starts makegood on a store, with a broker inside.
func startOnStore(t *testing.T, dir, dsn, passwordFile string, log *sharedText) (*server.App, *client) {
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

// awaitReadiness asks whether it is ready until the answer is as it should be.
func awaitReadiness(ctx context.Context, t *testing.T, app *server.App, is func(code int, said string) bool) (int,
	string) {
	t.Helper()
	for {
		answer, err := http.Get(app.URL + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err = errors.Join(err, answer.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if is(answer.StatusCode, string(body)) {
			return answer.StatusCode, string(body)
		}
		if pause(ctx, 50*time.Millisecond) != nil {
			t.Fatalf("readiness says %d %s", answer.StatusCode, body)
		}
	}
}

// TestClickHousePasswordIsRotated: ClickHouse begins again with another password. What is sent waits in the log; when
// the file has the new password makegood goes on by itself. Neither password is ever in the log, and people of other
// machines who ask for readiness aren't told what ClickHouse says.
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
	var log sharedText
	app, c := startOnStore(t, t.TempDir(), store.dsn(nil), known, &log)
	defer func() {
		if err := app.Close(); err != nil {
			t.Error(err)
		}
	}()
	stream := newRandomStream(t, 20)
	half := len(stream.records) / 2
	stream.send(ctx, t, c, stream.records[:half])
	if _, err := c.caughtUp(ctx); err != nil {
		t.Fatal(err)
	}
	store.stop()
	if err := os.Remove(store.passwordFile()); err != nil { // it makes another one
		t.Fatal(err)
	}
	store.start()
	stream.send(ctx, t, c, stream.records[half:])
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
	stream.nothingLost(ctx, t, c)
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

// TestClickHouseHasTooLittleMemory: what is too much for ClickHouse's memory is written in halves, and what is too much
// even alone waits: readiness says so, nothing becomes a dead letter for it, and with more memory all is booked.
func TestClickHouseHasTooLittleMemory(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	store := newOwnStore(t)
	var log sharedText
	dir := t.TempDir()
	start := func(most string) (*server.App, *client) {
		t.Helper()
		return startOnStore(t, dir, store.dsn(url.Values{"max_memory_usage": {most}}), store.passwordFile(), &log)
	}
	stop := func(app *server.App) {
		t.Helper()
		if err := app.Close(); err != nil {
			t.Error(err)
		}
	}
	stream := newRandomStream(t, 40)
	app, _ := start("0") // no bound
	stop(app)
	app, c := start("4000000")
	stream.send(ctx, t, c, stream.records)
	code, said := awaitReadiness(ctx, t, app, func(code int, said string) bool {
		return code == http.StatusServiceUnavailable && strings.Contains(said, "code 241")
	})
	t.Logf("with little memory readiness says %d %s", code, said)
	stop(app)
	app, c = start("0")
	defer stop(app)
	stream.nothingLost(ctx, t, c)
}
