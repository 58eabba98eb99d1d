package embedded

import (
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
)

// from is a connection from a host, as the guard's listener accepts it.
func (g *guard) from(t *testing.T, host string) *guardedConn {
	t.Helper()
	near, far := net.Pipe()
	t.Cleanup(func() {
		_ = far.Close() // a pipe's Close can't fail
	})
	l := guardedListener{Listener: oneConn{Conn: addressed{Conn: near, host: host}}, guard: g}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return c.(*guardedConn)
}

func guardForTest() *guard {
	return newGuard(&BrokerConfig{Logger: slog.New(slog.DiscardHandler), refused: new(refusals)}, &connections{})
}

// oneConn is a listener with one connection.
type oneConn struct {
	net.Listener
	net.Conn
}

func (o oneConn) Accept() (net.Conn, error) { return o.Conn, nil }
func (o oneConn) Close() error              { return o.Conn.Close() }

// addressed is a connection from a host.
type addressed struct {
	net.Conn
	host string
}

func (a addressed) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(a.host), Port: 1} }

// TestStrangersWhoHungUpArentCounted: a client that hangs up while its first request is judged isn't counted for ever.
func TestStrangersWhoHungUpArentCounted(t *testing.T) {
	g := guardForTest()
	for hangsUpFirst, want := range map[bool]int64{true: 0, false: 1} {
		c := g.from(t, "192.0.2.1")
		if hangsUpFirst {
			_ = c.Close() // a pipe's Close can't fail
		}
		_ = c.is(g.anybody) // it fails where the connection is closed
		if n := g.allowances.strangers.Load(); n != want {
			t.Errorf("%d strangers, not %d", n, want)
		}
		_ = c.Close() // as above
		if n := g.allowances.strangers.Load(); n != 0 {
			t.Errorf("%d strangers after all have left", n)
		}
	}
}

// TestEachHostHasItsAllowance: where nobody is asked who they are, a host that takes all that one may take holds up its
// own requests alone, and nothing is kept of hosts that take nothing.
func TestEachHostHasItsAllowance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := guardForTest()
		greedy, again, other := g.from(t, "192.0.2.1"), g.from(t, "192.0.2.1"), g.from(t, "192.0.2.2")
		for _, c := range []*guardedConn{greedy, again, other} {
			if err := c.is(g.anybody); err != nil {
				t.Fatal(err)
			}
		}
		took := map[*guardedConn]bool{}
		take := func(c *guardedConn, bytes int64) {
			go func() {
				c.take(bytes)
				took[c] = true
			}()
			synctest.Wait()
		}
		take(greedy, mostHeldBytes)
		take(again, 1)
		take(other, mostHeldBytes)
		if !took[greedy] || took[again] || !took[other] {
			t.Errorf("the first %t, another of its host %t, another host %t", took[greedy], took[again], took[other])
		}
		greedy.letGo()
		synctest.Wait()
		if !took[again] {
			t.Error("it waits though nothing is taken any more")
		}
		for _, c := range []*guardedConn{greedy, again, other} {
			_ = c.Close() // a pipe's Close can't fail
		}
		if n := len(g.allowances.bytes); n != 0 {
			t.Errorf("%d hosts are remembered", n)
		}
	})
}
