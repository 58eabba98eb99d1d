package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

func TestWhatIsPublishedIsReceived(t *testing.T) {
	fake := kafkatest.StartFake(t)
	cfg := testConfig(t, fake.Brokers())
	admin := newAdmin(t, cfg)
	ensureTopic(t, admin, "things", 3)
	pub := newPublisher(t, kafka.PublisherConfig{Config: cfg})
	sub := newSubscriber(t, kafka.SubscriberConfig{Config: cfg, Group: "g"})

	at := time.UnixMilli(1767225600123)
	m := message.NewMessageWithContext(kafka.WithRecordTime(context.Background(), at), "uuid-1", []byte("payload"))
	m.Metadata.Set(kafka.PartitionKey, "order-1")
	m.Metadata.Set("ce_type", "makegood.order.placed.v1")
	must(t, pub.Publish("things", m))

	in, err := sub.Subscribe(context.Background(), "things")
	must(t, err)
	got := receive(t, in)
	if got.UUID != "uuid-1" || string(got.Payload) != "payload" || len(got.Metadata) != 1 ||
		got.Metadata["ce_type"] != "makegood.order.placed.v1" {
		t.Fatalf("received %q %q %v", got.UUID, got.Payload, got.Metadata)
	}
	pos, ok := kafka.PositionOf(got)
	if !ok || pos.Topic != "things" || pos.Offset != 0 || !pos.Time.Equal(at) || pos.LogTime {
		t.Fatalf("position %+v, %v", pos, ok)
	}
	if key, _ := kafka.KeyOf(got); string(key) != "order-1" {
		t.Fatalf("key %q", key)
	}
	rec, _ := kafka.RecordOf(got)
	if len(rec.Headers) != 2 || string(rec.Value) != "payload" {
		t.Fatalf("record %+v", rec)
	}
	got.Ack()
	must(t, sub.Close())
	committed, err := admin.Committed(context.Background(), "g", "things")
	must(t, err)
	if len(committed) != 1 || committed[kafka.TopicPartition{Topic: "things", Partition: pos.Partition}] != 1 {
		t.Fatalf("committed %v", committed)
	}
}

func TestManyMessagesAreOneWriteAndComeInOrder(t *testing.T) {
	fake := kafkatest.StartFake(t)
	cfg := testConfig(t, fake.Brokers())
	ensureTopic(t, newAdmin(t, cfg), "things", 4)
	pub := newPublisher(t, kafka.PublisherConfig{Config: cfg})
	sub := newSubscriber(t, kafka.SubscriberConfig{Config: cfg, Group: "g"})
	const n = 10_000
	must(t, pub.Publish("things", numbered(0, n)...))

	in, err := sub.Subscribe(context.Background(), "things")
	must(t, err)
	last := map[int]int64{}
	for range n {
		m := receive(t, in)
		pos, _ := kafka.PositionOf(m)
		if want := last[pos.Partition]; pos.Offset != want {
			t.Fatalf("%v came when offset %d was due", pos, want)
		}
		last[pos.Partition]++
		m.Ack()
	}
	if len(last) != 4 {
		t.Fatalf("only partitions %v were used", last)
	}
}

// TestGroupThatNeverWasHasCommittedNothing: a broker that says so isn't one that can't answer.
func TestGroupThatNeverWasHasCommittedNothing(t *testing.T) {
	cfg := testConfig(t, kafkatest.StartFake(t).Brokers())
	admin := newAdmin(t, cfg)
	ensureTopic(t, admin, "things", 2)
	committed, err := admin.Committed(context.Background(), "nobody", "things")
	if err != nil || len(committed) != 0 {
		t.Fatalf("committed %v: %v", committed, err)
	}
}
