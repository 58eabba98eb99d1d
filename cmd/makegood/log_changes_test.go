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

// changingLog is a log that others change while makegood reads it.
type changingLog struct {
	*testing.T
	ctx    context.Context
	fake   *kafkatest.Fake
	client *kgo.Client
	app    *server.App
	c      *client
}

// TestTheLogChangesUnderUs: partitions that books gets leave no rate out; a topic that is made again is never taken for
// the one that was read, neither while running nor at a start; a compacted topic is refused.
func TestTheLogChangesUnderUs(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	fake := kafkatest.StartFake(t)
	client, err := kgo.NewClient(kgo.SeedBrokers(fake.Brokers()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	app, c := startTestAppWith(t, t.TempDir(), func(c *server.Config) {
		c.Brokers, c.ClickHouse = fake.Brokers(), ""
	})
	l := &changingLog{t, ctx, fake, client, app, c}
	l.booksGrow()
	l.compactedWhileRunning()
	l.topicRemade()
	if err := app.Close(); err != nil {
		t.Error(err)
	}
	l.startsOnlyWhereAccepted()
	l.compactedIsRefused()
}

func (l *changingLog) post(body string) {
	l.Helper()
	if code, said := postBody(l.T, l.c, "application/cloudevents+json", body); code >= 300 {
		l.Fatal(said)
	}
}

// await waits until the status is as it should be.
func (l *changingLog) await(what string, is func(status) bool) {
	l.Helper()
	var now status
	for {
		if err := l.c.get(l.ctx, "/v1/status", nil, &now); err == nil && is(now) {
			return
		}
		if l.ctx.Err() != nil {
			l.Fatalf("never so: %s; the status is %+v", what, now)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func hasProblem(now status, kind string) bool {
	for _, p := range now.Problems {
		if p.Kind == kind {
			return true
		}
	}
	return false
}

// booksGrow: books gets partitions, and what a foreign producer writes to another than the first is a dead letter.
func (l *changingLog) booksGrow() {
	l.Helper()
	rate := func(n int) string {
		return event(fmt.Sprintf("rate-%d", n), "rate.set", "2026-01-01T00:00:00Z", "", fmt.Sprintf(
			`{"rate":"labour_hour","key":"role-%d","value":"30","currency":"USD","effective_from":"2026-01-01"}`, n))
	}
	l.post(rate(0))
	grow := kmsg.NewPtrCreatePartitionsRequest()
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = "makegood.books", 3
	grow.Topics, grow.TimeoutMillis = append(grow.Topics, topic), 5000
	if _, err := grow.RequestWith(l.ctx, l.client); err != nil {
		l.Fatal(err)
	}
	for n := 1; n < 9; n++ {
		l.post(rate(n))
	}
	elsewhere := &kgo.Record{Topic: "makegood.books", Partition: 1, Value: []byte(rate(9)),
		Headers: []kgo.RecordHeader{{Key: "content-type", Value: []byte("application/cloudevents+json")}}}
	if err := l.client.ProduceSync(l.ctx, elsewhere).FirstErr(); err != nil {
		l.Fatal(err)
	}
	l.await("what went elsewhere is a dead letter, and the status says why", func(now status) bool {
		return now.DeadLetters == 1 && hasProblem(now, "books_split") && now.Events == 9
	})
	var rates struct{ Rates []any }
	if err := l.c.get(l.ctx, "/v1/rates", nil, &rates); err != nil || len(rates.Rates) != 9 {
		l.Errorf("%d rates of 9 are in: %v", len(rates.Rates), err)
	}
}

// topicRemade: a topic is deleted and made again while it is read, and its records are not taken for those that come
// next.
func (l *changingLog) topicRemade() {
	l.Helper()
	for n := range 5 {
		l.post(event(fmt.Sprintf("p%d", n), "order.placed", "2026-01-10T09:00:00Z", fmt.Sprintf("o%d", n), fmt.Sprintf(
			`{"order_id":"o%d","store_id":"s1","currency":"USD","lines":[{"line_id":"1","sku":"M",`+
				`"quantity":1,"unit_price":"100","tax":"8","unit_cost":"60"}]}`, n)))
	}
	l.await("all is booked", func(now status) bool { return now.Events == 14 && now.CaughtUp })
	for _, do := range []error{l.fake.DeleteTopic("makegood.orders"), l.fake.CreateTopic("makegood.orders", 4, nil)} {
		if do != nil {
			l.Fatal(do)
		}
	}
	for n := range 40 {
		if err := l.client.ProduceSync(l.ctx, &kgo.Record{Topic: "makegood.orders", Partition: int32(n % 4),
			Value: []byte("{}")}).FirstErr(); err != nil {
			l.Fatal(err)
		}
	}
	l.await("the status says that the topic is another one", func(now status) bool {
		return !now.CaughtUp && hasProblem(now, "topic_remade")
	})
	answer, err := http.Get(l.app.URL + "/readyz")
	if err != nil {
		l.Fatal(err)
	}
	said, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil || answer.StatusCode != http.StatusServiceUnavailable {
		l.Errorf("readyz answers %d %s: %v", answer.StatusCode, said, err)
	}
}

// start starts makegood on the log, and ends it where that went well.
func (l *changingLog) start(accept ...string) error {
	again := l.app.Config
	again.AcceptTopics = accept
	a, err := server.Start(l.ctx, again, slog.New(slog.DiscardHandler), io.Discard)
	if err == nil {
		err = a.Close()
	}
	return err
}

// startsOnlyWhereAccepted: another topic of the name is taken only where somebody has accepted that very one.
func (l *changingLog) startsOnlyWhereAccepted() {
	l.Helper()
	if err := l.start(); err == nil || !strings.Contains(err.Error(), "--accept-topics makegood.orders=") {
		l.Errorf("a start with another topic says %v", err)
	}
	fresh, err := kafka.NewAdmin(kafka.Config{Brokers: l.fake.Brokers()})
	if err != nil {
		l.Fatal(err)
	}
	defer fresh.Close()
	ids, err := fresh.TopicIDs(l.ctx, "makegood.orders")
	if err != nil {
		l.Fatal(err)
	}
	if err := l.start("makegood.orders=" + ids["makegood.orders"].String()); err != nil {
		l.Errorf("a topic that was accepted is refused: %v", err)
	}
}

// compactedWhileRunning: a compacted topic loses records, booked or not. The status says so as long as it is compacted.
func (l *changingLog) compactedWhileRunning() {
	l.Helper()
	l.cleanUp("makegood.errors", "compact")
	l.await("the status says that a topic is compacted", func(now status) bool {
		return hasProblem(now, "topic_compacted")
	})
	l.cleanUp("makegood.errors", "delete")
	l.await("that is over", func(now status) bool { return !hasProblem(now, "topic_compacted") })
}

func (l *changingLog) compactedIsRefused() {
	l.Helper()
	l.cleanUp("makegood.errors", "compact")
	if err := l.start(); err == nil || !strings.Contains(err.Error(), "makegood.errors is compacted") {
		l.Errorf("a compacted topic is taken: %v", err)
	}
}

// cleanUp sets a topic's cleanup.policy: which records Kafka deletes.
func (l *changingLog) cleanUp(topic, policy string) {
	l.Helper()
	alter := kmsg.NewPtrIncrementalAlterConfigsRequest()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	setting := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	setting.Name, setting.Value = "cleanup.policy", kmsg.StringPtr(policy)
	resource.Configs = append(resource.Configs, setting)
	alter.Resources = append(alter.Resources, resource)
	if _, err := alter.RequestWith(l.ctx, l.client); err != nil {
		l.Fatal(err)
	}
}
