package kafka_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/infra/kafka"
)

// patience is how long a test waits for what must come; it is no measurement.
const patience = 30 * time.Second

func testConfig(t testing.TB, brokers []string) kafka.Config {
	return kafka.Config{Brokers: brokers, Logger: slog.New(slog.NewTextHandler(testWriter{t}, nil)),
		RequestTimeout: 5 * time.Second}
}

// testWriter logs where the test does.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(line []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(line)))
	return len(line), nil
}

func newPublisher(t testing.TB, cfg kafka.PublisherConfig) *kafka.Publisher {
	t.Helper()
	p, err := kafka.NewPublisher(cfg)
	must(t, err)
	t.Cleanup(func() { must(t, p.Close()) })
	return p
}

func newSubscriber(t testing.TB, cfg kafka.SubscriberConfig) *kafka.Subscriber {
	t.Helper()
	s, err := kafka.NewSubscriber(cfg)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func newAdmin(t testing.TB, cfg kafka.Config) *kafka.Admin {
	t.Helper()
	a, err := kafka.NewAdmin(cfg)
	must(t, err)
	t.Cleanup(func() { must(t, a.Close()) })
	return a
}

func ensureTopic(t testing.TB, a *kafka.Admin, topic string, partitions int) {
	t.Helper()
	_, err := a.EnsureTopics(context.Background(),
		[]kafka.TopicSpec{{Name: topic, Partitions: partitions, Replication: 1}})
	must(t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// numbered makes messages with payloads "from" … "to-1", keyed by payload.
func numbered(from, to int) []*message.Message {
	msgs := make([]*message.Message, 0, to-from)
	for i := from; i < to; i++ {
		m := message.NewMessage("", []byte(fmt.Sprint(i)))
		m.Metadata.Set(kafka.PartitionKey, fmt.Sprint(i))
		msgs = append(msgs, m)
	}
	return msgs
}

// receive takes one message or fails the test.
func receive(t testing.TB, in <-chan *message.Message) *message.Message {
	t.Helper()
	select {
	case m, ok := <-in:
		if !ok {
			t.Fatal("the channel is closed")
		}
		return m
	case <-time.After(patience):
		t.Fatal("no message came")
		return nil
	}
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("never so: %s", what)
}
