package embedded

import (
	"context"
	"net"
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

	// How large a stranger's request may be, in bytes, for it takes as much memory as soon as it claims its size.
	mostUnknownBytes = 64 << 10          // before it says who it is
	mostRecordBytes  = 2 * maxBatchBytes // of records
	mostOtherBytes   = 1 << 20           // any other

	// mostHeldBytes bounds what requests of one principal take at a time, or of one host where nobody is asked who they
	// are; further ones wait. It is more than any request of theirs.
	mostHeldBytes = 2 * mostRecordBytes
	// mostHostsBytes bounds what all hosts take together where nobody is asked who they are.
	mostHostsBytes = 4 * mostHeldBytes

	// keptBytes is how large a connection's buffer may stay between requests.
	keptBytes = 1 << 20
)

// allowances are what strangers take of the process at the moment.
type allowances struct {
	strangers atomic.Int64 // connections

	hosts *semaphore.Weighted // bytes that all hosts take, where nobody is asked who they are

	mu    sync.Mutex
	bytes map[string]*allowance // by the principal's name, or by the host; only of those that take or wait
}

type allowance struct {
	bytes *semaphore.Weighted
	users int // requests that take of it or wait
}

func newAllowances() allowances {
	return allowances{hosts: semaphore.NewWeighted(mostHostsBytes), bytes: map[string]*allowance{}}
}

// take waits until so many bytes of a name's allowance are free, takes them, and returns what gives them back. Only the
// requests before it end the wait; bodyTime bounds how long those take.
func (a *allowances) take(name string, bytes int64) (release func()) {
	a.mu.Lock()
	of := a.bytes[name]
	if of == nil {
		of = &allowance{bytes: semaphore.NewWeighted(mostHeldBytes)}
		a.bytes[name] = of
	}
	of.users++
	a.mu.Unlock()
	_ = of.bytes.Acquire(context.Background(), bytes) // it fails only when its context ends
	return func() {
		of.bytes.Release(bytes)
		a.mu.Lock()
		defer a.mu.Unlock()
		if of.users--; of.users == 0 {
			delete(a.bytes, name)
		}
	}
}

// held is what a connection's request takes of its sender's allowance.
type held struct {
	mu    sync.Mutex
	give  func() // back; nil: it takes nothing
	ended bool
}

func (h *held) set(give func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		give()
		return
	}
	h.give = give
}

func (h *held) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.give != nil {
		h.give()
		h.give = nil
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
	switch {
	case c.who == nil || c.who.Own:
	case c.who == c.guard.anybody:
		all := &c.guard.allowances
		give := all.take(hostOf(c.RemoteAddr()), bytes)
		_ = all.hosts.Acquire(context.Background(), bytes) // as in allowances.take
		c.held.set(func() {
			all.hosts.Release(bytes)
			give()
		})
	default:
		c.held.set(c.guard.allowances.take(c.who.Name, bytes))
	}
}

// hostOf is an address without its port.
func hostOf(addr net.Addr) string {
	host, _, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	return host
}

// letGo gives back what a request took that is handed on or answered.
func (c *guardedConn) letGo() {
	c.held.release()
	if cap(c.whole) > keptBytes {
		c.whole, c.pending = nil, nil
	}
}
