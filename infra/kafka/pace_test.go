package kafka_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

// TestTopicsInStep: a backlog of two topics of several partitions, one of them sparse, comes about in the order in
// which it was written; an empty topic holds nobody up.
func TestTopicsInStep(t *testing.T) {
	fake := kafkatest.StartFake(t)
	cfg := testConfig(t, fake.Brokers())
	admin := newAdmin(t, cfg)
	for _, topic := range []string{"dense", "sparse", "empty"} {
		ensureTopic(t, admin, topic, 2)
	}
	pub := newPublisher(t, kafka.PublisherConfig{Config: cfg})
	const n, rare = 60_000, 10
	begin := time.UnixMilli(1767225600000)
	write := func(topic string, every, after int) {
		var all []*message.Message
		for i := 0; i < n; i += every {
			m := message.NewMessage("", []byte(strings.Repeat("x", 100)))
			m.SetContext(kafka.WithRecordTime(context.Background(), begin.Add(time.Duration(i+after)*time.Millisecond)))
			all = append(all, m)
		}
		must(t, pub.Publish(topic, all...))
	}
	write("sparse", rare, 1)
	write("dense", 1, 0)

	sub := newSubscriber(t, kafka.SubscriberConfig{Config: cfg, Group: "g", InStep: true})
	in, err := sub.SubscribeTopics(t.Context(), "dense", "sparse", "empty")
	must(t, err)
	ahead := time.Duration(0)
	slowest := map[string]time.Time{} // of each topic, about: two partitions take turns
	for range n + n/rare {
		m := receive(t, in)
		at, _ := kafka.PositionOf(m)
		slowest[at.Topic] = at.Time
		other := map[string]string{"dense": "sparse", "sparse": "dense"}[at.Topic]
		if behind, known := slowest[other]; known {
			ahead = max(ahead, at.Time.Sub(behind))
		}
		m.Ack()
	}
	// Each partition hands over some hundred records before it looks at the others.
	if most := 2 * 256 * 2 * rare * time.Millisecond; ahead > most {
		t.Errorf("one topic was %v ahead of the other, more than %v", ahead, most)
	}
}

// TestWhatWaitsIsntAtItsEnd: a partition of which the consumer holds all that it may still has records to hand over,
// though all of them were fetched; later ones of another don't go before them.
func TestWhatWaitsIsntAtItsEnd(t *testing.T) {
	fake := kafkatest.StartFake(t)
	cfg := testConfig(t, fake.Brokers())
	admin := newAdmin(t, cfg)
	pub := newPublisher(t, kafka.PublisherConfig{Config: cfg})
	begin := time.UnixMilli(1767225600000)
	write := func(topic string, at time.Duration) {
		all := numbered(0, 10)
		for _, m := range all {
			m.SetContext(kafka.WithRecordTime(context.Background(), begin.Add(at)))
		}
		must(t, pub.Publish(topic, all...))
	}
	ensureTopic(t, admin, "early", 1)
	ensureTopic(t, admin, "late", 1)
	write("early", 0)
	sub := newSubscriber(t, kafka.SubscriberConfig{Config: cfg, InStep: true, MaxInFlight: 2,
		FetchMaxWait: 20 * time.Millisecond})
	in, err := sub.SubscribeTopics(t.Context(), "early", "late")
	must(t, err)
	held := []*message.Message{receive(t, in), receive(t, in)}
	write("late", time.Hour)
	select {
	case m := <-in:
		at, _ := kafka.PositionOf(m)
		t.Errorf("%s %d came before what waits", at.Topic, at.Offset)
		m.Ack()
	case <-time.After(300 * time.Millisecond):
	}
	for _, m := range held {
		m.Ack()
	}
	for range 18 {
		receive(t, in).Ack()
	}
}
