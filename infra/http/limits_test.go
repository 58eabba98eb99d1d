package gateway_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gateway "github.com/makegood/makegood/infra/http"
)

func zip(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGzip(t *testing.T) {
	s := serve(t, nil)
	good := zip(t, refund(1))
	for range 3 { // the readers are used again
		s.post(single, bytes.NewReader(good), "Content-Encoding", "gzip").want(t, 202, "")
		s.post(single, bytes.NewReader(good[:len(good)-9]), "Content-Encoding", "gzip").want(t, 400,
			gateway.ProblemBadRequest)
	}
	if got := s.publisher.messages("makegood.redeliveries"); string(got[0].Payload) != refund(1) {
		t.Errorf("published %s", got[0].Payload)
	}
	broken := bytes.Clone(good)
	broken[len(broken)-6] ^= 1 // of the checksum
	for _, body := range [][]byte{[]byte(refund(1)), nil, broken, good[:5], append(bytes.Clone(good), "tail"...)} {
		s.post(single, bytes.NewReader(body), "Content-Encoding", "gzip").want(t, 400, gateway.ProblemBadRequest)
	}
	for _, encoding := range []string{"br", "zstd", "deflate", "gzip, gzip"} {
		if a := s.post(single, bytes.NewReader(good), "Content-Encoding", encoding).want(t, 415,
			gateway.ProblemUnsupported); a.header.Get("Accept-Encoding") == "" {
			t.Errorf("%s: not said what would do", encoding)
		}
	}
	s.post(single, strings.NewReader(refund(1)), "Content-Encoding", "identity").want(t, 202, "")
}

// A bomb of 512 MiB in less than one stops at the limit, and costs no more memory than that.
func TestGzipBomb(t *testing.T) {
	s := serve(t, func(c *gateway.EventsConfig, _ *gateway.Config) { c.MaxBody = 1 << 20 })
	// gzip may have many parts: each of these is a MiB of blanks in a kB.
	part := zip(t, strings.Repeat(" ", 1<<20))
	bomb := bytes.NewReader(bytes.Repeat(part, 512))
	if bomb.Len() > 1<<20 {
		t.Fatalf("the bomb has %d bytes: too large to be let in", bomb.Len())
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s.post(batch, bomb, "Content-Encoding", "gzip").want(t, 413, gateway.ProblemTooLarge)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
		t.Errorf("%d bytes were allocated for it", grown)
	}
}

// The limits, at their edges.
func TestBodyLimit(t *testing.T) {
	const most = 512 << 10
	s := serve(t, func(c *gateway.EventsConfig, _ *gateway.Config) { c.MaxBody = most })
	pad := func(n int) string { return "[" + refund(1) + strings.Repeat(" ", n-len(refund(1))-2) + "]" }
	unsized := func(text string) io.Reader { return io.MultiReader(strings.NewReader(text)) } // sent in chunks
	s.post(batch, strings.NewReader(pad(most))).want(t, 202, "")
	s.post(batch, unsized(pad(most))).want(t, 202, "")
	s.post(batch, bytes.NewReader(zip(t, pad(most))), "Content-Encoding", "gzip").want(t, 202, "")
	s.post(batch, strings.NewReader(pad(most+1))).want(t, 413, gateway.ProblemTooLarge)
	s.post(batch, unsized(pad(most+1))).want(t, 413, gateway.ProblemTooLarge)
	s.post(batch, bytes.NewReader(zip(t, pad(most+1))), "Content-Encoding", "gzip").want(t, 413, gateway.ProblemTooLarge)
}

// A client that promises and doesn't deliver is cut off, and holds little until then.
func TestSlowClient(t *testing.T) {
	s := serve(t, func(c *gateway.EventsConfig, sc *gateway.Config) {
		c.BodyTimeout = 300 * time.Millisecond
		sc.HeaderTimeout = 300 * time.Millisecond
	})
	address := strings.TrimPrefix(s.url, "http://")
	slow, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	fmt.Fprintf(slow, "POST /v1/events HTTP/1.1\r\nHost: [::1]\r\nContent-Type: %s\r\nContent-Length: 8000000\r\n\r\n{\"",
		single)
	deadline := time.Now().Add(5 * time.Second)
	for s.events.Counts().InFlight == 0 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if n := s.events.Counts().InFlight; n == 0 || n > 64<<10 {
		t.Errorf("2 bytes of 8,000,000 hold room for %d", n)
	}
	if err := slow.SetReadDeadline(deadline); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(slow)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 408 ") ||
		!strings.Contains(string(answer), gateway.ProblemTooSlow) {
		t.Errorf("answered %q (%v)", answer, err)
	}

	silent, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	fmt.Fprint(silent, "POST /v1/ev")
	if err := silent.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(silent); err != nil {
		t.Errorf("headers that don't come are waited for: %v", err)
	}
	s.post(single, strings.NewReader(refund(1))).want(t, 202, "")
}

// Who asks before sending a body isn't told to send one that won't be taken.
func TestExpectContinue(t *testing.T) {
	s := serve(t, nil)
	for _, c := range []struct{ contentType, answer string }{
		{"text/plain", "HTTP/1.1 415 "},
		{single, "HTTP/1.1 100 "},
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /v1/events HTTP/1.1\r\nHost: [::1]\r\nContent-Type: %s\r\nContent-Length: 1000\r\nExpect: "+
			"100-continue\r\n\r\n", c.contentType)
		line := make([]byte, len(c.answer))
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, line); err != nil || string(line) != c.answer {
			t.Errorf("%s was answered %q (%v)", c.contentType, line, err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Where there is no room, requests are shed before they are kept, and taken again when there is.
func TestOverload(t *testing.T) {
	const clients = 40
	body := "[" + refund(1) + strings.Repeat(" ", 500_000) + "]"
	s := serve(t, func(c *gateway.EventsConfig, _ *gateway.Config) {
		c.MaxBody = 1 << 20
		c.MaxBatch = 10
		c.MaxInFlight = 4 << 20
	})
	open := make(chan struct{})
	s.publisher.wait = open
	var accepted, shed atomic.Int64
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			r, err := http.NewRequest(http.MethodPost, s.url+"/v1/events", strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("Content-Type", batch)
			answer, err := client.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			a := read(t, answer)
			switch {
			case a.status == http.StatusAccepted:
				accepted.Add(1)
			case a.status == http.StatusTooManyRequests && a.header.Get("Retry-After") == "1" &&
				a.Type == "urn:makegood:problem:"+gateway.ProblemOverloaded:
				shed.Add(1)
			default:
				t.Errorf("answered %d %s", a.status, a.body)
			}
		})
	}
	deadline := time.Now().Add(10 * time.Second)
	for shed.Load() < clients/2 && time.Now().Before(deadline) {
		if n := s.events.Counts().InFlight; n > 4<<20 {
			t.Errorf("%d bytes in flight", n)
		}
		time.Sleep(time.Millisecond)
	}
	close(open)
	all.Wait()
	if accepted.Load() == 0 || shed.Load() < clients/2 || accepted.Load()+shed.Load() != clients {
		t.Errorf("%d accepted, %d shed", accepted.Load(), shed.Load())
	}
	if c := s.events.Counts(); c.Shed != shed.Load() || c.Accepted != accepted.Load() {
		t.Errorf("counted %+v", c)
	}
	s.post(batch, strings.NewReader(body)).want(t, 202, "")
}

// Many small events cost more than their bytes; that is counted as well.
func TestOverloadOfSmallEvents(t *testing.T) {
	s := serve(t, func(c *gateway.EventsConfig, _ *gateway.Config) {
		c.MaxBody = 256 << 10
		c.MaxBatch = 1000
		c.MaxInFlight = 256<<10 + 1000*768
	})
	open := make(chan struct{})
	s.publisher.wait = open
	done := make(chan reply)
	many := make([]string, 600)
	for i := range many {
		many[i] = refund(i)
	}
	go func() { done <- s.post(batch, list(many...)) }()
	deadline := time.Now().Add(5 * time.Second)
	for s.events.Counts().InFlight < 600*768 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	s.post(batch, list(many...)).want(t, 429, gateway.ProblemOverloaded)
	close(open)
	if a := <-done; a.status != 202 {
		t.Errorf("answered %d", a.status)
	}
}

func TestEventsConfig(t *testing.T) {
	good := gateway.EventsConfig{Publisher: &recorder{}, PartitionKey: key}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]func(*gateway.EventsConfig){
		"publisher":     func(c *gateway.EventsConfig) { c.Publisher = nil },
		"key":           func(c *gateway.EventsConfig) { c.PartitionKey = "" },
		"body":          func(c *gateway.EventsConfig) { c.MaxBody = 1000 },
		"batch":         func(c *gateway.EventsConfig) { c.MaxBatch = -1 },
		"flight":        func(c *gateway.EventsConfig) { c.MaxInFlight = 8 << 20 },
		"body timeout":  func(c *gateway.EventsConfig) { c.BodyTimeout = -1 },
		"retry after":   func(c *gateway.EventsConfig) { c.RetryAfter = -1 },
		"publish timer": func(c *gateway.EventsConfig) { c.PublishTimeout = -1 },
	} {
		c := good
		bad(&c)
		if _, err := gateway.NewEvents(c); err == nil {
			t.Errorf("%s: accepted %+v", name, c)
		}
	}
}
