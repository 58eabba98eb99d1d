//go:build realkafka

package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

// TestRealTopicMadeAnew: Apache Kafka deletes a topic and makes another one of the same name, which is longer than the
// old one was by the time that we look. Nothing of it is read, written or committed.
func TestRealTopicMadeAnew(t *testing.T) {
	r := kafkatest.StartReal(t, kafkatest.Options{HeapMB: 512})
	cfg := testConfig(t, r.Brokers())
	admin := newAdmin(t, cfg)
	ensureTopic(t, admin, "things", 1)
	old := newPublisher(t, kafka.PublisherConfig{Config: cfg, PublishTimeout: 5 * time.Second})
	must(t, old.Publish("things", numbered(0, 40)...))
	sub := newSubscriber(t, kafka.SubscriberConfig{Config: cfg, Group: "g", CommitInterval: 50 * time.Millisecond})
	in := subscribe(t, sub)
	for range 40 {
		receive(t, in).Ack()
	}
	before, err := admin.TopicIDs(context.Background(), "things")
	must(t, err)
	if before["things"] == (kafka.TopicID{}) {
		t.Fatal("the topic has no id")
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(r.Brokers()...))
	must(t, err)
	defer client.Close()
	req := kmsg.NewPtrDeleteTopicsRequest()
	topic := kmsg.NewDeleteTopicsRequestTopic()
	topic.Topic = kmsg.StringPtr("things")
	req.Topics, req.TopicNames, req.TimeoutMillis = append(req.Topics, topic), []string{"things"}, 5000
	res, err := req.RequestWith(context.Background(), client)
	must(t, err)
	must(t, kerr.ErrorForCode(res.Topics[0].ErrorCode))
	fresh := newAdmin(t, cfg) // which has never seen the old one
	eventually(t, "it can be made again", func() bool {
		_, err := fresh.EnsureTopics(context.Background(), []kafka.TopicSpec{{Name: "things", Partitions: 1, Replication: 1}})
		if err != nil {
			return false
		}
		now, err := fresh.TopicIDs(context.Background(), "things")
		return err == nil && now["things"] != before["things"]
	})
	other := newPublisher(t, kafka.PublisherConfig{Config: cfg})
	must(t, other.Publish("things", numbered(100, 180)...))

	eventually(t, "it stands still", func() bool {
		still := sub.StandingStill()
		return len(still) == 1 && still[0].Kind == kafka.TopicRemade
	})
	select {
	case m := <-in:
		t.Errorf("offset %d of the other topic was handed over", offsetOf(m))
	case <-time.After(time.Second):
	}
	if _, err := admin.Ends(context.Background(), "things"); err == nil {
		t.Error("the end of the other topic is taken for that of the one that was")
	}
}
