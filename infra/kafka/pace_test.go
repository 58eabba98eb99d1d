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
