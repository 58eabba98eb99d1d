package main

import (
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy stands between the roles and a broker or ClickHouse, and is where connections are cut, slowed and held up. It
// lives in the test itself, so that killing the process that it leads to doesn't end it.
type proxy struct {
	listener net.Listener
	target   string // set before anybody connects

	mu     sync.Mutex
	links  map[*link]bool
	slow   time.Duration // before every piece that passes
	held   chan struct{} // closed when pieces may pass again; nil: they may
	refuse bool          // nobody gets through
}

// link is one connection and the one behind it.
type link struct{ near, far net.Conn }

func (l *link) close() {
	_ = l.near.Close()
	_ = l.far.Close()
}

func startProxy(t testing.TB, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: target, links: map[*link]bool{}}
	go p.serve()
	t.Cleanup(func() {
		_ = l.Close()
		p.cut(nil)
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) serve() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.join(near)
	}
}

func (p *proxy) join(near net.Conn) {
	p.mu.Lock()
	refuse := p.refuse
	p.mu.Unlock()
	if refuse {
		_ = near.Close()
		return
	}
	far, err := net.DialTimeout("tcp", p.target, 5*time.Second)
	if err != nil {
		_ = near.Close()
		return
	}
	l := &link{near, far}
	p.mu.Lock()
	p.links[l] = true
	p.mu.Unlock()
	var done sync.WaitGroup
	done.Go(func() { p.pass(far, near, l) })
	done.Go(func() { p.pass(near, far, l) })
	done.Wait()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// pass moves pieces one way until either end is gone; then both are.
func (p *proxy) pass(to, from net.Conn, l *link) {
	defer l.close()
	piece := make([]byte, 16<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 {
			p.mu.Lock()
			held, slow := p.held, p.slow
			p.mu.Unlock()
			if held != nil {
				<-held
			}
			time.Sleep(slow)
			if _, err := to.Write(piece[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// cut closes the connections that there are: all, or those that random picks.
func (p *proxy) cut(random *rand.Rand) {
	p.mu.Lock()
	var links []*link
	for l := range p.links {
		if random == nil || random.IntN(2) == 0 {
			links = append(links, l)
		}
	}
	p.mu.Unlock()
	for _, l := range links {
		l.close()
	}
}

// block lets nobody in, or everybody again.
func (p *proxy) block(refuse bool) {
	p.mu.Lock()
	p.refuse = refuse
	p.mu.Unlock()
}

// slowDown makes every piece wait.
func (p *proxy) slowDown(d time.Duration) {
	p.mu.Lock()
	p.slow = d
	p.mu.Unlock()
}

// hold stops everything without a word, as a network does that swallows what it is given, until release.
func (p *proxy) hold() (release func()) {
	held := make(chan struct{})
	p.mu.Lock()
	p.held = held
	p.mu.Unlock()
	return func() {
		p.mu.Lock()
		p.held = nil
		p.mu.Unlock()
		close(held)
	}
}
