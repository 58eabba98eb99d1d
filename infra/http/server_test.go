package gateway_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gateway "github.com/makegood/makegood/infra/http"
)

func (s *served) get(path string) reply {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.do(r)
}

func TestHealth(t *testing.T) {
	var mu sync.Mutex
	notReady := errors.New("the books are behind")
	s := serve(t, func(_ *gateway.EventsConfig, c *gateway.Config) {
		c.Ready = func(context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			return notReady
		}
		c.ReadyForEvents = func(context.Context) error { return nil }
		c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"detail":"metrics"}`)
		})
		c.Guard = func(_ *http.Request, anyOf ...gateway.Scope) (*gateway.Grant, error) {
			if slices.Contains(anyOf, gateway.Read) {
				return &gateway.Grant{}, nil
			}
			return nil, errors.New("the file of tokens is gone")
		}
	})
	s.get("/healthz").want(t, 200, "")
	if a := s.get("/readyz").want(t, 503, gateway.ProblemNotReady); !strings.Contains(a.Detail, "behind") ||
		a.header.Get("Retry-After") != "1" {
		t.Errorf("%v %s", a.header, a.body)
	}
	s.get("/readyz/events").want(t, 200, "")
	mu.Lock()
	notReady = nil
	mu.Unlock()
	s.get("/readyz").want(t, 200, "")
	if a := s.get("/metrics"); a.status != 200 || a.Detail != "metrics" {
		t.Errorf("metrics are %s", a.body)
	}
	if a := s.post(single, strings.NewReader(refund(1))).want(t, 500,
		gateway.ProblemInternal); strings.Contains(a.body, "file") {
		t.Errorf("told a stranger: %s", a.body)
	}
}

func TestUnknownPaths(t *testing.T) {
	s := serve(t, nil)
	s.get("/").want(t, 404, gateway.ProblemNotFound)
	s.get("/v1/nothing").want(t, 404, gateway.ProblemNotFound)
	if a := s.get("/v1/events").want(t, 405, gateway.ProblemNotAllowed); a.header.Get("Allow") != "POST" {
		t.Errorf("%v", a.header)
	}
}

func TestPanicIsOurFault(t *testing.T) {
	var log syncBuffer
	c := gateway.Config{Addr: "127.0.0.1:0", Logger: slog.New(slog.NewTextHandler(&log, nil))}
	server, err := gateway.New(c)
	if err != nil {
		t.Fatal(err)
	}
	server.Handle("GET /panic", gateway.Open, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oops") }))
	server.Handle("GET /half", gateway.Open, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("half", 10_000))
		panic("oops")
	}))
	s := run(t, server)
	s.get("/panic?token=secret").want(t, 500, gateway.ProblemInternal)
	if answer, err := client.Get(s.url + "/half"); err == nil {
		if _, err = io.ReadAll(answer.Body); err == nil {
			t.Error("half an answer looks whole")
		}
		answer.Body.Close()
	}
	if text := log.String(); !strings.Contains(text, "oops") || !strings.Contains(text, "server_test.go") ||
		strings.Contains(text, "secret") {
		t.Errorf("logged %s", text)
	}
}

func run(t *testing.T, server *gateway.Server) *served {
	t.Helper()
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Run(context.Background()) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Close(), <-done); err != nil {
			t.Error(err)
		}
	})
	return &served{t: t, url: "http://" + server.Addr().String()}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestAccessLog(t *testing.T) {
	var log syncBuffer
	s := serve(t, func(_ *gateway.EventsConfig, c *gateway.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&log, nil))
		c.Guard = func(*http.Request, ...gateway.Scope) (*gateway.Grant, error) {
			return &gateway.Grant{Name: "till-4", Scopes: []gateway.Scope{gateway.Write}}, nil
		}
	})
	r, err := http.NewRequest(http.MethodPost, s.url+"/v1/events?token=hush1", strings.NewReader(refund(1)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", single)
	r.Header.Set("Authorization", "Bearer hush2")
	r.Header.Set("Cookie", "hush3")
	s.do(r).want(t, 202, "")
	s.get("/healthz")
	deadline := time.Now().Add(5 * time.Second)
	for !strings.Contains(log.String(), "/v1/events") && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	text := log.String()
	for _, want := range []string{`"status":202`, `"who":"till-4"`, `"method":"POST"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if strings.Contains(text, "hush") || strings.Contains(text, "healthz") {
		t.Errorf("logged %s", text)
	}
}

// A request that runs when the server is told to stop gets its answer.
func TestGracefulShutdown(t *testing.T) {
	publisher := &recorder{wait: make(chan struct{})}
	events, err := gateway.NewEvents(gateway.EventsConfig{Publisher: publisher, PartitionKey: key})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		timeout  time.Duration
		finishes bool
	}{{"waits", 10 * time.Second, true}, {"not for ever", 50 * time.Millisecond, false}} {
		t.Run(c.name, func(t *testing.T) {
			publisher.mu.Lock()
			publisher.wait = make(chan struct{})
			publisher.mu.Unlock()
			server, err := gateway.New(gateway.Config{Addr: "127.0.0.1:0", Events: events, ShutdownTimeout: c.timeout})
			if err != nil {
				t.Fatal(err)
			}
			if err := server.Listen(); err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() { done <- server.Run(ctx) }()
			answered := make(chan int, 1)
			go func() {
				answer, err := client.Post("http://"+server.Addr().String()+"/v1/events", single, strings.NewReader(refund(1)))
				if err != nil {
					answered <- 0
					return
				}
				answer.Body.Close()
				answered <- answer.StatusCode
			}()
			deadline := time.Now().Add(5 * time.Second)
			for events.Counts().InFlight == 0 && time.Now().Before(deadline) {
				time.Sleep(time.Millisecond)
			}
			stop()
			if c.finishes {
				time.Sleep(20 * time.Millisecond)
				close(publisher.wait)
				if status := <-answered; status != http.StatusAccepted {
					t.Errorf("answered %d", status)
				}
				if err := <-done; err != nil {
					t.Error(err)
				}
				return
			}
			if err := <-done; err == nil {
				t.Error("nobody was told that requests were cut off")
			}
			if status := <-answered; status == http.StatusAccepted {
				t.Error("accepted what isn't published")
			}
			close(publisher.wait)
		})
	}
}

// serveTLS serves over TLS, and returns what a client trusts.
func serveTLS(t *testing.T) (*served, *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, func(_ *gateway.EventsConfig, c *gateway.Config) {
		c.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}},
			MinVersion: tls.VersionTLS12}
	})
	roots := x509.NewCertPool()
	own, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(own)
	return s, roots
}

func TestTLS(t *testing.T) {
	s, roots := serveTLS(t)
	for _, http2 := range []bool{false, true} {
		secure := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots},
			ForceAttemptHTTP2: http2}}
		answer, err := secure.Post(s.url+"/v1/events", single, strings.NewReader(refund(1)))
		if err != nil {
			t.Fatal(err)
		}
		read(t, answer).want(t, 202, "")
		secure.CloseIdleConnections()
	}
}

func TestConfig(t *testing.T) {
	if err := (gateway.Config{}).Validate(); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]gateway.Config{
		"address": {Addr: "nowhere"}, "timeout": {WriteTimeout: -1}, "limit": {MaxHeader: -1},
	} {
		if _, err := gateway.New(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	server, err := gateway.New(gateway.Config{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	taken, err := gateway.New(gateway.Config{Addr: server.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	if err := taken.Run(context.Background()); err == nil {
		t.Error("two servers on one address")
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	elsewhere, err := gateway.New(gateway.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := elsewhere.Listen(); err == nil {
		if host, _, _ := net.SplitHostPort(elsewhere.Addr().String()); host != "127.0.0.1" {
			t.Errorf("listens on %s, not on loopback", host)
		}
		if err := elsewhere.Run(ctx); err != nil {
			t.Error(err)
		}
	}
}
