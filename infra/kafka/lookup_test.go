package kafka_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

func TestRecordIsReadBackByItsPlace(t *testing.T) {
	ctx := context.Background()
	cfg := testConfig(t, kafkatest.StartFake(t).Brokers())
	admin := newAdmin(t, cfg)
	ensureTopic(t, admin, "things", 1)
	pub := newPublisher(t, kafka.PublisherConfig{Config: cfg})
	must(t, pub.Publish("things", numbered(0, 100)...))
	must(t, pub.Publish("things", numbered(100, 103)...))
	for _, offset := range []int64{0, 1, 57, 99, 100, 102} {
		r, ok, err := admin.Record(ctx, kafka.TopicPartition{Topic: "things"}, offset)
		must(t, err)
		if want := fmt.Sprint(offset); !ok || string(r.Value) != want || string(r.Key) != want || r.Offset != offset ||
			r.Time.IsZero() {
			t.Errorf("at %d: %v %+v", offset, ok, r)
		}
	}
	for _, offset := range []int64{-1, 103, 1000} {
		if r, ok, err := admin.Record(ctx, kafka.TopicPartition{Topic: "things"}, offset); ok || err != nil {
			t.Errorf("at %d, where nothing is: %v %v %v", offset, r, ok, err)
		}
	}
	for _, tp := range []kafka.TopicPartition{{Topic: "things", Partition: 7}, {Topic: "things", Partition: -1},
		{Topic: "no-such-topic"}} {
		if r, ok, err := admin.Record(ctx, tp, 0); ok || err != nil {
			t.Errorf("%v, which isn't there: %v %v %v", tp, r, ok, err)
		}
	}
}
