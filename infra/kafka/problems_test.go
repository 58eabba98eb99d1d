package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
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

// TestATopicMadeAnewStandsStill: another topic under the same name is not read, however many records it has by the time
// that we look, nor is it written to; and nobody is told that all is read.
func TestATopicMadeAnewStandsStill(t *testing.T) {
	for _, records := range []int{3, 25} {
		t.Run(fmt.Sprintf("with %d records", records), func(t *testing.T) {
			o := newOne(t, 1)
			must(t, o.pub.Publish("things", numbered(0, 10)...))
			told := newProblems()
			cfg := o.quick()
			cfg.Problems = told.add
			sub := newSubscriber(t, cfg)
			in := subscribe(t, sub)
			for range 10 {
				receive(t, in).Ack()
			}
			eventually(t, "10 is committed", func() bool { return o.committed(t) == 10 })
			tail, err := kafka.NewTail(kafka.TailConfig{Config: o.cfg, Topic: "things"})
			must(t, err)
			defer tail.Close()
			must(t, tail.ReadTo(context.Background(), 10, func(kafka.Record) error { return nil }))

			must(t, o.fake.DeleteTopic("things"))
			must(t, o.fake.CreateTopic("things", 1, nil))
			must(t, newPublisher(t, kafka.PublisherConfig{Config: o.cfg}).Publish("things", numbered(100, 100+records)...))

			eventually(t, "it stands still", func() bool {
				still := sub.StandingStill()
				return len(still) == 1 && still[0].Kind == kafka.TopicRemade && still[0].From == 10
			})
			told.must(t, kafka.TopicRemade)
			select {
			case m := <-in:
				t.Errorf("offset %d of the other topic was handed over", offsetOf(m))
			case <-time.After(300 * time.Millisecond):
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			err = tail.ReadTo(ctx, int64(records)+10, func(r kafka.Record) error {
				t.Errorf("%v of the other topic was read", r.Position)
				return nil
			})
			if _, remade := errors.AsType[*kafka.RemadeError](err); !remade {
				t.Errorf("reading on says %v", err)
			}
			for what, ask := range map[string]func() error{
				"the end": func() error { _, err := o.admin.Ends(ctx, "things"); return err },
				"the ids": func() error { _, err := o.admin.TopicIDs(ctx, "things"); return err },
				"a record": func() error {
					_, _, err := o.admin.Record(ctx, kafka.TopicPartition{Topic: "things"}, 0)
					return err
				},
			} {
				if _, remade := errors.AsType[*kafka.RemadeError](ask()); !remade {
					t.Errorf("%s: %v", what, ask())
				}
			}
		})
	}
}

// TestPartitionByNumber: a topic whose order matters is written to its one partition, however many it gets.
func TestPartitionByNumber(t *testing.T) {
	o := newOne(t, 3)
	pub := newPublisher(t, kafka.PublisherConfig{Config: o.cfg, Partitions: map[string]int{"things": 1, "none": 7}})
	keyless := message.NewMessage("", []byte("keyless"))
	must(t, pub.Publish("things", append(numbered(0, 30), keyless)...))
	ends, err := o.admin.Ends(context.Background(), "things")
	must(t, err)
	if ends[kafka.TopicPartition{Topic: "things", Partition: 1}] != 31 {
		t.Errorf("%v", ends)
	}
	ensureTopic(t, o.admin, "none", 3)
	if err := pub.Publish("none", numbered(0, 1)...); err == nil {
		t.Error("a partition that isn't there was written to")
	}
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
