//go:build realkafka

package main

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

// TestRealOpenTransaction: somebody's transaction stays open on Apache Kafka, in front of a refund that is
// acknowledged, and the month is closed meanwhile. Nothing says that all is booked; once the transaction is aborted,
// the refund is the closed month's, since it stood before the close, and what was aborted is nobody's.
func TestRealOpenTransaction(t *testing.T) {
	r := kafkatest.StartReal(t, kafkatest.Options{HeapMB: 512})
	dir := t.TempDir()
	app, c := startTestAppWith(t, dir, func(config *server.Config) {
		config.Brokers, config.Partitions = r.Brokers(), 1
		config.People.PeopleKey = filepath.Join(dir, "people.key")
	})
	for _, e := range append(goldenRates, goldenEvents[:2]...) {
		mustPost(t, c, e)
	}
	mustCatchUp(t, c)

	client, err := kgo.NewClient(kgo.SeedBrokers(r.Brokers()...), kgo.TransactionalID("somebody"),
		kgo.TransactionTimeout(10*time.Minute), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	aborted := event("aborted", "refund.issued", "2026-01-14T09:00:00Z", "o1",
		`{`+goldenCase+`,"refund_id":"never","currency":"USD","net":"99"}`)
	if err := errors.Join(client.BeginTransaction(), client.ProduceSync(t.Context(), &kgo.Record{
		Topic: "makegood.redeliveries", Value: []byte(aborted), Headers: []kgo.RecordHeader{
			{Key: "content-type", Value: []byte("application/cloudevents+json")}}}).FirstErr()); err != nil {
		t.Fatal(err)
	}
	mustPost(t, c, event("acknowledged", "refund.issued", "2026-01-15T09:00:00Z", "o1",
		`{`+goldenCase+`,"refund_id":"r9","currency":"USD","net":"10"}`))
	mustPost(t, c, event("close", "period.closed", "2026-02-02T09:00:00Z", "",
		`{"period":"2026-01","actor":"ann","reason":"month end"}`))
	var now status
	for closed := false; !closed; {
		if err := pause(t.Context(), 50*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		now = status{}
		if err := c.get(t.Context(), "/v1/status", nil, &now); err != nil {
			t.Fatal(err)
		}
		app.Terms.Use(func(terms *domain.Terms) { closed = terms.Periods.IsClosed(2026 * 12) })
	}
	behind := false
	for _, topic := range now.Topics {
		behind = behind || topic.Topic == "makegood.redeliveries" && topic.Booked < topic.End
	}
	if now.CaughtUp || !behind {
		t.Errorf("behind an open transaction all is said to be booked: %+v", now)
	}

	if err := client.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	mustCatchUp(t, c)
	refundsOn(t, app, "2026-01-15", "10")
	closesBehind(t, app, c, client)
}

// refundsOn holds what is refunded in all, and the last day that it is posted on, against what should be.
func refundsOn(t *testing.T, app *server.App, last, all string) {
	t.Helper()
	var day time.Time
	var net string
	if err := app.Store.DB.QueryRow(t.Context(), `SELECT max(posting_day), toString(sum(amount)) FROM leakage_daily FINAL
		WHERE element = 'REFUND'`).Scan(&day, &net); err != nil {
		t.Fatal(err)
	}
	if day.Format(time.DateOnly) != last || net != all {
		t.Errorf("refunds of %s are posted on %v", net, day)
	}
}

// closesBehind closes a month by the command behind an open transaction with a refund of that month: the command waits
// before it asks, so that nothing is closed without what may still come, and once the transaction is committed the
// refund is the closed month's.
func closesBehind(t *testing.T, app *server.App, c *client, producer *kgo.Client) {
	t.Helper()
	committed := event("committed", "refund.issued", "2026-02-14T09:00:00Z", "o1",
		`{`+goldenCase+`,"refund_id":"r10","currency":"USD","net":"7"}`)
	if err := errors.Join(producer.BeginTransaction(), producer.ProduceSync(t.Context(), &kgo.Record{
		Topic: "makegood.redeliveries", Value: []byte(committed), Headers: []kgo.RecordHeader{
			{Key: "content-type", Value: []byte("application/cloudevents+json")}}}).FirstErr()); err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(t.Context(), []string{"close", "2026-02", "--yes", "--actor", "ann", "--reason", "month end", "--to",
			c.base}, terminal.Streams{In: strings.NewReader(""), Out: &out, Err: &said})
	}()
	select {
	case code := <-ended:
		t.Fatalf("behind an open transaction the command ended with %d\n%s%s", code, &out, &said)
	case <-time.After(3 * time.Second):
	}
	if state, err := c.period(t.Context(), 2026*12+1); err != nil || state.Closed {
		t.Errorf("behind an open transaction the month was closed: %+v %v", state, err)
	}
	if err := producer.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	if code := <-ended; code != 0 || !strings.Contains(out.String(), "2026-02 closed by ann") ||
		!strings.Contains(said.String(), " not booked yet: waiting") {
		t.Errorf("the command ended with %d\n%s%s", code, &out, &said)
	}
	refundsOn(t, app, "2026-02-14", "17") // with January's
}
