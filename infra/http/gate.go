package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// What every route but that of events may take. Events are bounded by their bytes, see EventsConfig.MaxInFlight; what
// is the same for everybody (assets, schemas, whether it lives) costs no more than its connection.
const (
	reportTime    = time.Minute
	reconcileTime = 30 * time.Minute
	healthTime    = 10 * time.Second
	changeTime    = time.Minute

	maxChanging = 8
	maxWatching = 8
	// gateWait is how long a request waits for its turn, gateRetry when those who had none are told to come back.
	gateWait  = 5 * time.Second
	gateRetry = 2 * time.Second
	// maxSmall bounds the body of what isn't meant to have a large one.
	maxSmall = 64 << 10
	// smallBody bounds how long such a body may take to arrive.
	smallBody = 30 * time.Second
)

// gate bounds how many requests of a kind are worked on at once, and for how long each. Some more may wait, in the
// order in which they came. Nobody has more than half of it, so that one who asks a great deal leaves room for the
// others.
type gate struct {
	what   string // that are made, for whoever is turned away
	places chan struct{}
	most   int           // inside, with those who wait
	long   time.Duration // a request may take
	body   int64         // bytes at most
	wait   time.Duration

	mu     sync.Mutex
	inside int            // with those who wait
	of     map[string]int // by who it is

	large, away *atomic.Int64 // requests that were turned away: for their size, for want of a place
}

func newGate(what string, places, waiting int, long time.Duration, body int64, large *atomic.Int64) *gate {
	return &gate{what: what, places: make(chan struct{}, places), most: places + waiting, long: long, body: body,
		wait: gateWait, of: map[string]int{}, large: large, away: new(atomic.Int64)}
}

// gates are those of a server.
type gates struct{ reports, changes, watching, reconcile *gate }

func newGates(c *Config, large *atomic.Int64) gates {
	return gates{
		reports:   newGate("reports", c.MaxReports, 3*c.MaxReports, reportTime, maxSmall, large),
		changes:   newGate("changes", maxChanging, 3*maxChanging, changeTime, maxSmall, large),
		watching:  newGate("answers about the state", maxWatching, 3*maxWatching, healthTime, maxSmall, large),
		reconcile: newGate("reconciliations and verifications", 1, 0, reconcileTime, maxPayoutBytes, large),
	}
}

// gateOf is the gate of a route; nil where something else bounds it.
func (s *Server) gateOf(pattern string, anyOf []Scope) *gate {
	switch {
	case slices.Contains(anyOf, Open), pattern == eventsPattern, strings.HasPrefix(pattern, "GET /assets/"):
		return nil
	case pattern == reconcilePattern, pattern == verifyPattern:
		return s.gates.reconcile
	case pattern == "GET /metrics", pattern == "GET /v1/status":
		return s.gates.watching
	case strings.HasPrefix(pattern, "GET "):
		return s.gates.reports
	}
	return s.gates.changes
}

// enter waits for a place. A request that gets none is told so.
func (g *gate) enter(ctx context.Context, who string) (leave func(), _ *Problem) {
	if !g.stand(who) {
		return nil, g.full()
	}
	timer := time.NewTimer(g.wait)
	defer timer.Stop()
	select {
	case g.places <- struct{}{}:
		return func() {
			<-g.places
			g.goAway(who)
		}, nil
	case <-timer.C:
	case <-ctx.Done():
	}
	g.goAway(who)
	return nil, g.full()
}

// stand takes a place among those who are inside or wait.
func (g *gate) stand(who string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside >= g.most || g.of[who] >= max(g.most/2, 1) {
		return false
	}
	g.inside++
	g.of[who]++
	return true
}

func (g *gate) goAway(who string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.of[who]--; g.of[who] == 0 {
		delete(g.of, who)
	}
}

func (g *gate) full() *Problem {
	g.away.Add(1)
	p := NewProblem(http.StatusServiceUnavailable, ProblemOverloaded,
		"too many %s are being made: nothing was done, ask again later", g.what)
	p.RetryAfter = gateRetry
	return p
}

// through lets a handler work within the bounds of a gate.
func (g *gate) through(h http.Handler) http.Handler {
	if g == nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := &countedBody{ReadCloser: r.Body}
		if r.ContentLength != 0 {
			defer drain(w, r, body, 2*g.body)
		}
		if r.ContentLength > g.body {
			g.large.Add(1)
			WriteProblem(w, NewProblem(http.StatusRequestEntityTooLarge, ProblemTooLarge, "a body has at most %d bytes here",
				g.body))
			return
		}
		leave, full := g.enter(r.Context(), AskedBy(r))
		if full != nil {
			WriteProblem(w, full)
			return
		}
		defer leave()
		ctx, cancel := context.WithTimeoutCause(r.Context(), g.long, errTookTooLong)
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = body
		r.Body = http.MaxBytesReader(w, g.timed(w, r), g.body)
		h.ServeHTTP(w, r)
	})
}

// timed gives a request's body its time to arrive. The connection is read while its handler works, to see whether the
// client is gone: what bounds the body must not end the work.
func (g *gate) timed(w http.ResponseWriter, r *http.Request) io.ReadCloser {
	control, end := http.NewResponseController(w), time.Now().Add(g.long+reportTime)
	arrival := end
	if r.ContentLength != 0 {
		arrival = time.Now().Add(smallBody)
	}
	// Writers that can't set deadlines (in tests) have none.
	_ = control.SetReadDeadline(arrival)
	_ = control.SetWriteDeadline(end)
	return &timedBody{r.Body, func() { _ = control.SetReadDeadline(end) }}
}

type timedBody struct {
	io.ReadCloser
	arrived func()
}

func (b *timedBody) Read(to []byte) (int, error) {
	n, err := b.ReadCloser.Read(to)
	if errors.Is(err, io.EOF) {
		b.arrived()
	}
	return n, err //nolint:wrapcheck // this is a reader
}

// errTookTooLong says that the server gave a request up, not its client.
var errTookTooLong = errors.New("it took too long")

func tookTooLong(r *http.Request) bool { return errors.Is(context.Cause(r.Context()), errTookTooLong) }

// AskedBy is who a gate counts a request for: the holder of a token, or where none is asked for the address.
func AskedBy(r *http.Request) string {
	if name := grantOf(r).name(); name != "" {
		return "token " + name
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
