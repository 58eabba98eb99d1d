package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// kfake doesn't notice when a member of a consumer group is gone that never took
// the answer to its request to join. It starts the member's session timer with
// that answer; where the process was killed, or its connection was cut, while it
// waited, no timer starts, and the member holds its partitions for ever. Every
// other member that joins again restarts the wait for it: three members that try
// again every 40 seconds wait 30 seconds each until the broker is restarted.
//
// memberWatch mends that: a member whose connection has been closed for
// memberPatience leaves the group. A member that is alive, and uses another
// connection by now, is told that it is unknown and joins again.

const (
	memberCheckEvery = 3 * time.Second
	memberPatience   = 12 * time.Second // longer than a live member needs to join again by another connection
)

// connections are the connections that are open, by the address at their other end.
type connections struct {
	mu     sync.Mutex
	open   map[string]int
	ours   map[string]bool // those that we made ourselves
	dialer net.Dialer
}

// dial makes a connection that is known as our own before it says anything.
func (g *connections) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := g.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err //nolint:wrapcheck // net's error says it all
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ours == nil {
		g.ours = map[string]bool{}
	}
	name := c.LocalAddr().String()
	g.ours[name] = true
	return &ownConn{Conn: c, forget: sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.ours, name)
	})}, nil
}

// ownConn is forgotten when it is closed: its port may be a stranger's next.
type ownConn struct {
	net.Conn
	forget func()
}

func (c *ownConn) Close() error {
	c.forget()
	return c.Conn.Close() //nolint:wrapcheck // net's error says it all
}

// own says whether a connection that the broker has accepted is one of dial's.
func (g *connections) own(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ours[c.RemoteAddr().String()]
}

func (g *connections) add(c net.Conn, n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == nil {
		g.open = map[string]int{}
	}
	name := c.RemoteAddr().String()
	if g.open[name] += n; g.open[name] == 0 {
		delete(g.open, name)
	}
}

func (g *connections) here(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open[name] > 0
}

// memberWatch removes members whose connection is gone.
type memberWatch struct {
	addr        string // where the broker listens
	connections *connections
	log         *slog.Logger
	watch       time.Duration
	wait        time.Duration

	missing map[member]time.Time
}

type member struct{ group, id string }

func (h *memberWatch) run(ctx context.Context) {
	h.missing = map[member]time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(h.watch):
		}
		if err := h.look(time.Now()); err != nil && ctx.Err() == nil {
			h.log.Warn("broker can't look for members that are gone", "error", err)
		}
	}
}

// look finds the members whose connections are gone, and sends away those that
// have been missed for long enough.
func (h *memberWatch) look(now time.Time) error {
	ctx, cancel := context.WithTimeout(context.Background(), h.wait)
	defer cancel()
	conn, err := h.connections.dial(ctx, "tcp", h.addr)
	if err != nil {
		return fmt.Errorf("connecting to ourselves: %w", err)
	}
	defer func() { _ = conn.Close() }() // nothing is lost with it
	if err := conn.SetDeadline(now.Add(h.wait)); err != nil {
		return fmt.Errorf("connecting to ourselves: %w", err)
	}
	list := kmsg.NewPtrListGroupsRequest()
	listed := list.ResponseKind().(*kmsg.ListGroupsResponse)
	if err := talk(conn, list, listed); err != nil {
		return fmt.Errorf("listing groups: %w", err)
	}
	describe := kmsg.NewPtrDescribeGroupsRequest()
	for _, g := range listed.Groups {
		describe.Groups = append(describe.Groups, g.Group)
	}
	described := describe.ResponseKind().(*kmsg.DescribeGroupsResponse)
	if err := talk(conn, describe, described); err != nil {
		return fmt.Errorf("describing groups: %w", err)
	}
	missing := map[member]time.Time{}
	var errs []error
	for _, g := range described.Groups {
		for _, m := range g.Members {
			if m.ClientHost == "" || h.connections.here(m.ClientHost) {
				continue
			}
			who := member{g.Group, m.MemberID}
			since, before := h.missing[who]
			if !before {
				since = now
			}
			if now.Sub(since) < h.wait {
				missing[who] = since
				continue
			}
			h.log.Warn("broker sends a member away whose connection is gone", "group", g.Group, "member", m.MemberID, "client",
				m.ClientHost)
			leave := kmsg.NewPtrLeaveGroupRequest()
			leave.Group, leave.MemberID = g.Group, m.MemberID
			if err := talk(conn, leave, leave.ResponseKind()); err != nil {
				errs = append(errs, fmt.Errorf("sending %s away: %w", m.MemberID, err))
			}
		}
	}
	h.missing = missing
	return errors.Join(errs...)
}

// talk sends a request in its oldest form, and reads the answer.
func talk(conn net.Conn, request kmsg.Request, answer kmsg.Response) error {
	request.SetVersion(0)
	answer.SetVersion(0)
	be := binary.BigEndian
	b := make([]byte, 4, 256)
	b = be.AppendUint16(b, uint16(request.Key()))
	b = be.AppendUint16(b, 0) // the version
	b = be.AppendUint32(b, 0) // which request it is: the only one on its way
	b = kbin.AppendNullableString(b, nil)
	b = request.AppendTo(b)
	be.PutUint32(b, uint32(len(b)-4))
	if _, err := conn.Write(b); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	var head [8]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return fmt.Errorf("receiving: %w", err)
	}
	size := be.Uint32(head[:4])
	if size < 4 || size > maxRequestBytes {
		return fmt.Errorf("receiving: an answer of %d bytes", size)
	}
	body := make([]byte, size-4)
	if _, err := io.ReadFull(conn, body); err != nil {
		return fmt.Errorf("receiving: %w", err)
	}
	if err := answer.ReadFrom(body); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}
