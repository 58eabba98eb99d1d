package pipe

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// clinic is a till whose webhooks only name what they are about, with its API.
type clinic struct {
	t      *testing.T
	api    *httptest.Server
	tills  *Tills
	mapper *Mapper

	mu      sync.Mutex
	status  int // that the API answers; 0: it does
	asked   []string
	kept    []*message.Message
	sent    []string
	refused []Refusal
}

func openClinic(t *testing.T) *clinic {
	t.Helper()
	c := &clinic{t: t}
	c.api = httptest.NewServer(c)
	t.Cleanup(c.api.Close)
	dir := t.TempDir()
	for name, content := range map[string]string{
		"tills.yaml": "clinic: {mapping: ./clinic.yaml, api_key_file: key, store: s1}\n",
		"key":        "a-key-that-nobody-tells\n",
		"clinic.yaml": `
name: clinic
kinds:
  - kind: refund
    when: .refund_id != null
    events: |
      {type: "makegood.refund.issued.v1", id: "refund/\(.refund_id)", time: "2026-01-01T00:00:00Z", subject: "o1",
       data: {order_id: "o1", store_id: $till.store_id, refund_id: .refund_id, currency: "USD", net: "1"}}
fetch:
  hosts: [127.0.0.1]
  auth: bearer
  thin: '.named | values | "` + c.api.URL + `/refunds/\(.)"'
  first: '"` + c.api.URL + `/refunds?since=\(.since // "")"'
  next: .body.next
  since: .body.last
each: 'if has("list") then .list[] else . end'
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(path string) (string, error) {
		text, err := os.ReadFile(path)
		return strings.TrimSpace(string(text)), err
	}
	var err error
	c.tills, err = Open(TillsConfig{File: filepath.Join(dir, "tills.yaml"), Load: LoadMapping, ReadSecret: read,
		Loopback: true, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	c.mapper = NewMapper(MapperConfig{Tills: c.tills, Keep: c.keep, Logger: slog.New(slog.DiscardHandler),
		Send: func(_ context.Context, _ string, events [][]byte) error {
			for _, e := range events {
				c.sent = append(c.sent, string(e))
			}
			return nil
		},
		Refuse: func(_ context.Context, _ *message.Message, _ string, why Refusal) error {
			c.refused = append(c.refused, why)
			return nil
		}})
	return c
}

func (c *clinic) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, r.URL.String())
	switch {
	case c.status != 0:
		w.WriteHeader(c.status)
	case r.Header.Get("Authorization") != "Bearer a-key-that-nobody-tells":
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path == "/refunds" && r.URL.Query().Get("page") == "":
		fmt.Fprintf(w, `{"list":[{"refund_id":"p1"}],"next":"/refunds?page=2","last":"t1"}`)
	case r.URL.Path == "/refunds":
		fmt.Fprintf(w, `{"list":[{"refund_id":"p2"}],"last":"t2"}`)
	default:
		fmt.Fprintf(w, `{"refund_id":%q,"named":"again"}`, filepath.Base(r.URL.Path))
	}
}

func (c *clinic) keep(_ context.Context, m *message.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = append(c.kept, m)
	return nil
}

func (c *clinic) handle(content string) error {
	c.t.Helper()
	b := &Body{Till: "clinic", Content: []byte(content), Received: time.Now()}
	m, err := b.Record()
	if err != nil {
		c.t.Fatal(err)
	}
	return c.mapper.Handle(m)
}

func TestWhatABodyOnlyNamesIsFetched(t *testing.T) {
	c := openClinic(t)
	if err := c.handle(`{"list":[{"named":"r1"},{"refund_id":"r2"}]}`); err != nil {
		t.Fatal(err)
	}
	if len(c.sent) != 1 || !strings.Contains(c.sent[0], `"refund/r2"`) || len(c.kept) != 1 || len(c.refused) > 0 {
		t.Fatalf("sent %q, kept %d, refused %v", c.sent, len(c.kept), c.refused)
	}
	// What came back names something too, and is mapped as it is.
	if err := c.mapper.Handle(c.kept[0]); err != nil {
		t.Fatal(err)
	}
	if len(c.sent) != 2 || !strings.Contains(c.sent[1], `"refund/r1"`) || len(c.asked) != 1 {
		t.Fatalf("sent %q, asked %q", c.sent, c.asked)
	}
	c.status = http.StatusForbidden
	if err := c.handle(`{"named":"r3"}`); err != nil {
		t.Fatal(err)
	}
	if len(c.refused) != 1 || c.refused[0].Code != CodeNotFetched || !strings.Contains(c.refused[0].Reason, "403") {
		t.Errorf("%v", c.refused)
	}
	if strings.Contains(fmt.Sprint(c.refused), "nobody-tells") {
		t.Error("it tells the key")
	}
}

func TestBackfillGoesOnWhereItStopped(t *testing.T) {
	c := openClinic(t)
	dir := t.TempDir()
	for run, want := range []string{"/refunds?since=,/refunds?page=2", "/refunds?since=t2,/refunds?page=2"} {
		c.asked, c.kept = nil, nil
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() {
			Backfill(ctx, BackfillConfig{Tills: c.tills, Dir: dir, Keep: c.keep, Now: time.Now,
				Logger: slog.New(slog.DiscardHandler)})
		})
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if text, err := os.ReadFile(filepath.Join(dir, "clinic.json")); err == nil && string(text) == `{"since":"t2"}` {
				c.mu.Lock()
				n := len(c.kept)
				c.mu.Unlock()
				if n == 2 {
					break
				}
			}
		}
		cancel()
		done.Wait()
		if got := strings.Join(c.asked, ","); got != want || len(c.kept) != 2 {
			t.Fatalf("run %d asked %s, and kept %d", run, got, len(c.kept))
		}
		for _, m := range c.kept {
			m.SetContext(t.Context())
			if err := c.mapper.Handle(m); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(c.sent) != 4 || !strings.Contains(c.sent[1], `"refund/p2"`) || len(c.refused) > 0 {
		t.Errorf("sent %q, refused %v", c.sent, c.refused)
	}
}

func TestAKeyNeedsAMappingThatAsks(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"tills.yaml": "a: {mapping: csv, folder: in, api_key_file: key}\n", "key": "k\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Open(TillsConfig{File: filepath.Join(dir, "tills.yaml"), Load: LoadMapping, Now: time.Now,
		ReadSecret: func(string) (string, error) { return "k", nil }, Logger: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "doesn't say how its API is asked") {
		t.Error(err)
	}
}
