package kafka_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

// all reads the payloads of a topic's partitions, by offset.
func all(t testing.TB, cfg kafka.Config, topic string, partitions int) [][]string {
	t.Helper()
	read := make([][]string, partitions)
	for p := range partitions {
		tail, err := kafka.NewTail(kafka.TailConfig{Config: cfg, Topic: topic, Partition: p})
		must(t, err)
		end, err := tail.End(context.Background())
		must(t, err)
		must(t, tail.ReadTo(context.Background(), end, func(r kafka.Record) error {
			read[p] = append(read[p], string(r.Value))
			return nil
		}))
		must(t, tail.Close())
	}
	return read
}

func TestPublishTellsWhichMessagesFailed(t *testing.T) {
	o := newOne(t, 1)
	must(t, o.fake.CreateTopic("small", 2, map[string]string{"max.message.bytes": "3000"}))
	msgs := numbered(0, 20)
	tooLarge := []int{3, 4, 17}
	for _, i := range tooLarge {
		msgs[i].Payload = make([]byte, 5000)
	}
	msgs[9].Payload = make([]byte, 2_000_000) // more than the publisher's own bound
	err := o.pub.Publish("small", msgs...)
	var failed *kafka.PublishError
	if !errors.As(err, &failed) {
		t.Fatalf("%v is no PublishError", err)
	}
	if got, want := failed.Indexes(), []int{3, 4, 9, 17}; !slices.Equal(got, want) || failed.Total != 20 {
		t.Fatalf("failed %v of %d, not %v", got, failed.Total, want)
	}
	if !errors.Is(err, kafkago.MessageSizeTooLarge) {
		t.Fatalf("the error doesn't say that they are too large: %v", err)
	}
	var there []string
	for _, values := range all(t, o.cfg, "small", 2) {
		there = append(there, values...)
	}
	if len(there) != 16 {
		t.Fatalf("%d messages are in the log: %v", len(there), there)
	}
}

func TestARecordThatTheBrokerNamesFailsAlone(t *testing.T) {
	o := newOne(t, 1)
	o.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		res := req.ResponseKind().(*kmsg.ProduceResponse)
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic = "things"
		p := kmsg.NewProduceResponseTopicPartition()
		p.ErrorCode = kerr.InvalidRecord.Code
		bad := kmsg.NewProduceResponseTopicPartitionErrorRecord()
		bad.RelativeOffset, bad.ErrorMessage = 2, kmsg.StringPtr("its time is not of this world")
		p.ErrorRecords = append(p.ErrorRecords, bad)
		topic.Partitions = append(topic.Partitions, p)
		res.Topics = append(res.Topics, topic)
		return res, nil, true
	})
	err := o.pub.Publish("things", numbered(0, 5)...)
	var failed *kafka.PublishError
	if !errors.As(err, &failed) || !slices.Equal(failed.Indexes(), []int{2}) {
		t.Fatalf("failed: %v", err)
	}
	if got, want := all(t, o.cfg, "things", 1)[0], []string{"0", "1", "3", "4"}; !slices.Equal(got, want) {
		t.Fatalf("the log has %v", got)
	}
}

// TestPublishSubstitutes: what can't ever be written has another in its place, once; what may pass has none.
func TestPublishSubstitutes(t *testing.T) {
	o := newOne(t, 1)
	asked := 0
	pub := newPublisher(t, kafka.PublisherConfig{Config: o.cfg, MaxBatchBytes: 2048,
		PublishTimeout: 2 * time.Second,
		Substitute: func(topic string, m *message.Message) *message.Message {
			asked++
			switch len(m.Payload) {
			case 3000:
				return message.NewMessage("", []byte(topic+": "+fmt.Sprint(len(m.Payload))))
			case 4000:
				return message.NewMessage("", m.Payload) // no smaller
			}
			return nil
		}})
	of := func(n int) *message.Message { return message.NewMessage("", bytes.Repeat([]byte("x"), n)) }
	must(t, pub.Publish("things", of(1), of(3000), of(2)))
	err := pub.Publish("things", of(4000), of(3000), of(5000), of(3))
	var failed *kafka.PublishError
	if !errors.As(err, &failed) || !slices.Equal(failed.Indexes(), []int{0, 2}) ||
		!errors.Is(err, kafkago.MessageSizeTooLarge) {
		t.Errorf("failed: %v", err)
	}
	want := []string{"x", "xx", "things: 3000", "xxx", "things: 3000"}
	if got := all(t, o.cfg, "things", 1)[0]; !slices.Equal(got, want) {
		t.Errorf("the log has %q", got)
	}
	before := asked
	o.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
	if err := pub.Publish("things", of(1)); !errors.Is(err, kafkago.NotEnoughReplicas) || asked != before {
		t.Errorf("%v; asked %d times", err, asked-before)
	}
}

// TestEndsAreAcknowledged: behind a transaction that is open, Ends counts what is acknowledged and can't be read yet.
func TestEndsAreAcknowledged(t *testing.T) {
	o := newOne(t, 1)
	must(t, o.pub.Publish("things", numbered(0, 3)...))
	client, err := kgo.NewClient(kgo.SeedBrokers(o.cfg.Brokers...), kgo.TransactionalID("theirs"),
		kgo.DefaultProduceTopic("things"))
	must(t, err)
	defer client.Close()
	must(t, client.BeginTransaction())
	must(t, client.ProduceSync(t.Context(), kgo.StringRecord("open")).FirstErr())
	must(t, o.pub.Publish("things", numbered(3, 5)...))
	admin := newAdmin(t, o.cfg)
	ends, err := admin.Ends(t.Context(), "things")
	must(t, err)
	if got := ends[kafka.TopicPartition{Topic: "things"}]; got != 6 {
		t.Errorf("the end is %d, want 6", got)
	}
	must(t, client.EndTransaction(t.Context(), kgo.TryCommit))
	if got := all(t, o.cfg, "things", 1)[0]; len(got) != 6 {
		t.Errorf("the log has %q", got)
	}
}

func TestPublishRetriesWhatMayPass(t *testing.T) {
	for _, e := range []*kerr.Error{kerr.NotLeaderForPartition, kerr.NotEnoughReplicas, kerr.LeaderNotAvailable,
		kerr.KafkaStorageError} {
		t.Run(e.Message, func(t *testing.T) {
			o := newOne(t, 2)
			fault := o.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: e, Count: 3})
			must(t, o.pub.Publish("things", numbered(0, 10)...))
			if fault.Hits() != 3 {
				t.Fatalf("%d faults were met", fault.Hits())
			}
			n := 0
			for _, values := range all(t, o.cfg, "things", 2) {
				n += len(values)
			}
			if n != 10 {
				t.Fatalf("%d messages are in the log", n)
			}
		})
	}
}

func TestPublishGivesUpWhenItsTimeIsOver(t *testing.T) {
	o := newOne(t, 1)
	o.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
	pub := newPublisher(t, kafka.PublisherConfig{Config: o.cfg, PublishTimeout: time.Second})
	err := pub.Publish("things", numbered(0, 3)...)
	var failed *kafka.PublishError
	if !errors.As(err, &failed) || len(failed.Failed) != 3 {
		t.Fatalf("failed: %v", err)
	}
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, kafkago.NotEnoughReplicas) {
		t.Fatalf("the error says neither that time is over nor why: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err = pub.Publish("things", message.NewMessageWithContext(ctx, "", nil))
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("a cancelled context gave %v", err)
	}
}

func TestPublishToNowhereFails(t *testing.T) {
	o := newOne(t, 1)
	pub := newPublisher(t, kafka.PublisherConfig{Config: o.cfg, PublishTimeout: time.Second})
	if err := pub.Publish("no-such-topic", numbered(0, 1)...); !errors.Is(err, kafkago.UnknownTopicOrPartition) {
		t.Fatalf("gave %v", err)
	}
	if err := pub.Publish("things"); err != nil {
		t.Fatalf("nothing to publish gave %v", err)
	}
	must(t, pub.Close())
	if err := pub.Publish("things", numbered(0, 1)...); !errors.Is(err, kafka.ErrClosed) {
		t.Fatalf("a closed publisher gave %v", err)
	}
}

// However leaders move, what was acknowledged is there, and what one caller
// published one after the other is in order.
func TestLeadersMoveWhileWriting(t *testing.T) {
	o := newOne(t, 3, kfake.NumBrokers(3))
	stop := make(chan struct{})
	var moving, writing sync.WaitGroup
	moving.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
				must(t, o.fake.MoveTopicPartition("things", int32(i%3), int32(i/3%3)))
			}
		}
	})
	const writers, each = 4, 500
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				m := message.NewMessage("", fmt.Appendf(nil, "%d-%d", w, i))
				m.Metadata.Set(kafka.PartitionKey, fmt.Sprint(w))
				if err := o.pub.Publish("things", m); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writing.Wait()
	close(stop)
	moving.Wait()
	next := map[int]int{}
	for _, values := range all(t, o.cfg, "things", 3) {
		for _, v := range values {
			var w, i int
			_, err := fmt.Sscanf(v, "%d-%d", &w, &i)
			must(t, err)
			if i > next[w] {
				t.Fatalf("writer %d: %d came when %d was due", w, i, next[w])
			}
			if i == next[w] { // a retry may have doubled others
				next[w]++
			}
		}
	}
	for w := range writers {
		if next[w] != each {
			t.Fatalf("writer %d: only %d of %d are there", w, next[w], each)
		}
	}
}

func TestManyMessagesAndManyCallersShareRequests(t *testing.T) {
	o := newOne(t, 4)
	must(t, o.pub.Publish("things", numbered(0, 1)...))
	var requests atomic.Int64
	o.fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		requests.Add(1)
		return nil, nil, false
	})
	must(t, o.pub.Publish("things", numbered(0, 1000)...))
	if n := requests.Load(); n != 1 {
		t.Fatalf("one call made %d requests of one broker", n)
	}
	// Each request takes its time; whoever comes meanwhile shares the next.
	o.fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		o.fake.SleepControl(func() { time.Sleep(5 * time.Millisecond) })
		return nil, nil, false
	})
	requests.Store(0)
	var writing sync.WaitGroup
	for i := range 200 {
		writing.Go(func() {
			if err := o.pub.Publish("things", numbered(i, i+1)...); err != nil {
				t.Error(err)
			}
		})
	}
	writing.Wait()
	if n := requests.Load(); n > 50 {
		t.Fatalf("200 callers at once made %d requests", n)
	}
}

func TestOneBrokerThatStandsStillDoesntStopTheOthers(t *testing.T) {
	o := newOne(t, 2, kfake.NumBrokers(2))
	must(t, o.fake.MoveTopicPartition("things", 0, 0))
	must(t, o.fake.MoveTopicPartition("things", 1, 1))
	wake := make(chan struct{})
	o.fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		o.fake.KeepControl()
		if o.fake.CurrentNode() == 0 {
			o.fake.SleepControl(func() { <-wake })
		}
		return nil, nil, false
	})
	keyFor := func(partition int) *message.Message {
		for i := 0; ; i++ {
			m := message.NewMessage("", []byte("x"))
			m.Metadata.Set(kafka.PartitionKey, fmt.Sprint(i))
			if kafka.PartitionOf(fmt.Sprint(i), 2) == partition {
				return m
			}
		}
	}
	slow := make(chan error, 1)
	go func() { slow <- o.pub.Publish("things", keyFor(0)) }()
	for range 20 {
		must(t, o.pub.Publish("things", keyFor(1)))
	}
	close(wake)
	must(t, <-slow)
}

func TestSecurityOnTheFake(t *testing.T) {
	certs, err := kafkatest.NewCertificates()
	must(t, err)
	server, err := kafka.TLSFromPEM(nil, certs.ServerCert, certs.ServerKey, "")
	must(t, err)
	trust, err := kafka.TLSFromPEM(certs.CA, nil, nil, "")
	must(t, err)
	var opts []kfake.Opt
	opts = append(opts, kfake.TLS(server), kfake.EnableSASL())
	mechanisms := []string{kafka.SASLPlain, kafka.SASLScramSHA256, kafka.SASLScramSHA512}
	for _, m := range mechanisms {
		opts = append(opts, kfake.Superuser(m, "user", "pass"))
	}
	fake := kafkatest.StartFake(t, opts...)
	for _, m := range mechanisms {
		t.Run(m, func(t *testing.T) {
			cfg := testConfig(t, fake.Brokers())
			cfg.TLS, cfg.SASL = trust, kafka.SASL{Mechanism: m, Username: "user", Password: "pass"}
			roundTrip(t, cfg, "topic-"+m)
			cfg.SASL.Password = "wrong"
			admin := newAdmin(t, cfg)
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := admin.Ping(ctx); err == nil {
				t.Fatal("a wrong password was good enough")
			}
		})
	}
}

// roundTrip writes and reads some messages.
func roundTrip(t testing.TB, cfg kafka.Config, topic string) {
	t.Helper()
	ensureTopic(t, newAdmin(t, cfg), topic, 2)
	must(t, newPublisher(t, kafka.PublisherConfig{Config: cfg}).Publish(topic, numbered(0, 100)...))
	sub := newSubscriber(t, kafka.SubscriberConfig{Config: cfg, Group: "g-" + topic})
	in, err := sub.Subscribe(context.Background(), topic)
	must(t, err)
	for range 100 {
		receive(t, in).Ack()
	}
	must(t, sub.Close())
}
