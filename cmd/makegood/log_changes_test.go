package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

// TestTheLogChangesUnderUs: partitions that books gets leave no rate out; a topic that is made anew is never taken for
// the one that was read, neither while running nor at a start; a compacted topic is refused.
func TestTheLogChangesUnderUs(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	fake := kafkatest.StartFake(t)
	client, err := kgo.NewClient(kgo.SeedBrokers(fake.Brokers()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	dir := t.TempDir()
	config := func(c *server.Config) { c.Brokers = fake.Brokers() }
	app, c := startTestAppWith(t, dir, config)
	rate := func(n int) string {
		return event(fmt.Sprintf("rate-%d", n), "rate.set", "2026-01-01T00:00:00Z", "", fmt.Sprintf(
			`{"rate":"labour_hour","key":"role-%d","value":"30","currency":"USD","effective_from":"2026-01-01"}`, n))
	}
	post := func(body string) {
		t.Helper()
		if code, said := postBody(t, c, "application/cloudevents+json", body); code >= 300 {
			t.Fatal(said)
		}
	}
	post(rate(0))

	grow := kmsg.NewPtrCreatePartitionsRequest()
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = "makegood.books", 3
	grow.Topics, grow.TimeoutMillis = append(grow.Topics, topic), 5000
	if _, err := grow.RequestWith(ctx, client); err != nil {
		t.Fatal(err)
	}
	for n := 1; n < 9; n++ {
		post(rate(n))
	}
	elsewhere := &kgo.Record{Topic: "makegood.books", Partition: 1, Value: []byte(rate(9)),
		Headers: []kgo.RecordHeader{{Key: "content-type", Value: []byte("application/cloudevents+json")}}}
	if err := client.ProduceSync(ctx, elsewhere).FirstErr(); err != nil {
		t.Fatal(err)
	}
	await := func(what string, is func(status) bool) {
		t.Helper()
		var now status
		for {
			if err := c.get(ctx, "/v1/status", nil, &now); err == nil && is(now) {
				return
			}
			if ctx.Err() != nil {
				t.Fatalf("never so: %s; the status is %+v", what, now)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	has := func(now status, kind string) bool {
		for _, p := range now.Problems {
			if p.Kind == kind {
				return true
			}
		}
		return false
	}
	await("what went elsewhere is a dead letter, and the status says why", func(now status) bool {
		return now.DeadLetters == 1 && has(now, "books_split") && now.Events == 9
	})
	var rates struct{ Rates []any }
	if err := c.get(ctx, "/v1/rates", nil, &rates); err != nil || len(rates.Rates) != 9 {
		t.Errorf("%d rates of 9 are in: %v", len(rates.Rates), err)
	}

	for n := range 5 {
		post(event(fmt.Sprintf("p%d", n), "order.placed", "2026-01-10T09:00:00Z", fmt.Sprintf("o%d", n), fmt.Sprintf(
			`{"order_id":"o%d","store_id":"s1","currency":"USD","lines":[{"line_id":"1","sku":"M",`+
				`"quantity":1,"unit_price":"100","tax":"8","unit_cost":"60"}]}`, n)))
	}
	await("all is booked", func(now status) bool { return now.Events == 14 && now.CaughtUp })
	for _, do := range []error{fake.DeleteTopic("makegood.orders"), fake.CreateTopic("makegood.orders", 4, nil)} {
		if do != nil {
			t.Fatal(do)
		}
	}
	for n := range 40 {
		if err := client.ProduceSync(ctx, &kgo.Record{Topic: "makegood.orders", Partition: int32(n % 4),
			Value: []byte("{}")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	await("the status says that the topic is another one", func(now status) bool {
		return !now.CaughtUp &&
			has(now, "topic_remade")
	})
	answer, err := http.Get(app.URL + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil || answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("readyz answers %d %s: %v", answer.StatusCode, said, err)
	}
	if err := app.Close(); err != nil {
		t.Error(err)
	}
	start := func(accept ...string) error {
		again := app.Config
		again.AcceptTopics = accept
		a, err := server.Start(ctx, again, slog.New(slog.DiscardHandler), io.Discard)
		if err == nil {
			err = a.Close()
		}
		return err
	}
	if err := start(); err == nil || !strings.Contains(err.Error(), "--accept-topics makegood.orders=") {
		t.Errorf("a start with another topic says %v", err)
	}
	fresh, err := kafka.NewAdmin(kafka.Config{Brokers: fake.Brokers()})
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	ids, err := fresh.TopicIDs(ctx, "makegood.orders")
	if err != nil {
		t.Fatal(err)
	}
	if err := start("makegood.orders=" + ids["makegood.orders"].String()); err != nil {
		t.Errorf("a topic that was accepted is refused: %v", err)
	}

	alter := kmsg.NewPtrIncrementalAlterConfigsRequest()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, "makegood.errors"
	compact := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	compact.Name, compact.Value = "cleanup.policy", kmsg.StringPtr("compact")
	resource.Configs = append(resource.Configs, compact)
	alter.Resources = append(alter.Resources, resource)
	if _, err := alter.RequestWith(ctx, client); err != nil {
		t.Fatal(err)
	}
	if err := start(); err == nil || !strings.Contains(err.Error(), "makegood.errors is compacted") {
		t.Errorf("a compacted topic is taken: %v", err)
	}
}
