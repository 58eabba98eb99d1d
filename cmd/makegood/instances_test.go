package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/bookstest"
)

// TestManyInstances: roles run apart and several times over. A second projector joins, a first one leaves, in the midst
// of it; both gateways tell the same, and nothing is booked twice. Then ClickHouse stands still: what is accepted waits
// in the log, the projector says that it waits, and books it when ClickHouse is back: an outage is no poison message.
func TestManyInstances(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	set := startApart(ctx, t)
	_, one := set.role("gateway 0", "gateway")
	_, two := set.role("gateway 1", "gateway")
	first, _ := set.role("projector 0", "projector")

	seed := bookstest.Seeds(t, 1, 1)[0]
	records := reference.Generate(seed, reference.Options{Orders: 150})
	defer bookstest.KeepHistory(t, fmt.Sprintf("instances-%d", seed), records)
	var books, rest []reference.Record
	for _, r := range records {
		if r.Stream == "books" {
			books = append(books, r)
		} else {
			rest = append(rest, r)
		}
	}
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	send := func(c *client, records []reference.Record) {
		t.Helper()
		if err := sendUntilAcknowledged(ctx, c, records, rand.Uint64()); err != nil {
			t.Fatal(err)
		}
	}
	send(one, books)
	third := len(rest) / 3
	send(two, rest[:third])
	_, second := set.role("projector 1", "projector")
	send(one, rest[third:2*third])
	first.end(syscall.SIGTERM)
	send(two, rest[third:2*third]) // again: nothing doubles

	// ClickHouse can't be reached.
	set.path.block(true)
	set.path.cut(nil)
	send(one, rest[2*third:]) // accepted all the same
	awaitWaiting(ctx, t, second)
	set.path.block(false)

	for _, c := range []*client{one, two} {
		bookedOnce(ctx, t, c, len(want.Entries), len(records)+third, seed)
	}
	if err := second.get(ctx, "/readyz", nil, nil); err != nil {
		t.Errorf("the projector isn't ready again: %v", err)
	}
	for _, m := range []*member{first, set.broker, set.engine} {
		for _, end := range m.unasked() {
			t.Error(end)
		}
	}
}

// bookedOnce: each event is booked, and none twice, of a log that holds some of them several times.
func bookedOnce(ctx context.Context, t *testing.T, c *client, want, records int, seed int64) {
	t.Helper()
	s, err := c.caughtUp(ctx)
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for _, p := range s.Topics {
		if p.Booked != p.End {
			t.Errorf("caught up, and yet %+v", p)
		}
		total += p.End
	}
	if s.Events != uint64(want) || s.DeadLetters != 0 || s.Conflicts != 0 ||
		total < int64(records) {
		t.Errorf("seed %d: %d events, %d dead letters, %d records in the log; not %d and none", seed, s.Events,
			s.DeadLetters, total, want)
	}
}

// awaitWaiting waits until the projector says that it waits, to who asks whether it is ready, and to Prometheus.
func awaitWaiting(ctx context.Context, t *testing.T, projector *client) {
	t.Helper()
	var p *problem
	for {
		err := projector.get(ctx, "/readyz", nil, nil)
		if errors.As(err, &p) && p.Status == http.StatusServiceUnavailable {
			break
		}
		if ctx.Err() != nil {
			t.Fatalf("the projector doesn't say that it waits: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := projector.get(ctx, "/readyz/events", nil, nil); err != nil {
		t.Errorf("events aren't taken while ClickHouse is away: %v", err)
	}
	var page strings.Builder
	if err := projector.get(ctx, "/metrics", nil, &page); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), "makegood_projector_waiting 1") {
		t.Errorf("the metrics don't say that the projector waits:\n%s", page.String())
	}
}

// rolesApart are a broker, and a ClickHouse which is reached by a path that can be cut, each in a process of its own.
// Roles join them.
type rolesApart struct {
	broker, engine *member
	path           *proxy
	role           func(name, roles string) (*member, *client)
}

func startApart(ctx context.Context, t *testing.T) rolesApart {
	t.Helper()
	brokerAddr := freeAddress(t)
	broker := newHost(t, "broker", hostArguments{Dir: t.TempDir(), Addr: brokerAddr})
	_, port, err := net.SplitHostPort(freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	native, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	engine := newHost(t, "engine", hostArguments{Dir: t.TempDir(), NativePort: native})
	report, err := engine.await(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := broker.await(ctx); err != nil {
		t.Fatal(err)
	}
	path := startProxy(t, net.JoinHostPort("127.0.0.1", port))
	dsn := strings.Replace(report.DSN, path.target, path.addr(), 1)
	people := filepath.Join(t.TempDir(), "people.key")
	role := func(name, roles string) (*member, *client) {
		addr := freeAddress(t)
		m := newRole(t, name, "--roles", roles, "--http", addr, "--brokers", brokerAddr, "--clickhouse", dsn, "--data-dir",
			filepath.Join(t.TempDir(), "none"), "--people-key", people)
		if _, err := m.await(ctx); err != nil {
			t.Fatal(err)
		}
		return m, newClient("http://" + addr)
	}
	return rolesApart{broker, engine, path, role}
}
