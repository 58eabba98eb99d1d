package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/report"
)

// TestCloseUnderFire closes a month while producers whose clocks are wrong write on every partition: what stood before
// the close in the log is in it, what came after is not, whatever the clocks say.
func TestCloseUnderFire(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	writing, stop := context.WithCancel(t.Context())
	defer stop()
	producers := produce(writing, t, app)
	producers.awaitMore(t, 100)
	if status := run(t.Context(), []string{"close", "2026-01", "--yes", "--actor", "ann", "--reason", "month end", "--to",
		c.base}, terminal.Streams{In: strings.NewReader(""), Out: os.Stderr, Err: os.Stderr}); status != 0 {
		t.Fatalf("close: exit status %d", status)
	}
	answer := func(query string) string {
		t.Helper()
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := c.get(t.Context(), "/v1/reports/leakage", values, &text); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	const closed = "from=2026-01-01&to=2026-02-01&as_of=close:2026-01&group_by=store,element&currency=USD"
	was := answer(closed)
	producers.awaitMore(t, 50)
	stop()
	producers.Wait()
	sealedBy(t, c, "2026-01")
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	var before, all int64
	var closing domain.Mark
	app.Terms.Use(func(terms *domain.Terms) { closing, _ = terms.Periods.LastClose(2026 * 12) })
	for p, end := range closing.Ends {
		if p.Stream == domain.Redeliveries {
			before += end
		}
	}
	var now status
	if err := c.get(t.Context(), "/v1/status", nil, &now); err != nil {
		t.Fatal(err)
	}
	for _, topic := range now.Topics {
		if topic.Topic == "makegood.redeliveries" {
			all += topic.End
		}
	}
	if now.Events != uint64(all)+2 || before == 0 || before == all {
		t.Fatalf("%d before the close of %d in all, %d events", before, all, now.Events)
	}
	t.Logf("%d before the close of %d in all", before, all)
	if is := answer(closed); is != was {
		t.Errorf("the closed report changed:\n%s\n%s", was, is)
	}
	gross := func(n int64) string { return fmt.Sprintf(`"totals":{"gross":"%d.0000"`, n) }
	for query, want := range map[string]string{
		closed: gross(before),
		"from=2026-01-01&to=2026-02-01&period_by=posting&currency=USD":  gross(before),
		"from=2026-02-01&to=2026-03-01&period_by=posting&currency=USD":  gross(all - before),
		"from=2026-01-01&to=2026-02-01&period_by=occurred&currency=USD": gross(all),
	} {
		if got := answer(query); !strings.Contains(got, want) {
			t.Errorf("%s: %s, not %s", query, got, want)
		}
	}
	lateSince(t, c, all-before)
	closedForGood(t, app, c)
}

// closedForGood: closed is closed, and who did it is on record.
func closedForGood(t *testing.T, app *server.App, c *client) {
	t.Helper()
	if status := run(t.Context(), []string{"close", "2026-01", "--yes", "--to", c.base},
		terminal.Streams{In: strings.NewReader(""), Out: os.Stderr, Err: os.Stderr}); status == 0 {
		t.Error("a closed month could be closed again")
	}
	var payload string
	if err := app.Store.DB.QueryRow(t.Context(),
		`SELECT payload FROM ledger FINAL WHERE event_type = 'makegood.period.closed.v1'`).Scan(&payload); err != nil {
		t.Fatal(err)
	}
	if payload != `{"actor":"ann","period":"2026-01","reason":"month end"}` {
		t.Errorf("the close says %s", payload)
	}
	var p *problem
	if err := c.get(t.Context(), "/v1/reports/changes", url.Values{"since_close": {"2025-01"}}, nil); err == nil ||
		!errors.As(err, &p) || p.Status != http.StatusBadRequest {
		t.Errorf("changes since the close of an open month: %v", err)
	}
}

// lateSince: what came after the close is listed as later than it, and nothing else.
func lateSince(t *testing.T, c *client, late int64) {
	t.Helper()
	var changes report.Changes
	if err := c.get(t.Context(), "/v1/reports/changes", url.Values{"since_close": {"2026-01"}}, &changes); err != nil {
		t.Fatal(err)
	}
	if int64(len(changes.Changes)) != late {
		t.Errorf("%d changes listed of %d", len(changes.Changes), late)
	}
	for _, e := range changes.Changes {
		if !e.RecordedAt.After(changes.ClosedAt) || e.PostingPeriod != "2026-02" || e.OriginPeriod != "2026-01" ||
			e.Touches != "origin" {
			t.Fatalf("listed as late: %+v", e)
		}
	}
}

// producers are several who write.
type producers struct {
	sync.WaitGroup
	written atomic.Int64
}

// awaitMore waits until so many more are written.
func (p *producers) awaitMore(t *testing.T, n int64) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for n += p.written.Load(); p.written.Load() < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) || t.Failed() {
			t.Fatalf("%d are written, and never %d", p.written.Load(), n)
		}
	}
}

// produce writes refunds on every partition, by four producers whose clocks are years apart, until the context ends.
func produce(writing context.Context, t *testing.T, app *server.App) *producers {
	t.Helper()
	var producers producers
	for n := range 4 {
		producers.Go(func() {
			w := &kafkago.Writer{Addr: kafkago.TCP(app.Brokers...), Topic: "makegood.redeliveries", Balancer: &kafkago.Hash{},
				BatchTimeout: time.Millisecond, RequiredAcks: kafkago.RequireAll}
			defer func() { _ = w.Close() }()
			for i := 0; writing.Err() == nil; i++ {
				id := fmt.Sprintf("%d-%d", n, i)
				err := w.WriteMessages(writing, kafkago.Message{Key: []byte(id), Time: time.Now().AddDate(n-2, 0, 0),
					Headers: []kafkago.Header{{Key: "content-type", Value: []byte("application/cloudevents+json")}},
					Value: []byte(event(id, "refund.issued", "2026-01-15T00:00:00Z", id,
						fmt.Sprintf(`{"order_id":%q,"store_id":"s1","error_id":"e-%s","refund_id":"r","currency":"USD","net":1}`, id,
							id)))})
				if err != nil && writing.Err() == nil {
					t.Error(err)
					return
				}
				producers.written.Add(1)
				time.Sleep(2 * time.Millisecond) // others need the processor as well
			}
		})
	}
	return &producers
}
