package gateway

import (
	"net/http"
	"sync"
	"sync/atomic"
)

// messageCost is about what a message takes beside its payload: the struct, its metadata, its key.
const messageCost = 768

func inFlightFor(body int64, events int) int64 { return body + int64(events)*messageCost }

// inFlight bounds the bytes of all requests that are being worked on. Nobody has more than half of it, so that one who
// sends a great deal, or sends it slowly, leaves room for the others.
type inFlight struct {
	most int64
	full int64 // what one full request takes: everybody has room for that
	now  atomic.Int64

	mu sync.Mutex
	of map[string]int64 // by who it is
}

func newInFlight(most, full int64) *inFlight {
	return &inFlight{most: most, full: full, of: map[string]int64{}}
}

// share is what somebody may have.
type share struct {
	who  string
	most int64
}

// reservation is one request's part of it.
type reservation struct {
	of     *inFlight
	shares []share
	held   int64
}

// reserve begins the part of a holder of a token. Where nobody is asked who they are, only the whole is bounded.
func (f *inFlight) reserve(g *Grant) reservation {
	r := reservation{of: f}
	if g != nil {
		r.shares = []share{{"token " + g.Name, max(f.most/2, f.full)}}
	}
	return r
}

// strangers are all whose signature is still to be seen, and that is seen when the whole body is there.
const strangers = "strangers"

// reserveForStranger begins the part of a sender whom nobody knows yet: an address has half of what all strangers have.
func (f *inFlight) reserveForStranger(r *http.Request) reservation {
	return reservation{of: f, shares: []share{{strangers, max(f.most/2, f.full)}, {AskedBy(r), max(f.most/4, f.full)}}}
}

// take asks for n more bytes; false where there is no room.
func (r *reservation) take(n int64) bool {
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	if r.of.now.Load()+n > r.of.most {
		return false
	}
	for _, s := range r.shares {
		if r.of.of[s.who]+n > s.most {
			return false
		}
	}
	r.add(n)
	return true
}

func (r *reservation) add(n int64) {
	r.of.now.Add(n)
	r.held += n
	for _, s := range r.shares {
		if r.of.of[s.who] += n; r.of.of[s.who] == 0 {
			delete(r.of.of, s.who)
		}
	}
}

// release gives all of it back.
func (r *reservation) release() {
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	r.add(-r.held)
}
