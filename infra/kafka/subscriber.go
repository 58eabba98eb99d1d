package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"
)

// ErrClosed is what a Publisher, Subscriber or Tail answers after its Close.
var ErrClosed = errors.New("kafka: closed")

// Subscriber hands over the records of topics as watermill messages. See the
// package documentation for what it guarantees. It is safe for concurrent use.
type Subscriber struct {
	cfg     SubscriberConfig
	cluster *cluster

	mu      sync.Mutex
	closed  bool
	still   map[TopicPartition]Problem // what can't be read now
	closing context.Context            // ends when Close is called
	stop    context.CancelFunc
	running sync.WaitGroup
	closeUp func()
}

var (
	_ message.Subscriber           = (*Subscriber)(nil)
	_ message.SubscribeInitializer = (*Subscriber)(nil)
)

// NewSubscriber makes a Subscriber. It doesn't connect yet.
func NewSubscriber(cfg SubscriberConfig) (*Subscriber, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("kafka subscriber: %w", err)
	}
	cfg = cfg.withDefaults()
	c, err := newCluster(cfg.Config)
	if err != nil {
		return nil, fmt.Errorf("kafka subscriber: %w", err)
	}
	s := &Subscriber{cfg: cfg, cluster: c}
	s.closing, s.stop = context.WithCancel(context.Background())
	s.closeUp = sync.OnceFunc(s.cluster.close)
	return s, nil
}

// Subscribe reads one topic: see SubscribeTopics.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	return s.SubscribeTopics(ctx, topic)
}

// SubscribeTopics reads several topics as one member of the group, into one
// channel: cheaper than as many subscriptions, each of which is a member and
// makes all others of the group stop and join again when it comes or goes.
//
// Reading begins in the background; failures are retried, logged and told to
// Problems. The channel is closed when ctx ends or the Subscriber is closed,
// after what the consumer holds has been settled or DrainTimeout is over.
func (s *Subscriber) SubscribeTopics(ctx context.Context, topics ...string) (<-chan *message.Message, error) {
	if len(topics) == 0 {
		return nil, errors.New("kafka: no topic to subscribe to")
	}
	if slices.Contains(topics, "") {
		return nil, errors.New("kafka: a topic to subscribe to has no name")
	}
	topics = slices.Clone(topics)
	slices.Sort(topics)
	topics = slices.Compact(topics)

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	sub := &subscription{
		Subscriber: s,
		topics:     topics,
		ctx:        ctx,
		out:        make(chan *message.Message, max(0, s.cfg.Buffer)),
		layout:     map[string]int{},
	}
	s.running.Go(sub.run)
	return sub.out, nil
}

// SubscribeInitialize makes the topic, as InitTopic says, unless it exists.
func (s *Subscriber) SubscribeInitialize(topic string) error {
	spec := s.cfg.InitTopic
	spec.Name = topic
	ctx, cancel := context.WithTimeout(s.closing, 3*s.cfg.RequestTimeout)
	defer cancel()
	if _, err := ensureTopics(ctx, s.cluster, spec); err != nil {
		return fmt.Errorf("kafka: initializing topic %q: %w", topic, err)
	}
	return nil
}

// Close ends all subscriptions: nothing more is handed over, what consumers
// hold may be settled until DrainTimeout, the prefix is committed, the group is
// left, and the channels are closed. It returns after all that.
func (s *Subscriber) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.running.Wait()
	s.closeUp()
	return nil
}

func (s *Subscriber) limits() fetchLimits {
	return fetchLimits{maxBytes: s.cfg.FetchMaxBytes, maxWait: s.cfg.FetchMaxWait}
}

// StandingStill are the partitions that can't be read now, and why: what they
// hold at From can't be unpacked, or fetching it keeps failing. They are tried
// again until that changes. It is safe for concurrent use.
func (s *Subscriber) StandingStill() []Problem {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Collect(maps.Values(s.still))
	slices.SortFunc(all, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return all
}

func (s *Subscriber) standsStill(tp TopicPartition, what Problem) {
	what.Group, what.Topic, what.Partition = s.cfg.Group, tp.Topic, tp.Partition
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.still == nil {
		s.still = map[TopicPartition]Problem{}
	}
	s.still[tp] = what
}

// moves takes a partition off those that stand still.
func (s *Subscriber) moves(tp TopicPartition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.still, tp)
}

func (s *Subscriber) problem(p Problem) {
	p.Group = s.cfg.Group
	p.tell(s.cluster.log, s.cfg.Problems)
}

// retryWait waits after the n-th failure in a row, and says so when it begins
// to look like more than a hiccup.
func (s *Subscriber) retryWait(ctx context.Context, n int, err error, say func(Problem)) {
	p := Problem{Kind: FetchFailing, Partition: -1, Err: err}
	if _, remade := errors.AsType[*RemadeError](err); remade {
		p.Kind = TopicRemade
	} else if errors.Is(err, errCorrupt) {
		p.Kind = CorruptRecords
	}
	if n == 3 || n%30 == 0 || p.Kind == CorruptRecords && n == 1 || p.Kind == TopicRemade {
		say(p)
	}
	pause(ctx, backoff(n, s.cfg.RetryDelay, s.cfg.MaxRetryDelay))
}
