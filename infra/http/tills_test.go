package gateway_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	gateway "github.com/makegood/makegood/infra/http"
)

// shopTills is a shop's: what is signed with "ours" is kept. The till open is signed by nobody.
type shopTills struct {
	mu   sync.Mutex
	kept []gateway.Delivery
	fail error
}

func (c *shopTills) Find(name string) (known, signed bool) {
	return name == "shop" || name == "open", name == "shop"
}

func (c *shopTills) Keep(_ context.Context, d *gateway.Delivery) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case string(d.Body) == "trial":
		return gateway.ErrTrial
	case d.Till == "shop" && d.Header.Get("X-Signature") != "ours":
		return &gateway.SignatureError{Reason: "the header X-Signature doesn't fit the body"}
	case bytes.Contains(d.Body, []byte("huge")):
		return &gateway.TooLargeError{Most: 900}
	case c.fail != nil:
		return c.fail
	}
	c.kept = append(c.kept, *d)
	return nil
}

func serveTills(t *testing.T, change func(*gateway.EventsConfig, *gateway.Config)) (*served, *shopTills,
	*gateway.TillRequests) {
	t.Helper()
	c, events := &shopTills{}, &gateway.TillRequests{}
	s := serve(t, func(ec *gateway.EventsConfig, sc *gateway.Config) {
		ec.MaxBody = 512 << 10
		if change != nil {
			change(ec, sc)
		}
		shared := *ec
		shared.Publisher = &discard{}
		of, err := gateway.NewEvents(shared)
		if err != nil {
			t.Fatal(err)
		}
		events = gateway.NewTillRequests(c, of)
		sc.Tills = events
	})
	return s, c, events
}

func (s *served) postTill(path, body string, headers ...string) reply {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.url+"/v1/tills/"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return s.do(r)
}

// TestTills: what is signed is kept as it came, whatever it says of its type; all else gets its answer.
func TestTills(t *testing.T) {
	s, c, requests := serveTills(t, nil)
	s.postTill("shop?kind=sale&n=1", `{"id": 7}`, "X-Signature", "ours", "X-Topic", "orders",
		"Content-Type", "text/odd", "X-Forwarded-Proto", "https").want(t, 202, "").wantAccepted(t, 1)
	r, err := http.NewRequest(http.MethodPost, s.url+"/v1/tills/shop", bytes.NewReader(zip(t, "packed")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Signature", "ours")
	r.Header.Set("Content-Encoding", "gzip")
	s.do(r).want(t, 202, "")
	if len(c.kept) != 2 {
		t.Fatalf("%d are kept", len(c.kept))
	}
	d := c.kept[0]
	if d.Till != "shop" || d.Kind != "sale" || string(d.Body) != `{"id": 7}` || d.Header.Get("X-Topic") != "orders" ||
		d.URL != strings.Replace(s.url, "http:", "https:", 1)+"/v1/tills/shop?kind=sale&n=1" ||
		time.Since(d.Received) > time.Minute {
		t.Errorf("kept %+v", d)
	}
	if string(c.kept[1].Body) != "packed" {
		t.Errorf("kept %q", c.kept[1].Body)
	}

	s.postTill("shop", "trial").want(t, 200, "").wantAccepted(t, 0)
	s.postTill("nobody", "x").want(t, 404, gateway.ProblemNotFound)
	s.postTill("shop", "x").want(t, 401, gateway.ProblemBadSignature)
	s.postTill("shop", "", "X-Signature", "ours").want(t, 400, gateway.ProblemBadRequest)
	s.postTill("shop", strings.Repeat("x", 512<<10+1), "X-Signature", "ours").want(t, 413, gateway.ProblemTooLarge)
	s.postTill("shop", "huge", "X-Signature", "ours").want(t, 413, gateway.ProblemTooLarge)
	s.postTill("shop", "x", "X-Signature", "ours", "Content-Encoding", "br").want(t, 415, gateway.ProblemUnsupported)
	s.postTill("shop", "x", "X-Signature", "ours", "Sec-Fetch-Site", "cross-site").want(t, 403, gateway.ProblemForbidden)
	s.postTill("open", "x").want(t, 202, "")
	c.fail = errBroker
	if a := s.postTill("open", "x").want(t, 503, gateway.ProblemNotAcknowledged); a.header.Get("Retry-After") == "" {
		t.Error("nobody is told when to come back")
	}
	want := gateway.TillCounts{Kept: 3, Unknown: 1, Unsigned: 1, TooLarge: 2, Failed: 1}
	if got := requests.Counts(); got != want {
		t.Errorf("counted %+v, not %+v", got, want)
	}
}

// TestTillsWithTokens: a signature is asked for instead of a token; a till that signs nothing takes a token, for its
// own source.
func TestTillsWithTokens(t *testing.T) {
	grants := map[string]*gateway.Grant{
		"any":   {Name: "any", Scopes: []gateway.Scope{gateway.Write}},
		"its":   {Name: "its", Scopes: []gateway.Scope{gateway.Write}, Sources: []string{"//tills/open"}},
		"other": {Name: "other", Scopes: []gateway.Scope{gateway.Write}, Sources: []string{"//tills/shop"}},
		"reads": {Name: "reads", Scopes: []gateway.Scope{gateway.Read}},
	}
	s, _, _ := serveTills(t, func(_ *gateway.EventsConfig, sc *gateway.Config) {
		sc.Guard = func(r *http.Request, anyOf ...gateway.Scope) (*gateway.Grant, error) {
			g := grants[r.Header.Get("Authorization")]
			switch {
			case g == nil:
				return nil, gateway.ErrUnauthenticated
			case !g.Has(anyOf...):
				return g, gateway.ErrForbidden
			}
			return g, nil
		}
	})
	s.postTill("shop", "x", "X-Signature", "ours").want(t, 202, "")
	s.postTill("shop", "x", "Authorization", "any").want(t, 401, gateway.ProblemBadSignature)
	s.postTill("open", "x").want(t, 401, gateway.ProblemUnauthorized)
	s.postTill("open", "x", "Authorization", "any").want(t, 202, "")
	s.postTill("open", "x", "Authorization", "its").want(t, 202, "")
	s.postTill("open", "x", "Authorization", "other").want(t, 403, gateway.ProblemForbidden)
	s.postTill("open", "x", "Authorization", "reads").want(t, 403, gateway.ProblemForbidden)
}

// TestSend: events that were made here are published all or not at all, by the rules of those that are posted.
func TestSend(t *testing.T) {
	s := serve(t, nil)
	till := &gateway.Grant{Name: "till shop", Scopes: []gateway.Scope{gateway.Write}, Sources: []string{"//tills/shop"}}
	ours := func(event string) []byte { return []byte(strings.Replace(event, `"/till"`, `"//tills/shop"`, 1)) }
	for _, bad := range []struct{ event, code string }{
		{refund(2), gateway.CodeForbiddenSource},
		{string(ours(closed("2026-01"))), gateway.CodeForbiddenSource}, // of another source: /office
		{strings.Replace(closed("2026-01"), "/office", "//tills/shop", 1), gateway.CodeForbiddenType},
		{strings.Replace(string(ours(refund(3))), `"10"`, `"-1"`, 1), "negative"},
	} {
		faults, err := s.events.Send(t.Context(), till, [][]byte{ours(refund(1)), []byte(bad.event)})
		if err != nil || len(faults) != 1 || faults[0].Index != 1 || faults[0].Code != bad.code {
			t.Errorf("%s: %v, %v", bad.code, faults, err)
		}
	}
	if n := len(s.publisher.topics()); n != 0 {
		t.Fatalf("%d calls published something", n)
	}
	faults, err := s.events.Send(t.Context(), till, [][]byte{ours(refund(1)), ours(rejected(1))})
	if err != nil || len(faults) != 0 {
		t.Fatal(faults, err)
	}
	topics := s.publisher.topics()
	slices.Sort(topics)
	want := []string{"makegood." + domain.Errors.String(), "makegood." + domain.Redeliveries.String()}
	if !slices.Equal(topics, want) || s.publisher.messages(want[0])[0].Metadata.Get(key) != "o-1" {
		t.Errorf("published to %v", topics)
	}
	s.publisher.fail[want[0]] = errBroker
	if _, err := s.events.Send(t.Context(), till, [][]byte{ours(rejected(2))}); err == nil {
		t.Error("what isn't acknowledged is taken for sent")
	}
}

// BenchmarkTills keeps bodies of 14 KB without a broker: what the handler costs.
func BenchmarkTills(b *testing.B) {
	events, err := gateway.NewEvents(gateway.EventsConfig{Publisher: &discard{}, PartitionKey: key})
	if err != nil {
		b.Fatal(err)
	}
	s, err := gateway.New(gateway.Config{Addr: "127.0.0.1:0", Events: events,
		Tills: gateway.NewTillRequests(keepAll{}, events)})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	body := strings.Repeat("x", 14_000)
	url := fmt.Sprintf("http://%s/v1/tills/open", s.Addr())
	b.SetBytes(int64(len(body)))
	b.RunParallel(func(p *testing.PB) {
		c := &http.Client{}
		for p.Next() {
			response, err := c.Post(url, "application/json", strings.NewReader(body))
			if err != nil || response.StatusCode != http.StatusAccepted {
				b.Error(err)
				return
			}
			_ = response.Body.Close()
		}
		c.CloseIdleConnections()
	})
	stop()
	if err := <-done; err != nil {
		b.Error(err)
	}
}

type keepAll struct{}

func (keepAll) Find(string) (known, signed bool)              { return true, false }
func (keepAll) Keep(context.Context, *gateway.Delivery) error { return nil }

// slowly sends all of a till's body but its end, from an address of its own, and gives the connection.
func (s *served) slowly(from string, size int) net.Conn {
	s.t.Helper()
	c := dialFrom(s.t, from, strings.TrimPrefix(s.url, "http://"))
	if _, err := fmt.Fprintf(c, "POST /v1/tills/shop HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", size+1,
		strings.Repeat("x", size)); err != nil {
		s.t.Fatal(err)
	}
	return c
}

// TestStrangersLeaveRoom: who sends to a signed till without its signature is known when all of a body is there. Slow
// ones of one address take a share of the bytes in flight: others' bodies are taken meanwhile.
func TestStrangersLeaveRoom(t *testing.T) {
	const most, slow = 512 << 10, 20
	s, _, requests := serveTills(t, func(ec *gateway.EventsConfig, _ *gateway.Config) {
		ec.MaxBody, ec.MaxBatch, ec.MaxInFlight = most, 1, 8*(most+1<<10)
	})
	for range slow {
		s.slowly("127.0.0.2", most-8)
	}
	for deadline := time.Now().Add(time.Minute); requests.Counts().Shed < slow-2; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%+v: one address has more than a quarter", requests.Counts())
		}
	}
	body := strings.Repeat("x", most)
	s.postTill("shop", body, "X-Signature", "ours").want(t, 202, "")
	s.postTill("open", body).want(t, 202, "")
}
