package kafka

import (
	"context"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// dialer opens connections that never wait for ever. kafka-go authenticates
// with no deadline at all, so a broker that stands still at the wrong moment
// would hold a goroutine, and with it a Close, until the system gives up on the
// connection.
type dialer struct {
	connect func(ctx context.Context, network, address string) (net.Conn, error)
	limit   time.Duration

	mu   sync.Mutex
	open map[*limitedConn]struct{}
}

func newDialer(c Config) *dialer {
	connect := c.Dial
	if connect == nil {
		connect = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	return &dialer{connect: connect, limit: c.DialTimeout, open: map[*limitedConn]struct{}{}}
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.limit)
	defer cancel()
	conn, err := d.connect(ctx, network, address)
	if err != nil {
		return nil, err
	}
	limited := &limitedConn{Conn: conn, dialer: d}
	if err := limited.SetDeadline(time.Time{}); err != nil {
		_ = conn.Close()
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open[limited] = struct{}{}
	return limited, nil
}

// cut closes every connection that is open, whoever is waiting for it.
func (d *dialer) cut() {
	d.mu.Lock()
	open := slices.Collect(maps.Keys(d.open))
	d.mu.Unlock()
	for _, c := range open {
		_ = c.Close()
	}
}

// limitedConn takes no deadline for a short one. That is right because both
// users of it, kafka-go's Conn and Transport, set one before every request of
// ours, and read nothing between requests.
type limitedConn struct {
	net.Conn
	dialer *dialer
}

func (c *limitedConn) bound(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now().Add(c.dialer.limit)
	}
	return t
}

func (c *limitedConn) SetDeadline(t time.Time) error      { return c.Conn.SetDeadline(c.bound(t)) }
func (c *limitedConn) SetReadDeadline(t time.Time) error  { return c.Conn.SetReadDeadline(c.bound(t)) }
func (c *limitedConn) SetWriteDeadline(t time.Time) error { return c.Conn.SetWriteDeadline(c.bound(t)) }

func (c *limitedConn) Close() error {
	c.dialer.mu.Lock()
	delete(c.dialer.open, c)
	c.dialer.mu.Unlock()
	return c.Conn.Close()
}
