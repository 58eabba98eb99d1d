package gateway_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"

	gateway "github.com/makegood/makegood/infra/http"
)

// counter is a publisher that counts, and looks at what it is given.
type counter struct {
	t *testing.T
	n int
}

func (c *counter) Publish(topic string, messages ...*message.Message) error {
	for _, m := range messages {
		if !json.Valid(m.Payload) || (m.Metadata[key] == "") != (topic == "makegood.books") {
			c.t.Errorf("%s: %v %s", topic, m.Metadata, m.Payload)
		}
	}
	c.n += len(messages)
	return nil
}

func (*counter) Close() error { return nil }

// FuzzBatch: whatever is sent, each element is either published or listed, and the answer says how many.
func FuzzBatch(f *testing.F) {
	for _, s := range []string{"[]", "[" + refund(1) + "]", "[" + refund(1) + ",1," + closed("2026-01") + "]", "[{}", "{}",
		"[\xff]", refund(1), `[[],{"a":"\ud800"}] `} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		published := &counter{t: t}
		h, err := gateway.NewEvents(gateway.EventsConfig{Publisher: published, PartitionKey: key})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/v1/events", strings.NewReader(string(body)))
		r.Header.Set("Content-Type", batch)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		a := read(t, w.Result())
		var elements []json.RawMessage
		isArray := json.Unmarshal(body, &elements) == nil && elements != nil
		switch a.status {
		case http.StatusAccepted, http.StatusUnprocessableEntity:
			if a.Accepted == nil || *a.Accepted != published.n || (isArray && published.n+len(a.Errors) != len(elements)) {
				t.Fatalf("%q: %d published, answered %d %s", body, published.n, a.status, a.body)
			}
			if (len(a.Errors) == 0) != (a.status == http.StatusAccepted) {
				t.Fatalf("%q: answered %d %s", body, a.status, a.body)
			}
		case http.StatusBadRequest:
			if isArray || published.n > 0 {
				t.Fatalf("%q: %d published, answered %d %s", body, published.n, a.status, a.body)
			}
		default:
			t.Fatalf("%q: answered %d %s", body, a.status, a.body)
		}
	})
}
