package gateway

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// Neighbourhood is what one household or attacker has: an address of IPv4, a /64 of IPv6. What is no address (there is
// none such on a network) is one of its own.
func Neighbourhood(remote string) netip.Prefix {
	address, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	ip, bits := address.Addr().Unmap().WithZone(""), 64
	if ip.Is4() {
		bits = 32
	}
	prefix, _ := ip.Prefix(bits) // the bits are right for it
	return prefix
}

// perAddress bounds the connections of one address: more of them are closed at once, so that nobody takes all that
// there are.
type perAddress struct {
	net.Listener
	most   int
	closed *atomic.Int64 // how many were turned away

	mu sync.Mutex
	of map[netip.Prefix]int
}

func newPerAddress(l net.Listener, most int, closed *atomic.Int64) *perAddress {
	return &perAddress{Listener: l, most: most, closed: closed, of: map[netip.Prefix]int{}}
}

// Accept takes the next connection of an address that has room.
func (l *perAddress) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err //nolint:wrapcheck // net/http knows it by what it is
		}
		from := Neighbourhood(c.RemoteAddr().String())
		if l.add(from) {
			return &countedConn{Conn: c, gone: func() { l.remove(from) }}, nil
		}
		l.closed.Add(1)
		_ = c.Close() // it is turned away, whatever closing says
	}
}

func (l *perAddress) add(from netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of[from] >= l.most {
		return false
	}
	l.of[from]++
	return true
}

func (l *perAddress) remove(from netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of[from]--; l.of[from] == 0 {
		delete(l.of, from)
	}
}

// countedConn says once that it is gone.
type countedConn struct {
	net.Conn
	once sync.Once
	gone func()
}

func (c *countedConn) Close() error {
	c.once.Do(c.gone)
	return c.Conn.Close() //nolint:wrapcheck // net's error says it all
}
