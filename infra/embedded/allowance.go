package embedded

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/semaphore"
)

const (
	// loginTime is how long a stranger may take to say who it is, where the broker asks.
	loginTime = 30 * time.Second
	// bodyTime is how long a stranger may take to send a request that is judged as a whole.
	bodyTime = 2 * time.Minute

	// mostStrangers bounds the connections that aren't makegood's own.
	mostStrangers = 2000

	// What a stranger's requests may take, in bytes: before it says who it is, of records, and of all else. A
	// claim of a size alone takes that much memory.
	mostUnknownBytes = 64 << 10
	mostRecordBytes  = 2 * maxBatchBytes
	mostOtherBytes   = 1 << 20

	// mostHeldBytes bounds what requests of one principal take at a time; further ones wait.
	mostHeldBytes = 2 * mostRecordBytes

	// keptBytes is how large a connection's buffer may stay between requests.
	keptBytes = 1 << 20
)

// allowances are what strangers take of the process at the moment.
type allowances struct {
	strangers atomic.Int64 // connections

	mu    sync.Mutex
	bytes map[string]*semaphore.Weighted // by the principal's name: the access file bounds how many there are
}

func (a *allowances) of(name string) *semaphore.Weighted {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.bytes[name]
	if s == nil {
		s = semaphore.NewWeighted(mostHeldBytes)
		a.bytes[name] = s
	}
	return s
}

// held is what a connection's request takes of its sender's allowance.
type held struct {
	mu    sync.Mutex
	of    *semaphore.Weighted
	bytes int64
	ended bool
}

func (h *held) set(of *semaphore.Weighted, bytes int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		of.Release(bytes)
		return
	}
	h.of, h.bytes = of, bytes
}

func (h *held) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of != nil {
		h.of.Release(h.bytes)
		h.of = nil
	}
}

// end releases it for good.
func (h *held) end() {
	h.release()
	h.mu.Lock()
	h.ended = true
	h.mu.Unlock()
}

// mostBytes is how large a request of a kind may be.
func (c *guardedConn) mostBytes(key kmsg.Key) int64 {
	switch {
	case c.who == nil:
		return mostUnknownBytes
	case c.who.Own:
		return maxRequestBytes
	case key == kmsg.Produce:
		return mostRecordBytes
	}
	return mostOtherBytes
}

// take waits until the request fits into its sender's allowance.
func (c *guardedConn) take(bytes int64) {
	if c.who == nil || c.who.Own {
		return
	}
	of := c.guard.allowances.of(c.who.Name)
	if of.Acquire(context.Background(), bytes) == nil { // nothing ends the wait but those before it, which have to hurry
		c.held.set(of, bytes)
	}
}

// letGo ends what a request that is handed on or answered took.
func (c *guardedConn) letGo() {
	c.held.release()
	if cap(c.whole) > keptBytes {
		c.whole, c.pending = nil, nil
	}
}
