package main

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/projections/deadletter"
)

// openLetters lists the dead letters by the reason that they are there for.
func openLetters(t testing.TB, c *client) map[string]deadletter.Letter {
	t.Helper()
	var answer struct {
		Letters []deadletter.Letter `json:"dead_letters"`
	}
	if err := c.get(t.Context(), "/v1/deadletters", nil, &answer); err != nil {
		t.Fatal(err)
	}
	letters := map[string]deadletter.Letter{}
	for _, d := range answer.Letters {
		if _, twice := letters[d.Reason]; twice {
			t.Fatalf("two dead letters for %s", d.Reason)
		}
		letters[d.Reason] = d
	}
	return letters
}

func mustCatchUp(t testing.TB, c *client) status {
	t.Helper()
	s, err := c.caughtUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDeadLettersAreKeptReplayedAndDiscarded: what came is kept byte for byte with its headers and place, also where it
// was readable and lost to another, and what can't be read stays in the log alone; it can be sent again, which books
// nothing twice, and taken off the list.
func TestDeadLettersAreKeptReplayedAndDiscarded(t *testing.T) {
	t.Parallel()
	app, c := startTestAppWith(t, t.TempDir(), func(c *server.Config) { c.People.Keep = []string{"attribute.till"} })
	w := &kafkago.Writer{Addr: kafkago.TCP(app.Brokers...), Topic: "makegood.orders",
		Balancer:     kafkago.Murmur2Balancer{Consistent: true},
		BatchTimeout: time.Millisecond, RequiredAcks: kafkago.RequireAll}
	defer w.Close()
	send := func(key, text string) {
		t.Helper()
		if err := w.WriteMessages(t.Context(), kafkago.Message{Key: []byte(key), Value: []byte(text),
			Headers: []kafkago.Header{{Key: "content-type", Value: []byte("application/cloudevents+json")},
				{Key: "till", Value: []byte("7")}}}); err != nil {
			t.Fatal(err)
		}
	}
	placed := func(id, order, price string) string {
		return event(id, "order.placed", "2026-01-01T00:00:00Z", order,
			fmt.Sprintf(
				`{"order_id":%q,"store_id":"s1","currency":"USD","lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":%q,`+
					`"unit_cost":"1"}]}`, order, price))
	}
	send("a", placed("a", "a", "10"))
	send("a", `  {"half`)
	mustCatchUp(t, c)
	other := " " + placed("a", "a", "11") + "\n" // the spaces are to be kept
	send("a", other)
	for deadline := time.Now().Add(time.Minute); mustCatchUp(t, c).DeadLetters != 2; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no conflict within a minute")
		}
	}
	letters := openLetters(t, c)
	keptAsItCame(t, app, c, letters, other)

	replayedInVain(t, c, letters)
	// Discarded is off the list until the same comes again.
	for _, d := range letters {
		if err := c.post(t.Context(), "/v1/deadletters/"+d.ID+"/discard", "", nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if left := openLetters(t, c); len(left) != 0 {
		t.Errorf("discarded, the list is %+v", left)
	}
	if s := mustCatchUp(t, c); s.DeadLetters != 0 || s.Events != 4 { // and who replayed and discarded
		t.Errorf("status %+v", s)
	}
	send("a", `  {"half`)
	mustCatchUp(t, c)
	if again := openLetters(t, c); len(again) != 1 || again["bad_json"].ID != letters["bad_json"].ID {
		t.Errorf("sent again, the list is %+v", again)
	}
}

// replayedInVain: what lost to another loses again, and what is still broken is the same dead letter again.
func replayedInVain(t *testing.T, c *client, letters map[string]deadletter.Letter) {
	t.Helper()
	replay := func(id string) error {
		return c.post(t.Context(), "/v1/deadletters/"+id+"/replay", "", nil, nil)
	}
	// What lost to another loses again: that is said, instead of taking it off the list.
	var p *problem
	if err := replay(letters["conflict"].ID); !errors.As(err, &p) || p.Status != http.StatusConflict {
		t.Errorf("the replay of a conflict gives %v", err)
	}
	if err := replay("nothing"); !errors.As(err, &p) || p.Status != http.StatusNotFound {
		t.Errorf("the replay of nothing gives %v", err)
	}
	// What is still broken is a dead letter again, the same.
	if err := replay(letters["bad_json"].ID); err != nil {
		t.Fatal(err)
	}
	mustCatchUp(t, c)
	if again := openLetters(t, c); again["bad_json"].ID != letters["bad_json"].ID || len(again) != 2 {
		t.Errorf("after a replay that failed, the list is %+v", again)
	}
}

// keptAsItCame: a dead letter keeps the bytes, headers and place of its record, where they can be hidden, and shows
// them.
func keptAsItCame(t *testing.T, app *server.App, c *client, letters map[string]deadletter.Letter, other string) {
	t.Helper()
	for reason, text := range map[string]string{"bad_json": `  {"half`, "conflict": other} {
		d, err := deadletter.Read(t.Context(), app.Store.DB, letters[reason].ID)
		if err != nil {
			t.Fatal(err)
		}
		kept, headers := text, 2
		if reason == "bad_json" { // in which nobody can tell whether it names somebody
			kept, headers = "", 4
		}
		if string(d.Payload) != kept || d.Key != "a" || d.Headers["till"] != "7" || len(d.Headers) != headers ||
			d.Topic != "makegood.orders" || d.FirstSeen.IsZero() {
			t.Errorf("the dead letter for %s is %+v, %q", reason, d, d.Payload)
		}
		var shown struct {
			Payload []byte `json:"payload"`
		}
		if err := c.get(t.Context(), "/v1/deadletters/"+d.ID, nil, &shown); err != nil || string(shown.Payload) != text {
			t.Errorf("the dead letter for %s is shown as %q, %v", reason, shown.Payload, err)
		}
	}
}
