package pipe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/gochannel"
)

// words is a mapping for tests: of each line one event; a line that begins with ! is refused, a body of ? panics.
type words struct{ secrets []string }

func (w words) Signed() bool    { return len(w.secrets) > 0 }
func (words) Headers() []string { return []string{"x-topic"} }

func (words) Trial(body []byte) bool { return string(body) == "trial" }

func (w words) Verify(r *Request, _ time.Time) error {
	if !w.Signed() || slices.Contains(w.secrets, r.Header.Get("X-Signature")) {
		return nil
	}
	return errors.New("the signature is another")
}

func (words) Map(_ context.Context, b *Body) (events [][]byte, _ error) {
	refused := &Refused{}
	for i, line := range strings.Split(strings.TrimSpace(string(b.Content)), "\n") {
		switch {
		case line == "?":
			panic("no line")
		case strings.HasPrefix(line, "!"):
			refused.Refusals = append(refused.Refusals, Refusal{Code: "bad_line", Place: fmt.Sprintf("line %d", i+1),
				Reason: line, Hint: "mend it"})
		case line != "":
			events = append(events, []byte(b.Header["x-topic"]+line))
		}
	}
	if len(refused.Refusals) > 0 {
		return events, refused
	}
	return events, nil
}

// shop is a tills file with one till, and what it is made of.
type shop struct {
	*testing.T
	dir   string
	tills *Tills

	mu      sync.Mutex
	sent    []string // events
	refused []Refusal
	fail    error // of Send
}

func openShop(t *testing.T, config string) *shop {
	t.Helper()
	s := &shop{T: t, dir: t.TempDir()}
	s.write("tills.yaml", config)
	s.write("secret", "first")
	var err error
	if s.tills, err = Open(TillsConfig{File: filepath.Join(s.dir, "tills.yaml"), Now: time.Now,
		Logger: slog.New(slog.DiscardHandler),
		Load:   func(_ *Till, secrets []string) (Mapping, error) { return words{secrets}, nil },
		ReadSecret: func(path string) (string, error) {
			content, err := os.ReadFile(path)
			return string(content), err
		}}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shop) write(name, content string) {
	s.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.Fatal(err)
	}
}

func (s *shop) send(_ context.Context, till string, events [][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	for _, e := range events {
		if bytes.Contains(e, []byte("breaks")) {
			return &Refused{[]Refusal{{Code: "required", Reason: "it breaks the contract"}}}
		}
	}
	for _, e := range events {
		s.sent = append(s.sent, till+" "+string(e))
	}
	return nil
}

func (s *shop) refuse(_ context.Context, _ *message.Message, _ string, why Refusal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = append(s.refused, why)
	return nil
}

func (s *shop) seen() (sent []string, refused []Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(slices.Values(s.sent)), slices.Clone(s.refused)
}

func (s *shop) until(what string, reached func() bool) {
	s.Helper()
	for end := time.Now().Add(20 * time.Second); !reached(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			sent, refused := s.seen()
			s.Fatalf("%s: never: sent %q, refused %v", what, sent, refused)
		}
	}
}

// TestMapper: every body becomes its events or a dead letter, whatever the others are; what can't be sent now comes
// again, and is sent once it can.
func TestMapper(t *testing.T) {
	s := openShop(t, "shop: {mapping: words, kind: sale}")
	channel := gochannel.NewGoChannel(gochannel.Config{Persistent: true}, watermill.NopLogger{})
	mapper := NewMapper(MapperConfig{Tills: s.tills, Topic: "tills", Send: s.send, Refuse: s.refuse,
		Logger: slog.New(slog.DiscardHandler)})
	publish := func(till, content string) {
		b := Body{Till: till, Content: []byte(content), Received: time.Now(), Header: map[string]string{"x-topic": "t:"}}
		m, err := b.Record()
		if err != nil {
			t.Fatal(err)
		}
		if err := channel.Publish("tills", m); err != nil {
			t.Fatal(err)
		}
	}
	s.fail = errors.New("no broker")
	publish("shop", "one\ntwo")
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := mapper.Run(ctx, channel); err != nil {
			t.Error(err)
		}
	})
	publish("shop", "good\n!bad\n!worse")
	publish("shop", "?")
	publish("stranger", "one")
	publish("shop", "\n")
	publish("shop", "good\nbreaks")
	if err := channel.Publish("tills", message.NewMessage("", []byte("no body"))); err != nil {
		t.Fatal(err)
	}
	counts := s.tills.countsOf("shop")
	s.until("four refused, one that says nothing", func() bool {
		_, refused := s.seen()
		return len(refused) == 4 && counts.Nothing.Load() == 1
	})
	s.mu.Lock()
	s.fail = nil
	s.mu.Unlock()
	s.until("all are mapped", func() bool {
		sent, refused := s.seen()
		return len(sent) == 2 && len(refused) == 5
	})
	stop()
	running.Wait()
	sent, refused := s.seen()
	if want := []string{"shop t:one", "shop t:two"}; !slices.Equal(sent, want) {
		t.Errorf("sent %q, not %q", sent, want)
	}
	codes := map[string]string{}
	for _, r := range refused {
		codes[r.Code] = r.String()
	}
	want := map[string]string{"bad_line": "line 2: !bad, and 1 more; mend it", CodePanic: "the mapping broke off: no line",
		CodeUnknownTill: "no till of that name is configured; name it in the tills file, and replay this",
		"required":      "it breaks the contract", CodeNoBody: "the record has no header makegood_till"}
	if !maps.Equal(codes, want) {
		t.Errorf("refused %v, not %v", codes, want)
	}
	if counts.Mapped.Load() != 2 || counts.Events.Load() != 2 || counts.Refused.Load() != 3 {
		t.Errorf("mapped %d, events %d, refused %d", counts.Mapped.Load(), counts.Events.Load(), counts.Refused.Load())
	}
}

// TestCopy: records of a topic of a till become bodies, with their headers and key; one without a value is none, and
// one that is too large is a dead letter. A till that is configured later is read from then on.
func TestCopy(t *testing.T) {
	s := openShop(t, "{}")
	channel := gochannel.NewGoChannel(gochannel.Config{Persistent: true}, watermill.NopLogger{})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.tills.Watch(ctx) })
	running.Go(func() {
		if err := Copy(ctx, CopyConfig{Tills: s.tills, Topic: "tills", To: channel, Refuse: s.refuse,
			From: func() (message.Subscriber, error) { return unclosed{channel}, nil },
			Key:  func(m *message.Message) string { return m.Metadata.Get("its key") }, Now: time.Now,
			Logger: slog.New(slog.DiscardHandler)}); err != nil {
			t.Error(err)
		}
	})
	random := rand.NewChaCha8([32]byte{1})
	noise := make([]byte, 2<<20)
	_, _ = random.Read(noise) // it never fails, and can't be packed
	for _, content := range [][]byte{[]byte("row"), nil, noise} {
		m := message.NewMessage("", content)
		m.Metadata.Set("Id", "7")
		m.Metadata.Set("its key", "k")
		if err := channel.Publish("outbox", m); err != nil {
			t.Fatal(err)
		}
	}
	s.write("tills.yaml", "cdc: {mapping: words, topic: outbox, kind: row}")
	kept, err := channel.Subscribe(ctx, "tills")
	if err != nil {
		t.Fatal(err)
	}
	var b *Body
	select {
	case m := <-kept:
		if b, err = ReadRecord(m); err != nil {
			t.Fatal(err)
		}
		m.Ack()
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was kept")
	}
	if b.Till != "cdc" || b.Kind != "row" || string(b.Content) != "row" || b.Header["id"] != "7" ||
		b.Header["key"] != "k" {
		t.Errorf("kept %+v", b)
	}
	s.until("the large one is refused", func() bool {
		_, refused := s.seen()
		return len(refused) == 1 && refused[0].Code == CodeTooLarge
	})
	stop()
	running.Wait()
	if more := len(kept); more > 0 {
		t.Errorf("%d more were kept", more)
	}
}

// unclosed lets a router close its subscriber, and others read on.
type unclosed struct{ message.Subscriber }

func (unclosed) Close() error { return nil }

// TestRecord: a body comes out of its record as it went in, however large, until the log doesn't take it.
func TestRecord(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for range 50 {
		content := bytes.Repeat([]byte(`{"id": 7, "note": "`+fmt.Sprint(random.Uint64())+`"} `), 1+random.IntN(30_000))
		b := &Body{Till: "t", Kind: []string{"", "k"}[random.IntN(2)], Content: content,
			Received: time.Unix(random.Int64N(1<<32), random.Int64N(1e9)).UTC(),
			Header:   map[string]string{"x-topic": fmt.Sprint(random.Uint32())}}
		m, err := b.Record()
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Payload) > MaxStored {
			t.Fatalf("a record has %d bytes", len(m.Payload))
		}
		got, err := ReadRecord(m)
		if err != nil {
			t.Fatal(err)
		}
		if got.Till != b.Till || got.Kind != b.Kind || !bytes.Equal(got.Content, b.Content) ||
			!got.Received.Equal(b.Received) || !maps.Equal(got.Header, b.Header) {
			t.Fatalf("seed %d: another body of %d bytes came out", seed, len(content))
		}
	}
	noise := make([]byte, MaxStored+1)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	if _, err := (&Body{Till: "t", Content: noise}).Record(); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}

// TestVerify: who signs is let in with any of the secrets, and of their headers those stay that the mapping looks at.
func TestVerify(t *testing.T) {
	s := openShop(t, "{}")
	s.write("next", "second")
	s.write("tills.yaml", "shop: {mapping: words, secret_files: [secret, next]}\nopen: {mapping: words}")
	if err := s.tills.look(); err != nil {
		t.Fatal(err)
	}
	header := http.Header{"X-Topic": {"orders"}, "Authorization": {"Basic abc"}, "Content-Type": {"text/plain"}}
	for _, secret := range []string{"first", "second"} {
		header.Set("X-Signature", secret)
		b, err := s.tills.Verify("shop", "", &Request{Header: header, Body: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		if want := map[string]string{"content-type": "text/plain", "x-topic": "orders"}; !maps.Equal(b.Header, want) {
			t.Errorf("kept headers %v, not %v", b.Header, want)
		}
	}
	header.Set("X-Signature", "third")
	var wrong *VerifyError
	if _, err := s.tills.Verify("shop", "", &Request{Header: header}); !errors.As(err, &wrong) {
		t.Errorf("a wrong signature: %v", err)
	}
	if _, err := s.tills.Verify("shop", "", &Request{Header: header, Body: []byte("trial")}); !errors.Is(err, ErrTrial) {
		t.Errorf("a trial: %v", err)
	}
	if _, err := s.tills.Verify("nobody", "", &Request{Header: header}); !errors.Is(err, ErrUnknown) {
		t.Errorf("no till: %v", err)
	}
	for name, want := range map[string][2]bool{"shop": {true, true}, "open": {true, false}, "nobody": {}} {
		if known, signed := s.tills.Find(name); known != want[0] || signed != want[1] {
			t.Errorf("%s: known %t, signed %t", name, known, signed)
		}
	}
	if n := s.tills.countsOf("shop").Unsigned.Load(); n != 1 {
		t.Errorf("%d unsigned", n)
	}
}

// TestReload: what can't be used changes nothing and is said; what can counts soon.
func TestReload(t *testing.T) {
	s := openShop(t, "shop: {mapping: words}")
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.tills.Watch(ctx) })
	s.write("tills.yaml", "shop: {mapping: words, secrets: [x]}")
	s.until("the problem is said", func() bool { return strings.Contains(s.tills.Problem(), "line 1") })
	if known, _ := s.tills.Find("shop"); !known {
		t.Error("what can't be used changed something")
	}
	s.write("tills.yaml", "other: {mapping: words}")
	s.until("the other till counts", func() bool {
		known, _ := s.tills.Find("other")
		gone, _ := s.tills.Find("shop")
		return known && !gone && s.tills.Problem() == ""
	})
	stop()
	running.Wait()
}

// TestConfig: what a tills file may not say is told with the till.
func TestConfig(t *testing.T) {
	for text, want := range map[string]string{
		"Shop: {mapping: x}":                       "till Shop: a name has",
		"shop: {zone: Mars/North}":                 "zone: unknown time zone Mars/North",
		"a: {folder: in}\nb: {folder: ./in}":       "tills a and b both have the folder",
		"a: {topic: x}\nb: {topic: x}":             "tills a and b both have the topic x",
		"a: {secret: hunter2}":                     "line 1: field secret not found",
		"- a":                                      "line 1: cannot unmarshal",
		"a: {}\na: {}":                             `mapping key "a" already defined at line 1`,
		"a: {store: " + strings.Repeat("x", 2<<20): "more than 1048576 bytes",
	} {
		path := filepath.Join(t.TempDir(), "tills.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadConfig(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, not %q", text, err, want)
		}
	}
	path := filepath.Join(t.TempDir(), "tills.yaml")
	if err := os.WriteFile(path, []byte("shopify: {secret_file: s, folder: in}\nmine: {mapping: my.yaml}"),
		0o600); err != nil {
		t.Fatal(err)
	}
	tills, err := ReadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	if len(tills) != 2 || tills[0].Mapping != filepath.Join(dir, "my.yaml") || tills[1].Mapping != "shopify" ||
		tills[1].Folder != filepath.Join(dir, "in") ||
		!slices.Equal(tills[1].SecretFiles, []string{filepath.Join(dir, "s")}) {
		t.Errorf("%+v %+v", tills[0], tills[1])
	}
}
