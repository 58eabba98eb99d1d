package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	gateway "github.com/makegood/makegood/infra/http"
)

const key = "test.key"

// recorder is a publisher that remembers, and fails or waits on demand.
type recorder struct {
	mu    sync.Mutex
	calls []call
	fail  map[string]error // by topic
	wait  chan struct{}    // not nil: Publish waits until it is closed
}

type call struct {
	topic    string
	messages []*message.Message
}

func (r *recorder) Publish(topic string, messages ...*message.Message) error {
	r.mu.Lock()
	wait, err := r.wait, r.fail[topic]
	r.mu.Unlock()
	if wait != nil {
		select {
		case <-wait:
		case <-messages[0].Context().Done():
			return messages[0].Context().Err()
		}
	}
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call{topic, messages})
	return nil
}

func (r *recorder) Close() error { return nil }

func (r *recorder) topics() (topics []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.calls {
		topics = append(topics, c.topic)
	}
	return topics
}

func (r *recorder) messages(topic string) (all []*message.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.calls {
		if c.topic == topic {
			all = append(all, c.messages...)
		}
	}
	return all
}

// served is a gateway on loopback.
type served struct {
	t         *testing.T
	url       string
	events    *gateway.Events
	publisher *recorder
}

func serve(t *testing.T, change func(*gateway.EventsConfig, *gateway.Config)) *served {
	t.Helper()
	publisher := &recorder{fail: map[string]error{}}
	ec := gateway.EventsConfig{Publisher: publisher, PartitionKey: key,
		Ends: func(context.Context) (string, error) { return "ends!", nil }}
	sc := gateway.Config{Addr: "127.0.0.1:0"}
	if change != nil {
		change(&ec, &sc)
	}
	events, err := gateway.NewEvents(ec)
	if err != nil {
		t.Fatal(err)
	}
	sc.Events = events
	server, err := gateway.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := events.Counts().InFlight; n != 0 {
			t.Errorf("%d bytes are still in flight", n)
		}
	})
	scheme := "http"
	if sc.TLS != nil {
		scheme = "https"
	}
	return &served{t, scheme + "://" + server.Addr().String(), events, publisher}
}

// reply is an answer, read.
type reply struct {
	status   int
	header   http.Header
	body     string
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Accepted *int   `json:"accepted"`
	Errors   []gateway.EventError
}

func (s *served) post(contentType string, body io.Reader, headers ...string) reply {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.url+"/v1/events", body)
	if err != nil {
		s.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return s.do(r)
}

func (s *served) do(r *http.Request) reply {
	s.t.Helper()
	response, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	return read(s.t, response)
}

var client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func read(t *testing.T, response *http.Response) reply {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := reply{status: response.StatusCode, header: response.Header, body: string(body)}
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatalf("%d %s: %v", a.status, body, err)
	}
	if a.status >= 400 {
		if got := a.header.Get("Content-Type"); got != gateway.ContentTypeProblem || a.Status != a.status || a.Title == "" ||
			a.Detail == "" ||
			!strings.HasPrefix(a.Type, "urn:makegood:problem:") {
			t.Errorf("%d as %s: no whole problem: %s", a.status, got, body)
		}
		if most := 1100; len(a.Detail) > most {
			t.Errorf("%d: %d bytes say what is wrong: %s …", a.status, len(a.Detail), a.Detail[:most])
		}
	}
	return a
}

func (a reply) want(t *testing.T, status int, problem string) reply {
	t.Helper()
	if a.status != status || (problem != "" && a.Type != "urn:makegood:problem:"+problem) {
		t.Fatalf("answered %d %s, wanted %d %s", a.status, a.body, status, problem)
	}
	return a
}

func (a reply) wantAccepted(t *testing.T, n int) reply {
	t.Helper()
	if a.Accepted == nil || *a.Accepted != n {
		t.Fatalf("answered %d %s, wanted %d accepted", a.status, a.body, n)
	}
	return a
}

const (
	single = "application/cloudevents+json"
	batch  = "application/cloudevents-batch+json"
)

func refund(i int) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":"r-%d","source":"/till","type":"makegood.refund.issued.v1",
		"time":"2026-03-02T11:00:00Z","subject":"o-%d",
		"data":{"order_id":"o-%d","store_id":"s-1","error_id":"x-1","refund_id":"f-1","currency":"EUR","net":"10"}}`, i, i, i)
}

func rejected(i int) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":"e-%d","source":"/till","type":"makegood.error.rejected.v1",
		"time":"2026-03-02T11:00:00Z","subject":"o-%d",
		"data":{"order_id":"o-%d","store_id":"s-1","error_id":"x-1","reason":"mistaken"}}`, i, i, i)
}

func closed(month string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":"c-%s","source":"/office","type":"makegood.period.closed.v1",
		"time":"2026-03-02T11:00:00Z","data":{"period":%q}}`, month, month)
}

func list(events ...string) io.Reader {
	return strings.NewReader("[" + strings.Join(events, " , ") + "]")
}

var errBroker = errors.New("the broker said no")

// discard is a publisher that says yes at once.
type discard struct{}

func (*discard) Publish(string, ...*message.Message) error { return nil }
func (*discard) Close() error                              { return nil }
