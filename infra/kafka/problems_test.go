package kafka_test

import (
	"context"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/makegood/makegood/infra/kafka"
)

// problems collects what a subscription tells.
type problems struct {
	mu   sync.Mutex
	list []kafka.Problem
}

func newProblems() *problems { return &problems{} }

func (p *problems) add(one kafka.Problem) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, one)
}

func (p *problems) find(kind kafka.Kind) (kafka.Problem, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.list {
		if one.Kind == kind {
			return one, true
		}
	}
	return kafka.Problem{}, false
}

func (p *problems) must(t testing.TB, kind kafka.Kind) kafka.Problem {
	t.Helper()
	eventually(t, string(kind)+" is told", func() bool { _, ok := p.find(kind); return ok })
	one, _ := p.find(kind)
	return one
}

func TestLostRecordsAreTold(t *testing.T) {
	o := newOne(t, 1)
	must(t, o.pub.Publish("things", numbered(0, 10)...))
	sub := newSubscriber(t, o.quick())
	in := subscribe(t, sub)
	for range 10 {
		receive(t, in).Ack()
	}
	must(t, sub.Close())
	must(t, o.pub.Publish("things", numbered(10, 30)...))
	must(t, o.fake.DeleteRecords("things", 0, 20))

	told := newProblems()
	cfg := o.quick()
	cfg.Problems = told.add
	in = subscribe(t, newSubscriber(t, cfg))
	m := receive(t, in)
	if got := offsetOf(m); got != 20 {
		t.Fatalf("went on at %d", got)
	}
	p := told.must(t, kafka.RecordsLost)
	if p.From != 10 || p.To != 20 || p.Topic != "things" || p.Partition != 0 || p.Group != "g" {
		t.Fatalf("told %+v", p)
	}
	m.Ack()
	eventually(t, "21 is committed", func() bool { return o.committed(t) == 21 })
}

func TestATruncatedLogIsToldAndReadAgain(t *testing.T) {
	o := newOne(t, 1)
	must(t, o.pub.Publish("things", numbered(0, 10)...))
	told := newProblems()
	cfg := o.quick()
	cfg.Problems = told.add
	in := subscribe(t, newSubscriber(t, cfg))
	for range 10 {
		receive(t, in).Ack()
	}
	// The topic is made again so quickly that nothing but its offsets tells.
	must(t, o.fake.DeleteTopic("things"))
	must(t, o.fake.CreateTopic("things", 1, nil))
	must(t, o.pub.Publish("things", numbered(100, 103)...))
	for want := range int64(3) {
		m := receive(t, in)
		if offsetOf(m) != want {
			t.Fatalf("offset %d came, not %d", offsetOf(m), want)
		}
		m.Ack()
	}
	if _, changed := told.find(kafka.PartitionsChanged); !changed {
		told.must(t, kafka.LogTruncated)
	}
	eventually(t, "3 is committed", func() bool { return o.committed(t) == 3 })
}

func TestNewPartitionsAreNoticedAndRead(t *testing.T) {
	for _, group := range []string{"g", ""} {
		t.Run("group "+group, func(t *testing.T) {
			o := newOne(t, 1)
			told := newProblems()
			cfg := o.quick()
			cfg.Problems, cfg.Group = told.add, group
			in := subscribe(t, newSubscriber(t, cfg))
			must(t, o.pub.Publish("things", numbered(0, 1)...))
			receive(t, in).Ack()

			client, err := kgo.NewClient(kgo.SeedBrokers(o.fake.Brokers()...))
			must(t, err)
			defer client.Close()
			req := kmsg.NewPtrCreatePartitionsRequest()
			topic := kmsg.NewCreatePartitionsRequestTopic()
			topic.Topic, topic.Count = "things", 3
			req.Topics = append(req.Topics, topic)
			req.TimeoutMillis = 5000
			_, err = req.RequestWith(context.Background(), client)
			must(t, err)
			told.must(t, kafka.PartitionsChanged)

			// Another publisher: the first may take a while to learn of it.
			must(t, newPublisher(t, kafka.PublisherConfig{Config: o.cfg}).Publish("things", numbered(0, 100)...))
			seen := map[int]int{}
			for n := 0; n < 100; {
				m := receive(t, in)
				pos, _ := kafka.PositionOf(m)
				if pos.Partition != 0 || pos.Offset > 0 {
					n++
				}
				seen[pos.Partition]++
				m.Ack()
			}
			if len(seen) != 3 {
				t.Fatalf("messages came from partitions %v", seen)
			}
		})
	}
}

func TestATopicThatComesLaterIsRead(t *testing.T) {
	o := newOne(t, 1)
	in, err := newSubscriber(t, o.quick()).Subscribe(context.Background(), "later")
	must(t, err)
	ensureTopic(t, o.admin, "later", 2)
	must(t, o.pub.Publish("later", numbered(0, 20)...))
	for range 20 {
		receive(t, in).Ack()
	}
}

// TestStandingStill: a partition that can't be read is named, with its offset and why, until it can be read again.
func TestStandingStill(t *testing.T) {
	o := newOne(t, 1)
	must(t, o.pub.Publish("things", numbered(0, 3)...))
	sub := newSubscriber(t, o.quick())
	in := subscribe(t, sub)
	for range 3 {
		receive(t, in).Ack()
	}
	if still := sub.StandingStill(); len(still) != 0 {
		t.Fatalf("%v", still)
	}
	o.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.KafkaStorageError, Count: 6})
	eventually(t, "it stands still", func() bool { return len(sub.StandingStill()) == 1 })
	p := sub.StandingStill()[0]
	if p.Topic != "things" || p.Partition != 0 || p.From != 3 || p.Kind != kafka.FetchFailing || p.Err == nil {
		t.Errorf("%+v", p)
	}
	eventually(t, "it moves again", func() bool { return len(sub.StandingStill()) == 0 })
	must(t, o.pub.Publish("things", numbered(3, 4)...))
	receive(t, in).Ack()
}
