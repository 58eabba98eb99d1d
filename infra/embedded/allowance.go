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

	// What a stranger's requests may take, in bytes: before it says who it is, of records, and of all else. A
	// claim of a size alone takes that much memory.
	mostUnknownBytes = 64 << 10
	mostRecordBytes  = 2 * maxBatchBytes
	mostOtherBytes   = 1 << 20

	// mostHeldBytes bounds what requests of one principal take at a time, or of one host where nobody is asked who they
	// are; further ones wait.
	mostHeldBytes = 2 * mostRecordBytes
	// mostHostsBytes bounds what those hosts take together.
	mostHostsBytes = 4 * mostHeldBytes

	// keptBytes is how large a connection's buffer may stay between requests.
	keptBytes = 1 << 20
)

// allowances are what strangers take of the process at the moment.
type allowances struct {
	strangers atomic.Int64 // connections

	hosts *semaphore.Weighted // bytes that those take whom nobody asks who they are

	mu    sync.Mutex
	bytes map[string]*allowance // by the principal's name, or by the host; of those alone that take or wait
}

type allowance struct {
	bytes *semaphore.Weighted
	users int // requests that take of it or wait
}

func newAllowances() allowances {
	return allowances{hosts: semaphore.NewWeighted(mostHostsBytes), bytes: map[string]*allowance{}}
}

// take waits until so many bytes of a name's allowance are free, takes them, and returns what gives them back. Nothing
// ends the wait but those before it, which have to hurry.
func (a *allowances) take(name string, bytes int64) (release func()) {
	a.mu.Lock()
	of := a.bytes[name]
	if of == nil {
		of = &allowance{bytes: semaphore.NewWeighted(mostHeldBytes)}
		a.bytes[name] = of
	}
	of.users++
	a.mu.Unlock()
	taken := of.bytes.Acquire(context.Background(), bytes) == nil // it fails where it was asked for more than there is
	return func() {
		if taken {
			of.bytes.Release(bytes)
		}
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
		taken := all.hosts.Acquire(context.Background(), bytes) == nil // as in allowances.take
		c.held.set(func() {
			if taken {
				all.hosts.Release(bytes)
			}
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

// letGo ends what a request that is handed on or answered took.
func (c *guardedConn) letGo() {
	c.held.release()
	if cap(c.whole) > keptBytes {
		c.whole, c.pending = nil, nil
	}
}
