package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain/reference"
)

// known is what the books say at a time, by what was asked: stories of what was told of just before, and reports.
type known struct {
	at      time.Time
	stories []string // paths of orders and cases
	answers map[string]map[string]any
}

// takenBack are cases in which what was said is taken back, or contradicted, later.
var takenBack = []contractCase{
	{name: "a refund voided", events: []told{sold, reported("damaged", "after_delivery", ""), refunded("100", "8"),
		void(2, refunded("100", "8"))}},
	{name: "two refunds of one name that do not agree", events: []told{sold, reported("damaged", "after_delivery", ""),
		refunded("30", "0"), {kind: "refund.issued", at: "2026-01-14T09:00:00Z",
			data: onCase + `,"refund_id":"$e-r","net":"40","tax":"0"`, source: "urn:webhook:1"}}},
}

// TestAsOfATime tells every case of the contract event by event, in random order, and asks after each what the books
// say of its order or of its case, and of all of them together. Asked again at the end, as of that time, they say the
// same.
func TestAsOfATime(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	_, c := startTestApp(t, t.TempDir())
	for _, e := range goldenRates {
		mustPost(t, c, e)
	}
	var orders []string
	cases := append(slices.Clone(contractCases), takenBack...)
	arrivals, most := make([][]int, len(cases)), 0
	for i := range cases {
		arrivals[i] = random.Perm(len(cases[i].events))
		most = max(most, len(arrivals[i]))
		orders = append(orders, fmt.Sprintf("a%02d", i))
	}
	var all []known
	for step := range most {
		var batch, stories []string
		for i, arrival := range arrivals {
			if step < len(arrival) {
				story := []string{"/v1/orders/" + orders[i], "/v1/cases/" + orders[i] + "e"}[random.IntN(2)]
				if reference.AllStreams() || random.IntN(6) == 0 { // of few streams, another sixth of the stories each time
					stories = append(stories, story)
				}
				text := cases[i].events[arrival[step]].on(orders[i], arrival[step])
				if strings.Contains(text, `"original":$2`) {
					text = strings.Replace(text, "$2", cases[i].events[2].on(orders[i], 2), 1)
				}
				batch = append(batch, text)
			}
		}
		status, text := postBody(t, c, "application/cloudevents-batch+json", "["+strings.Join(batch, ",")+"]")
		if status != http.StatusAccepted {
			t.Fatalf("%d %s", status, text)
		}
		if step == 2 { // what comes later has a later epoch
			mustPost(t, c, event("close", "period.closed", "2026-01-30T00:00:00Z", "",
				`{"period":"2019-12","actor":"controller","reason":"year's end"}`))
		}
		if s, err := c.caughtUp(t.Context()); err != nil || s.DeadLetters != 0 {
			t.Fatal(s, err)
		}
		time.Sleep(5 * time.Millisecond) // recorded_at has milliseconds
		at := time.Now()
		all = append(all, known{at, stories, askAll(t, c, stories, time.Time{})})
		time.Sleep(5 * time.Millisecond)
	}
	for step, then := range all {
		if step%2 == int(seed%2) && !reference.AllStreams() {
			continue // of few streams, every second moment
		}
		for asked, have := range askAll(t, c, then.stories, then.at) {
			if want := then.answers[asked]; !reflect.DeepEqual(have, want) {
				t.Errorf("%s as of step %d is\n%v\nand was\n%v", asked, step, have, want)
			}
		}
	}
}

// askAll asks what the books say, as of a time or as of now. What depends on the moment of asking is left out.
func askAll(t *testing.T, c *client, stories []string, at time.Time) map[string]map[string]any {
	t.Helper()
	answers := map[string]map[string]any{}
	ask := func(path string, query url.Values) {
		t.Helper()
		asked := path + "?" + query.Encode()
		if !at.IsZero() {
			query.Set("as_of", at.UTC().Format(time.RFC3339Nano))
		}
		var answer map[string]any
		err := c.get(t.Context(), path, query, &answer)
		switch isCase := strings.HasPrefix(path, "/v1/cases/"); {
		case isCase && err != nil: // nobody has heard of it yet
			answer = map[string]any{"error": err.Error()}
		case err != nil:
			t.Fatalf("%s as of %s: %v", asked, at, err)
		}
		for _, name := range []string{"as_of", "returning_customers", "batch_id"} {
			delete(answer, name)
		}
		answers[asked] = answer
	}
	span := func(more ...string) url.Values {
		query := url.Values{"from": {"2026-01-01"}, "to": {"2026-03-01"}, "currency": {"USD"}}
		for i := 0; i < len(more); i += 2 {
			query.Set(more[i], more[i+1])
		}
		return query
	}
	for _, path := range stories {
		ask(path, url.Values{})
	}
	ask("/v1/reports/leakage", span("group_by", "order"))
	ask("/v1/reports/leakage", span("group_by", "case,kind,founded,account,basis"))
	ask("/v1/summary", span())
	ask("/v1/summary", span("store", "s1", "period_by", "posting"))
	ask("/v1/statement", url.Values{"period": {"2026-01"}, "store": {"s1"}})
	ask("/v1/journal", url.Values{"from": {"2026-01-01"}, "to": {"2026-03-01"}, "format": {"json"}, "detail": {"events"}})
	return answers
}
