package kafka_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

// one is a fake cluster with one topic, "things", and what a test needs around it.
type one struct {
	fake  *kafkatest.Fake
	cfg   kafka.Config
	admin *kafka.Admin
	pub   *kafka.Publisher
}

func newOne(t testing.TB, partitions int, opts ...kfake.Opt) one {
	t.Helper()
	opts = append([]kfake.Opt{kfake.GroupMinSessionTimeout(time.Second)}, opts...)
	fake := kafkatest.StartFake(t, opts...)
	o := one{fake: fake, cfg: testConfig(t, fake.Brokers())}
	o.admin = newAdmin(t, o.cfg)
	ensureTopic(t, o.admin, "things", partitions)
	o.pub = newPublisher(t, kafka.PublisherConfig{Config: o.cfg})
	return o
}

// quick is a subscriber's configuration for tests that wait for its intervals.
func (o one) quick() kafka.SubscriberConfig {
	return kafka.SubscriberConfig{
		Config: o.cfg, Group: "g", CommitInterval: 5 * time.Millisecond,
		SessionTimeout: time.Second, HeartbeatInterval: 50 * time.Millisecond, DrainTimeout: 300 * time.Millisecond,
		CommitTimeout: 600 * time.Millisecond, FetchMaxWait: 50 * time.Millisecond,
		PartitionWatchInterval: 50 * time.Millisecond,
	}
}

func (o one) committed(t testing.TB) int64 {
	t.Helper()
	committed, err := o.admin.Committed(context.Background(), "g", "things")
	must(t, err)
	return committed[kafka.TopicPartition{Topic: "things"}]
}

func subscribe(t testing.TB, s *kafka.Subscriber) <-chan *message.Message {
	t.Helper()
	in, err := s.Subscribe(context.Background(), "things")
	must(t, err)
	return in
}

func offsetOf(m *message.Message) int64 {
	pos, _ := kafka.PositionOf(m)
	return pos.Offset
}

func TestOnlyTheContiguousPrefixIsCommitted(t *testing.T) {
	o := newOne(t, 1)
	must(t, o.pub.Publish("things", numbered(0, 10)...))
	in := subscribe(t, newSubscriber(t, o.quick()))
	var msgs []*message.Message
	for range 10 {
		msgs = append(msgs, receive(t, in))
	}
	for _, i := range []int{0, 1, 3, 4, 9} {
		msgs[i].Ack()
	}
	eventually(t, "2 is committed", func() bool { return o.committed(t) == 2 })
	msgs[2].Ack()
	eventually(t, "5 is committed", func() bool { return o.committed(t) == 5 })
	for _, i := range []int{8, 7, 6} {
		msgs[i].Ack()
	}
	msgs[5].Ack()
	eventually(t, "10 is committed", func() bool { return o.committed(t) == 10 })
}

func TestAKilledConsumerLosesNothingAfterThePrefix(t *testing.T) {
	o := newOne(t, 1)
	must(t, o.pub.Publish("things", numbered(0, 10)...))
	self, err := os.Executable()
	must(t, err)
	child := exec.Command(self)
	child.Env = append(os.Environ(), "KAFKA_TEST_ROLE=consume", "KAFKA_TEST_BROKER="+o.fake.Brokers()[0])
	out, err := child.StdoutPipe()
	must(t, err)
	child.Stderr = os.Stderr
	must(t, child.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if must(t, err); strings.TrimSpace(line) != "acknowledged" {
		t.Fatalf("the child said %q", line)
	}
	eventually(t, "5 is committed", func() bool { return o.committed(t) == 5 })
	must(t, child.Process.Kill())
	_ = child.Wait()

	in := subscribe(t, newSubscriber(t, o.quick()))
	for want := int64(5); want < 10; want++ {
		m := receive(t, in)
		if got := offsetOf(m); got != want {
			t.Fatalf("offset %d came, not %d", got, want)
		}
		m.Ack()
	}
	eventually(t, "10 is committed", func() bool { return o.committed(t) == 10 })
}

func TestCloseWaitsForWhatTheConsumerHolds(t *testing.T) {
	o := newOne(t, 1)
	must(t, o.pub.Publish("things", numbered(0, 10)...))
	cfg := o.quick()
	cfg.DrainTimeout, cfg.SessionTimeout, cfg.RebalanceTimeout = 20*time.Second, 30*time.Second, 30*time.Second
	sub := newSubscriber(t, cfg)
	in := subscribe(t, sub)
	held := []*message.Message{receive(t, in), receive(t, in)}
	closed := make(chan error)
	go func() { closed <- sub.Close() }()
	// Close has begun when the messages that nobody received are taken back:
	// from then on only a settled hand ends it.
	select {
	case err := <-closed:
		t.Fatalf("closed (%v) with two messages in hand", err)
	case <-time.After(200 * time.Millisecond):
	}
	for _, m := range held {
		if !m.Ack() {
			t.Fatal("an acknowledgement during the drain was refused")
		}
	}
	must(t, <-closed)
	for m := range in {
		t.Fatalf("%d came after Close", offsetOf(m))
	}
	if got := o.committed(t); got != 2 {
		t.Fatalf("%d is committed, not 2", got)
	}
}

func TestAnAckAfterTheDrainIsRefused(t *testing.T) {
	o := newOne(t, 1)
	must(t, o.pub.Publish("things", numbered(0, 3)...))
	problems := newProblems()
	cfg := o.quick()
	cfg.Problems = problems.add
	sub := newSubscriber(t, cfg)
	in := subscribe(t, sub)
	first, second := receive(t, in), receive(t, in)
	second.Ack()
	must(t, sub.Close())
	select {
	case <-first.Context().Done():
	default:
		t.Fatal("the context of a message outlived its subscription")
	}
	if first.Ack() {
		t.Fatal("an acknowledgement that can't count any more was taken")
	}
	problems.must(t, kafka.DrainTimedOut)
	if got := o.committed(t); got != 0 {
		t.Fatalf("%d is committed though offset 0 wasn't acknowledged", got)
	}
	in = subscribe(t, newSubscriber(t, o.quick()))
	for want := range int64(3) {
		if m := receive(t, in); offsetOf(m) != want {
			t.Fatalf("offset %d came, not %d", offsetOf(m), want)
		}
	}
}

// No heartbeat is sent from the end of a generation on, so the drain, the last commit and a commit that is under way
// when the generation ends have one deadline together.
func TestTheEndOfAGenerationHasADeadline(t *testing.T) {
	o := newOne(t, 1)
	must(t, o.pub.Publish("things", numbered(0, 3)...))
	answer, asked := make(chan struct{}), make(chan struct{}, 1)
	o.fake.ControlKey(int16(kmsg.OffsetCommit), func(kmsg.Request) (kmsg.Response, error, bool) {
		o.fake.KeepControl()
		select {
		case asked <- struct{}{}:
		default:
		}
		o.fake.SleepControl(func() { <-answer })
		return nil, nil, false
	})
	defer close(answer)
	cfg := o.quick()
	cfg.SessionTimeout, cfg.RebalanceTimeout = patience, patience
	sub, err := kafka.NewSubscriber(cfg)
	must(t, err)
	in := subscribe(t, sub)
	receive(t, in).Ack()
	receive(t, in) // and is never settled
	<-asked
	began := time.Now()
	must(t, sub.Close())
	// The rest is for leaving the group.
	if took, most := time.Since(began), cfg.DrainTimeout+cfg.CommitTimeout+2*time.Second; took > most {
		t.Errorf("it took %v, more than %v", took, most)
	}
}
