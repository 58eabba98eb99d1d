package gateway_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/report"
)

// reconciling are books that reconcile until they are told to stop.
type reconciling struct {
	gateway.Books
	began, open chan struct{}
}

func (b reconciling) Reconcile(ctx context.Context, _ report.AsOf, _ gateway.Payouts) (*audit.Reconciliation, error) {
	b.began <- struct{}{}
	select {
	case <-b.open:
		return &audit.Reconciliation{}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestReconcileIsBounded: its body counts among the bytes in flight, its rows included, and one is made at a time.
func TestReconcileIsBounded(t *testing.T) {
	b := reconciling{began: make(chan struct{}, 1), open: make(chan struct{})}
	s := serve(t, func(_ *gateway.EventsConfig, c *gateway.Config) { c.Books = b })
	rows := "date,id,amount\n" + strings.Repeat("2026-01-02,abcdefgh,10\n", 40_000)
	post := func(body string) reply {
		r, err := http.NewRequest(http.MethodPost, s.url+"/v1/reconcile?currency=EUR", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "text/csv")
		return s.do(r)
	}
	done := make(chan reply)
	go func() { done <- post(rows) }()
	<-b.began
	if n := s.events.Counts().InFlight; n < 4*int64(len(rows)) {
		t.Errorf("%d bytes in flight, with a report of %d", n, len(rows))
	}
	for range 6 {
		if a := post(rows).want(t, 503, gateway.ProblemOverloaded); a.header.Get("Retry-After") == "" {
			t.Error("not said when to come back")
		}
	}
	s.post(single, strings.NewReader(refund(1))).want(t, 202, "") // nobody else waits for it
	close(b.open)
	if a := <-done; a.status != 200 {
		t.Errorf("answered %d %s", a.status, a.body)
	}
	post(rows+strings.Repeat(" ", 16<<20)).want(t, 413, gateway.ProblemTooLarge)
	if n := s.events.Counts().InFlight; n != 0 {
		t.Errorf("%d bytes are still in flight", n)
	}
}

// TestNoRoomForPayouts: where events take the room, a processor's report is turned away.
func TestNoRoomForPayouts(t *testing.T) {
	b := reconciling{began: make(chan struct{}, 1), open: make(chan struct{})}
	s := serve(t, func(e *gateway.EventsConfig, c *gateway.Config) {
		c.Books = b
		e.MaxBody, e.MaxBatch, e.MaxInFlight = 256<<10, 10, 300<<10
	})
	r, err := http.NewRequest(http.MethodPost, s.url+"/v1/reconcile?currency=EUR",
		strings.NewReader("date,id,amount\n"+strings.Repeat("2026-01-02,abcdefgh,10\n", 10_000)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "text/csv")
	if a := s.do(r).want(t, 429, gateway.ProblemOverloaded); a.header.Get("Retry-After") == "" {
		t.Error("not said when to come back")
	}
}

// dialFrom connects from an address of loopback.
func dialFrom(t *testing.T, from, to string) net.Conn {
	t.Helper()
	d := net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // some are closed already
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// answered says whether a connection is served; it stays open.
func answered(c net.Conn) bool {
	if _, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		return false
	}
	status := make([]byte, len("HTTP/1.1 200"))
	_, err := io.ReadFull(c, status)
	return err == nil && string(status) == "HTTP/1.1 200"
}

// TestOneAddressKeepsNobodyOut: connections of one address beyond its share are closed; others get in, and health is
// answered on its own address even where nobody gets in.
func TestOneAddressKeepsNobodyOut(t *testing.T) {
	server, err := gateway.New(gateway.Config{Addr: "127.0.0.1:0", Health: "127.0.0.1:0", MaxPerAddress: 4,
		MaxConnections: 6})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	dial := func(from string) net.Conn { return dialFrom(t, from, server.Addr().String()) }
	var mine []net.Conn
	for range 4 {
		mine = append(mine, dial("127.0.0.1"))
		if !answered(mine[len(mine)-1]) {
			t.Fatal("within its share, and turned away")
		}
	}
	if answered(dial("127.0.0.1")) {
		t.Error("one address has more than its share")
	}
	for range 2 {
		if !answered(dial("127.0.0.2")) {
			t.Error("another address is kept out")
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/readyz/events"} { // every connection is taken now
		response, err := client.Get("http://" + server.HealthAddr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		if read(t, response).status != 200 {
			t.Errorf("%s is shut out", path)
		}
	}
	if response, err := client.Get("http://" + server.HealthAddr().String() + "/v1/events"); err != nil ||
		response.StatusCode != 404 || response.Body.Close() != nil {
		t.Errorf("more than health: %v %v", response, err)
	}
	if err := mine[0].Close(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for !answered(dial("127.0.0.1")) {
		if time.Now().After(deadline) {
			t.Fatal("a place that was given back is not used again")
		}
	}
	stop()
	if err := <-ended; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", server.HealthAddr().String()); err == nil {
		t.Error("health is answered after the end", c.Close())
	}
}
