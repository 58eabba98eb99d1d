package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

type nowhere struct{}

func (nowhere) Publish(string, ...*message.Message) error { return nil }
func (nowhere) Close() error                              { return nil }

type noTills struct{ Tills }

func (noTills) Find(string) (known, signed bool) { return false, false }

// everything is a server with all routes that there are, and handlers where the books would be asked that never answer.
func everything(t *testing.T) *Server {
	t.Helper()
	events, err := NewEvents(EventsConfig{Publisher: nowhere{}, PartitionKey: "key"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Addr: "127.0.0.1:0", Events: events, Tills: NewTillRequests(noTills{}, events),
		Books: struct{ Books }{}, Metrics: http.NotFoundHandler()})
	if err != nil {
		t.Fatal(err)
	}
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, 1) })
	for _, pattern := range []string{"GET /{$}", "GET /cases", "GET /assets/{name}"} { // as the page has them
		s.Handle(pattern, Read, ok)
	}
	s.Handle("GET /openapi.yaml", Open, ok)
	return s
}

// ask sends a request to a route, with a body of so many bytes.
func ask(s *Server, pattern string, body int, from string) *httptest.ResponseRecorder {
	method, path, _ := strings.Cut(pattern, " ")
	path = strings.NewReplacer("{id}", "1", "{period}", "2026-01", "{name}", "a", "{$}", "").Replace(path)
	r := httptest.NewRequest(method, path, strings.NewReader(strings.Repeat(" ", body)))
	r.Host, r.RemoteAddr = "localhost", from
	r.Header.Set("Content-Type", "application/json")
	if pattern == reconcilePattern {
		r.Header.Set("Content-Type", "text/csv")
	}
	w := httptest.NewRecorder()
	s.http.Handler.ServeHTTP(w, r)
	return w
}

// TestEveryRouteIsBounded walks all routes: each has a bound on its body, and is turned away with a time to come back
// where too many are worked on. Those that have none are known: what they cost is bounded otherwise.
func TestEveryRouteIsBounded(t *testing.T) {
	s := everything(t)
	bounded := []string{"GET /healthz", "GET /readyz", "GET /readyz/events", eventsPattern, tillPattern,
		"GET /assets/{name}", "GET /openapi.yaml"}
	for _, g := range []*gate{s.gates.reports, s.gates.changes, s.gates.watching, s.gates.reconcile} {
		g.wait = time.Millisecond
		for i := range cap(g.places) {
			leave, full := g.enter(t.Context(), fmt.Sprint("somebody", i))
			if full != nil {
				t.Fatal(full)
			}
			defer leave()
		}
	}
	if len(s.Patterns()) < 30 {
		t.Fatalf("only %d routes", len(s.Patterns()))
	}
	for _, pattern := range s.Patterns() {
		w := ask(s, pattern, 0, "192.0.2.1:7")
		if slices.Contains(bounded, pattern) {
			if w.Code == http.StatusServiceUnavailable {
				t.Errorf("%s waits for reports", pattern)
			}
			continue
		}
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "2" ||
			!strings.Contains(w.Body.String(), "ask again later") || !strings.Contains(w.Body.String(), ProblemOverloaded) {
			t.Errorf("%s is not bounded: answered %d %v %s", pattern, w.Code, w.Header(), w.Body)
		}
		if w := ask(s, pattern, maxPayoutBytes+1, "192.0.2.1:7"); w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s takes any body: answered %d", pattern, w.Code)
		}
	}
	if w := ask(s, eventsPattern, 8<<20+1, "192.0.2.1:7"); w.Code != http.StatusUnsupportedMediaType &&
		w.Code != http.StatusBadRequest && w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("events take any body: %d", w.Code)
	}
}

// TestEveryAnswerHasHeaders: whatever a route answers, no browser guesses what it is, frames it, keeps it or runs it.
func TestEveryAnswerHasHeaders(t *testing.T) {
	s := everything(t)
	for _, pattern := range append(s.Patterns(), "GET /nothing", "PUT /v1/events") {
		h := ask(s, pattern, 0, "192.0.2.1:7").Header()
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Content-Security-Policy": "frame-ancestors 'none'", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin"} {
			if !strings.Contains(h.Get(name), want) {
				t.Errorf("%s answers with %s %q", pattern, name, h.Get(name))
			}
		}
	}
}

// TestEveryRouteEnds: what the server gives up is answered, by every kind of route.
func TestEveryRouteEnds(t *testing.T) {
	s := everything(t)
	for _, g := range []*gate{s.gates.reports, s.gates.changes, s.gates.reconcile} {
		g.long = 10 * time.Millisecond
	}
	for _, pattern := range []string{"GET /slow", "POST /slow"} {
		s.Handle(pattern, Read, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			answerError(w, r, fmt.Errorf("asking: %w", r.Context().Err()), s.cfg.Logger)
		}))
		w := ask(s, pattern, 0, "192.0.2.1:7")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" ||
			!strings.Contains(w.Body.String(), "took too long") {
			t.Errorf("%s: answered %d %s", pattern, w.Code, w.Body)
		}
	}
}

// TestGateIsShared: never more than its places at once, and nobody keeps the others out.
func TestGateIsShared(t *testing.T) {
	g := newGate("reports", 4, 12, time.Minute, 1, new(atomic.Int64))
	g.wait = time.Minute
	var now, most, turned atomic.Int64
	open := make(chan struct{})
	h := g.through(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for n := now.Add(1); ; {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		<-open
		now.Add(-1)
	}))
	var all sync.WaitGroup
	send := func(from string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code == http.StatusServiceUnavailable {
			turned.Add(1)
		}
	}
	for range 150 {
		all.Go(func() { send("192.0.2.1:7") })
	}
	wait(t, func() bool { return turned.Load() == 142 }) // half of the sixteen are theirs
	all.Go(func() { send("192.0.2.2:7") })
	wait(t, func() bool { g.mu.Lock(); defer g.mu.Unlock(); return g.inside == 9 })
	close(open)
	all.Wait()
	if most.Load() != 4 || turned.Load() != 142 || g.inside != 0 || len(g.of) != 0 || len(g.places) != 0 {
		t.Errorf("%d at once, %d turned away, %d left in %v", most.Load(), turned.Load(), g.inside, g.of)
	}
	// Who goes away while they wait takes no place.
	g = newGate("reports", 1, 3, time.Minute, 1, new(atomic.Int64))
	leave, _ := g.enter(t.Context(), "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, full := g.enter(ctx, "b"); full == nil || g.inside != 1 {
		t.Errorf("who is gone has a place of %d", g.inside)
	}
	leave()
}

func wait(t *testing.T, until func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !until(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came to that")
		}
	}
}

// TestReadyIsAskedOnce: however many ask whether it is ready, one question at a time is asked for all of them.
func TestReadyIsAskedOnce(t *testing.T) {
	var now, asked atomic.Int64
	open := make(chan struct{})
	s, err := New(Config{Addr: "127.0.0.1:0", Ready: func(context.Context) error {
		if now.Add(1) > 1 {
			t.Error("asked twice at once")
		}
		defer now.Add(-1)
		asked.Add(1)
		<-open
		return errors.New("behind")
	}})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if w := ask(s, "GET /readyz", 0, "192.0.2.1:7"); w.Code != http.StatusServiceUnavailable {
				t.Errorf("answered %d", w.Code)
			}
		})
	}
	wait(t, func() bool { return asked.Load() > 0 })
	time.Sleep(20 * time.Millisecond)
	close(open)
	all.Wait()
	if asked.Load() > 25 {
		t.Errorf("asked %d times for 50", asked.Load())
	}
}

// TestTimedBody: a body has its time to arrive, and once it has, that bounds nothing any more.
func TestTimedBody(t *testing.T) {
	arrived := 0
	b := &timedBody{io.NopCloser(strings.NewReader("abc")), func() { arrived++ }}
	if _, err := io.ReadAll(b); err != nil || arrived != 1 {
		t.Errorf("%d %v", arrived, err)
	}
}
