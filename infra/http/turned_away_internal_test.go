package gateway

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// TestTurnedAwayIsCounted turns somebody away at every door, and holds that this door alone counts it.
func TestTurnedAwayIsCounted(t *testing.T) {
	s := everything(t)
	want := s.TurnedAway()
	for reason, n := range want {
		if n != 0 {
			t.Errorf("%s: %d of nothing", reason, n)
		}
	}
	counts := func(reason string, turnAway func()) {
		t.Helper()
		turnAway()
		want[reason]++
		if got := s.TurnedAway(); !maps.Equal(got, want) {
			t.Errorf("after %s: %v, want %v", reason, got, want)
		}
	}
	request := func(path string, change func(*http.Request)) func() {
		return func() {
			r := httptest.NewRequest(http.MethodPost, path, nil)
			r.Host = "localhost"
			change(r)
			s.http.Handler.ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	counts("host", request("/v1/rebuild", func(r *http.Request) { r.Host = "evil.example" }))
	counts("origin", request("/v1/rebuild", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }))
	counts("size", func() { ask(s, "POST /v1/rebuild", maxSmall+1, "192.0.2.1:7") })
	s.inFlight.now.Store(s.inFlight.most)
	counts("bytes", func() {
		if w := ask(s, reconcilePattern, 100, "192.0.2.1:7"); w.Code/100 == 2 {
			t.Errorf("without room: %d", w.Code)
		}
	})
	for reason, of := range map[string]struct {
		gate    *gate
		pattern string
	}{
		"reports": {s.gates.reports, "GET /v1/summary"}, "changes": {s.gates.changes, "POST /v1/rebuild"},
		"state": {s.gates.watching, "GET /v1/status"}, "reconcile": {s.gates.reconcile, reconcilePattern},
	} {
		of.gate.wait = time.Millisecond
		for i := range cap(of.gate.places) {
			leave, full := of.gate.enter(t.Context(), fmt.Sprint("somebody", i))
			if full != nil {
				t.Fatal(full)
			}
			defer leave()
		}
		counts(reason, func() { ask(s, of.pattern, 0, "192.0.2.1:7") })
	}
	counts("connections", func() { fillConnections(t, &s.away.connections) })
}

// fillConnections has one address ask for a connection more than it may have.
func fillConnections(t *testing.T, closed *atomic.Int64) {
	t.Helper()
	inside, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = inside.Close() })
	l := newPerAddress(inside, 1, closed)
	go func() {
		for {
			if _, err := l.Accept(); err != nil {
				return
			}
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", inside.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	dial()
	if _, err := dial().Read(make([]byte, 1)); err == nil {
		t.Error("the second connection of an address is answered")
	}
}
