package gateway_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	gateway "github.com/makegood/makegood/infra/http"
)

// as sends a request as the page of an origin has a browser send it.
func (s *served) as(method, path, host, contentType, body string, headers ...string) reply {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return s.do(r)
}

// TestForeignPages: what a page of another origin, or of a name that was made to point here, has a browser send changes
// nothing, and is told nothing.
func TestForeignPages(t *testing.T) {
	s := serve(t, func(_ *gateway.EventsConfig, c *gateway.Config) { c.Hosts = []string{"books.example"} })
	for _, host := range []string{"evil.example", "evil.example:8080", "localhost.evil.example", "203.0.113.7",
		"[2001:db8::1]:80",
		"127.0.0.1.evil.example"} {
		for _, method := range []string{"GET", "POST"} {
			s.as(method, "/healthz", host, "", "").want(t, 403, gateway.ProblemForbidden)
			s.as(method, "/v1/events", host, single, refund(1)).want(t, 403, gateway.ProblemForbidden)
		}
	}
	for _, headers := range [][]string{
		{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Origin", "http://127.0.0.1:1"},
		{"Origin", "http://localhost.evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
		{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
	} {
		s.as("POST", "/v1/events", "", single, refund(1), headers...).want(t, 403, gateway.ProblemForbidden)
	}
	if n := len(s.publisher.topics()); n != 0 {
		t.Fatalf("%d batches were published", n)
	}
	for i, host := range []string{"", "localhost", "localhost:80", "LOCALHOST", "127.0.0.1", "127.9.9.9:1", "[::1]:8080",
		"books.example", "Books.Example:443"} {
		s.as("POST", "/v1/events", host, single, refund(i)).want(t, 202, "")
	}
	s.as("POST", "/v1/events", "", single, refund(20), "Sec-Fetch-Site", "same-origin").want(t, 202, "")
	s.as("POST", "/v1/events", "", single, refund(21), "Origin", s.url).want(t, 202, "")
	s.as("GET", "/healthz", "", "", "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site").want(t, 200, "")
}

// TestHostsBehindTokens: where a token is asked for, names are free until some are given.
func TestHostsBehindTokens(t *testing.T) {
	guard := func(*http.Request, ...gateway.Scope) (*gateway.Grant, error) {
		return &gateway.Grant{Name: "till", Scopes: gateway.Scopes()}, nil
	}
	s := serve(t, func(_ *gateway.EventsConfig, c *gateway.Config) { c.Guard = guard })
	s.as("POST", "/v1/events", "any.example", single, refund(1)).want(t, 202, "")
	s.as("POST", "/v1/events", "any.example", single, refund(2), "Origin", "https://evil.example").want(t, 403,
		gateway.ProblemForbidden)
	s = serve(t, func(_ *gateway.EventsConfig, c *gateway.Config) { c.Guard, c.Hosts = guard, []string{"books.example"} })
	s.as("POST", "/v1/events", "any.example", single, refund(1)).want(t, 403, gateway.ProblemForbidden)
	s.as("POST", "/v1/events", "books.example", single, refund(1)).want(t, 202, "")
}

// TestSimpleContentTypes: the types that a page may send to another origin without asking first are refused.
func TestSimpleContentTypes(t *testing.T) {
	s := serve(t, nil)
	for _, contentType := range []string{"text/plain", "application/x-www-form-urlencoded",
		"multipart/form-data; boundary=x",
		""} {
		if a := s.as("POST", "/v1/events", "", contentType, refund(1)); a.status != 415 {
			t.Errorf("%q: %d %s", contentType, a.status, a.body)
		}
	}
}

// TestSecurityHeaders: every answer has them, refusals too.
func TestSecurityHeaders(t *testing.T) {
	s := serve(t, nil)
	for _, a := range []reply{s.get("/healthz"), s.get("/nowhere"), s.as("GET", "/healthz", "evil.example", "", ""),
		s.as("POST", "/v1/events", "", single, refund(1))} {
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%d: %s is %q", a.status, name, got)
			}
		}
	}
}

// TestNoHost: HTTP/1.0 knows none, and no browser speaks it.
func TestNoHost(t *testing.T) {
	s := serve(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /healthz HTTP/1.0\r\n\r\n")
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(line, "200") {
		t.Errorf("%q %v", line, err)
	}
}
