package gateway_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2 is a connection of HTTP/2 of somebody who keeps to no rule.
type h2 struct {
	*testing.T
	conn   *tls.Conn
	framer *http2.Framer
	packed bytes.Buffer
	packer *hpack.Encoder
	next   uint32 // stream
}

func dialH2(t *testing.T, url string, roots *x509.CertPool) *h2 {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{RootCAs: roots,
		NextProtos: []string{http2.NextProtoTLS}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // the other end may have closed it
	c := &h2{T: t, conn: conn, framer: http2.NewFramer(conn, conn), next: 1}
	c.packer = hpack.NewEncoder(&c.packed)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := c.framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return c
}

// begin begins a request, and says which stream it has.
func (c *h2) begin(method, path string, ends bool, headers ...string) (uint32, error) {
	c.packed.Reset()
	all := append([]string{":method", method, ":scheme", "https", ":authority", "127.0.0.1", ":path", path}, headers...)
	for i := 0; i < len(all); i += 2 {
		if err := c.packer.WriteField(hpack.HeaderField{Name: all[i], Value: all[i+1]}); err != nil {
			c.Fatal(err)
		}
	}
	stream := c.next
	c.next += 2
	return stream, c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: c.packed.Bytes(),
		EndHeaders: true, EndStream: ends})
}

// closedBy reads until the server closes the connection, or sends a frame that is done. It fails the test if neither
// comes within 30 s.
func (c *h2) closedBy(what string, done func(http2.Frame) bool) {
	c.Helper()
	if err := c.conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		c.Fatal(err)
	}
	for {
		frame, err := c.framer.ReadFrame()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.Errorf("%s: nothing came of it", what)
			return
		}
		if err != nil || done(frame) {
			return
		}
	}
}

func goAway(f http2.Frame) bool { _, is := f.(*http2.GoAwayFrame); return is }

// TestHTTP2Abuse: a client that cancels requests as fast as it can, begins more than are allowed, or sends bodies or
// headers that never end is bounded. The events of another client are taken meanwhile.
func TestHTTP2Abuse(t *testing.T) {
	s, roots := serveTLS(t)
	other := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots},
		ForceAttemptHTTP2: true}}
	defer other.CloseIdleConnections()
	served := func(after string) {
		t.Helper()
		answer, err := other.Post(s.url+"/v1/events", single, strings.NewReader(refund(1)))
		if err != nil {
			t.Fatalf("after %s: %v", after, err)
		}
		read(t, answer).want(t, 202, "")
	}
	served("nothing")
	before := runtime.NumGoroutine()

	reset := dialH2(t, s.url, roots)
	go func() {
		for {
			if _, err := reset.framer.ReadFrame(); err != nil {
				return
			}
		}
	}()
	for range 20_000 {
		stream, err := reset.begin(http.MethodGet, "/healthz", true)
		if err == nil {
			err = reset.framer.WriteRSTStream(stream, http2.ErrCodeCancel)
		}
		if err != nil {
			break // the server closed the connection
		}
	}
	served("resets")

	slow := dialH2(t, s.url, roots)
	for range 500 { // bodies that are begun and never end
		if _, err := slow.begin(http.MethodPost, "/v1/events", false, "content-type", single); err != nil {
			break
		}
	}
	if n := runtime.NumGoroutine() - before; n > 200 {
		t.Errorf("one who begins 500 requests and ends none has %d goroutines at work", n)
	}
	served("bodies that never end")
	slow.closedBy("500 requests at once", func(f http2.Frame) bool {
		refused, is := f.(*http2.RSTStreamFrame)
		return is && refused.ErrCode == http2.ErrCodeRefusedStream || goAway(f)
	})

	endless := dialH2(t, s.url, roots)
	if err := endless.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1}); err != nil {
		t.Fatal(err)
	}
	for range 5000 { // CONTINUATION without end
		if endless.framer.WriteContinuation(1, false, bytes.Repeat([]byte{0x40, 0x01, 'a', 0x01, 'b'}, 100)) != nil {
			break
		}
	}
	endless.closedBy("headers without end", goAway)
	served("headers without end")
}
