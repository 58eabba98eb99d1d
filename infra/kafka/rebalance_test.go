package kafka_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/makegood/makegood/infra/kafka"
)

// flow is messages on their way while something is done to the cluster or the
// group: at the end every message that was acknowledged to its publisher must
// have been received, and commits must never have gone back.
type flow struct {
	t     testing.TB
	cfg   kafka.SubscriberConfig
	topic string
	admin *kafka.Admin
	pub   *kafka.Publisher

	mu        sync.Mutex
	published map[string]bool
	received  map[string]int
	stop      chan struct{}
	running   sync.WaitGroup
	// woke is when a broker went on that had stood still, in nanoseconds of Unix time.
	woke atomic.Int64
}

func newFlow(t testing.TB, cfg kafka.SubscriberConfig, topic string) *flow {
	return &flow{
		t: t, cfg: cfg, topic: topic, admin: newAdmin(t, cfg.Config),
		pub:       newPublisher(t, kafka.PublisherConfig{Config: cfg.Config}),
		published: map[string]bool{}, received: map[string]int{}, stop: make(chan struct{}),
	}
}

// publish writes small batches until the flow is stopped. What fails is not
// expected to arrive, nor not to.
func (f *flow) publish(writers int) {
	var serial atomic.Int64
	for range writers {
		f.running.Go(func() {
			for {
				select {
				case <-f.stop:
					return
				default:
				}
				from := int(serial.Add(10)) - 10
				msgs := numbered(from, from+10)
				var failed *kafka.PublishError
				if err := f.pub.Publish(f.topic, msgs...); errors.As(err, &failed) {
					f.t.Logf("not published: %v", err)
				} else if err != nil {
					f.t.Errorf("publishing: %v", err)
				}
				f.mu.Lock()
				for i, m := range msgs {
					if failed == nil || failed.Failed[i] == nil {
						f.published[string(m.Payload)] = true
					}
				}
				f.mu.Unlock()
				time.Sleep(time.Millisecond)
			}
		})
	}
}

// consume starts a subscriber that acknowledges in batches, as a projector
// does. The function it gives ends it.
func (f *flow) consume() (leave func()) {
	sub, err := kafka.NewSubscriber(f.cfg)
	must(f.t, err)
	in, err := sub.Subscribe(context.Background(), f.topic)
	must(f.t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var batch []*message.Message
		flush := func() {
			f.mu.Lock()
			for _, m := range batch {
				f.received[string(m.Payload)]++
			}
			f.mu.Unlock()
			for _, m := range batch {
				m.Ack()
			}
			batch = batch[:0]
		}
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case m, ok := <-in:
				if !ok {
					return
				}
				if batch = append(batch, m); len(batch) == 100 {
					flush()
				}
			case <-tick.C:
				flush()
			}
		}
	}()
	return sync.OnceFunc(func() {
		if err := sub.Close(); err != nil {
			f.t.Errorf("closing: %v", err)
		}
		<-done
	})
}

// watchCommits checks until the flow is stopped that no commit goes back. A coordinator that stood still answers what
// it knew before, until it hears that another has taken its place: what is said then is passed over (woke).
func (f *flow) watchCommits() {
	f.running.Go(func() {
		last := map[kafka.TopicPartition]int64{}
		for {
			select {
			case <-f.stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			now, err := f.admin.Committed(ctx, f.cfg.Group, f.topic)
			cancel()
			if err != nil || time.Since(time.Unix(0, f.woke.Load())) < 5*time.Second {
				continue // the cluster is being troubled
			}
			for tp, offset := range last {
				if now[tp] < offset {
					f.t.Errorf("the commit of %s went from %d back to %d", tp, offset, now[tp])
				}
			}
			last = now
		}
	})
}

// finish ends publishing and waits until everything has come.
func (f *flow) finish() {
	close(f.stop)
	f.running.Wait()
	missing := func() (n int) {
		f.mu.Lock()
		defer f.mu.Unlock()
		for payload := range f.published {
			if f.received[payload] == 0 {
				n++
			}
		}
		return n
	}
	end := time.Now().Add(2 * patience)
	for missing() > 0 && time.Now().Before(end) {
		time.Sleep(10 * time.Millisecond)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	again := 0
	for _, n := range f.received {
		again += n - 1
	}
	f.t.Logf("%d published, %d received, %d of them again", len(f.published), len(f.received), again)
	if len(f.published) == 0 {
		f.t.Fatal("nothing was published")
	}
	lost := 0
	for payload := range f.published {
		if f.received[payload] == 0 {
			lost++
		}
	}
	if lost > 0 {
		f.t.Fatalf("%d messages were acknowledged and never received", lost)
	}
}

// churn lets consumers come and go at random until d is over; one always stays.
func (f *flow) churn(rnd *rand.Rand, d time.Duration) {
	stay := f.consume()
	f.t.Cleanup(stay)
	var guests []func()
	for end := time.Now().Add(d); time.Now().Before(end); {
		if len(guests) < 3 && rnd.IntN(2) == 0 {
			guests = append(guests, f.consume())
		} else if len(guests) > 0 {
			i := rnd.IntN(len(guests))
			guests[i]()
			guests = append(guests[:i], guests[i+1:]...)
		}
		time.Sleep(time.Duration(rnd.IntN(200)) * time.Millisecond)
	}
	for _, leave := range guests {
		leave()
	}
}

func seeded(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func TestNothingIsLostWhileConsumersComeAndGo(t *testing.T) {
	o := newOne(t, 6)
	f := newFlow(t, o.quick(), "things")
	f.publish(3)
	f.watchCommits()
	f.churn(seeded(t), 5*time.Second)
	f.finish()
}

// A cluster of three whose leaders and coordinators move, whose connections
// break, and which refuses now and then.
func TestNothingIsLostOnAFlakyCluster(t *testing.T) {
	rnd := seeded(t)
	o := newOne(t, 6, kfake.NumBrokers(3))
	f := newFlow(t, o.quick(), "things")
	var mu sync.Mutex
	troubled := true
	o.fake.Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		o.fake.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		switch req.(type) {
		case *kmsg.JoinGroupRequest, *kmsg.SyncGroupRequest:
			// kfake keeps a member for ever whose connection breaks while it joins.
			return nil, nil, false
		}
		if troubled && rnd.IntN(100) == 0 {
			return nil, errors.New("the connection breaks"), true
		}
		return nil, nil, false
	})
	f.publish(3)
	f.watchCommits()
	defer f.consume()()
	defer f.consume()()
	for range 30 {
		mu.Lock()
		what, where := rnd.IntN(3), int32(rnd.IntN(6))
		mu.Unlock()
		switch what {
		case 0:
			o.fake.ShufflePartitionLeaders()
		case 1:
			o.fake.RehashCoordinators()
		case 2:
			must(t, o.fake.MoveTopicPartition("things", where, where%3))
		}
		time.Sleep(100 * time.Millisecond)
	}
	mu.Lock()
	troubled = false
	mu.Unlock()
	f.finish()
}

// Nothing that this package starts outlives Close.
func TestNoGoroutineStaysBehind(t *testing.T) {
	o := newOne(t, 3)
	before := goleak.IgnoreCurrent()
	pub, err := kafka.NewPublisher(kafka.PublisherConfig{Config: o.cfg})
	must(t, err)
	must(t, pub.Publish("things", numbered(0, 100)...))
	cfg := o.quick()
	cfg.FetchMaxWait = 3 * time.Second // longer than anybody would wait for
	for _, group := range []string{"g", ""} {
		cfg.Group = group
		sub, err := kafka.NewSubscriber(cfg)
		must(t, err)
		in := subscribe(t, sub)
		m := receive(t, in)
		<-func() <-chan struct{} { done := m.Context().Done(); m.Ack(); return done }()
		receive(t, in).Context().Done() // and never settled
		must(t, sub.Close())
		must(t, sub.Close())
	}
	admin, err := kafka.NewAdmin(o.cfg)
	must(t, err)
	must(t, admin.Ping(context.Background()))
	must(t, admin.Close())
	tail, err := kafka.NewTail(kafka.TailConfig{Config: o.cfg, Topic: "things"})
	must(t, err)
	_, err = tail.End(context.Background())
	must(t, err)
	must(t, tail.Close())
	must(t, pub.Close())
	// The broker begins a new goroutine for each request of a connection, so those of the connections that were there
	// before aren't among the ones ignored. A connection that we left open is found by its others.
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("github.com/twmb/franz-go/pkg/kfake.(*clientConn).read.func1"))
}
