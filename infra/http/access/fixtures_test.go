package access_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/http/access"
)

// clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// accepting is a broker that says yes, and remembers to what.
type accepting struct {
	mu   sync.Mutex
	took []*message.Message
}

func (a *accepting) Publish(_ string, messages ...*message.Message) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.took = append(a.took, messages...)
	return nil
}

func (*accepting) Close() error { return nil }

// take is what came since it was last asked.
func (a *accepting) take() []*message.Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	took := a.took
	a.took = nil
	return took
}

// signed is a till that nobody has signed for.
type signed struct{}

func (signed) Find(string) (known, signs bool) { return true, true }
func (signed) Keep(context.Context, *gateway.Delivery) error {
	return &gateway.SignatureError{Reason: "not signed"}
}

// guarded is a gateway behind a guard, and what belongs to it.
type guarded struct {
	t      *testing.T
	url    string
	file   string
	guard  *access.Guard
	clock  *clock
	log    *logged
	client *http.Client

	publisher *accepting
	patterns  []string
}

func serve(t *testing.T, file string, change func(*access.GuardConfig, *gateway.Config)) *guarded {
	t.Helper()
	g := &guarded{t: t, file: file, clock: newClock(), log: &logged{}, client: &http.Client{Timeout: 20 * time.Second},
		publisher: &accepting{}}
	logger := slog.New(slog.NewTextHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	gc := access.GuardConfig{File: file, Now: g.clock.now, Logger: logger, Hold: time.Millisecond}
	sc := gateway.Config{Addr: "127.0.0.1:0", Logger: logger, Metrics: http.NotFoundHandler()}
	if change != nil {
		change(&gc, &sc)
	}
	var err error
	if g.guard, err = access.NewGuard(gc); err != nil {
		t.Fatal(err)
	}
	if sc.Events, err = gateway.NewEvents(gateway.EventsConfig{Publisher: g.publisher, PartitionKey: "key"}); err != nil {
		t.Fatal(err)
	}
	sc.Tills = gateway.NewTillRequests(signed{}, sc.Events)
	sc.Guard = g.guard.Check
	server, err := gateway.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })
	server.Handle("GET /read", gateway.Read, ok)
	server.Handle("POST /operate", gateway.Operate, ok)
	g.patterns = server.Patterns()
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() {
		g.client.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	g.url = "http://" + server.Addr().String()
	if sc.TLS != nil {
		g.url = "https://" + server.Addr().String()
	}
	return g
}

func issue(t *testing.T, file, name string, scopes []gateway.Scope, sources ...string) string {
	t.Helper()
	token, err := access.Issue(file, access.Entry{Name: name, Scopes: scopes, Sources: sources})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func newFile(t *testing.T) string { return filepath.Join(t.TempDir(), "access") }

// ask sends a request with headers and returns status and body.
func (g *guarded) ask(method, path, body string, headers ...string) (*http.Response, string) {
	g.t.Helper()
	r, err := http.NewRequest(method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := g.client.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return response, string(text)
}

func (g *guarded) want(status int, method, path, body string, headers ...string) string {
	g.t.Helper()
	response, text := g.ask(method, path, body, headers...)
	if response.StatusCode != status {
		g.t.Fatalf("%s %s was answered %d, not %d: %s", method, path, response.StatusCode, status, text)
	}
	return text
}

func write(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil { // of a file that was there, too
		t.Fatal(err)
	}
}
