package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/compress"
)

// PublisherConfig says how a Publisher writes. Zero fields mean their defaults.
type PublisherConfig struct {
	Config

	// PublishTimeout bounds a call of Publish, retries included. Default 30 s.
	PublishTimeout time.Duration

	// MaxBatchBytes bounds what is written to a partition at once, and so the
	// size of a message. Brokers refuse more than their message.max.bytes, whose
	// default is 1,048,588. Default 1,000,000.
	MaxBatchBytes int

	// MaxRequestBytes bounds one request to one broker, over all its
	// partitions. Default 16 MiB.
	MaxRequestBytes int

	// MaxBufferedBytes bounds what waits in all calls of Publish together; a
	// call that would exceed it waits, unless it is alone. Default 64 MiB.
	MaxBufferedBytes int

	// Compression of batches: default none. Any that Kafka knows is read.
	Compression compress.Compression

	// Substitute, when not nil, gives what is written in place of a message that
	// no broker will ever take: it is larger than MaxBatchBytes or than the
	// broker allows, or its content is refused. It is asked once a message; what
	// it gives isn't substituted again. Nil from it lets the message fail.
	Substitute func(topic string, m *message.Message) *message.Message

	// Partitions gives topics whose messages all go to one partition its number,
	// keys or not: for a topic whose order matters, should it get more of them.
	Partitions map[string]int

	// RetryDelay is how long to wait after a failure that may pass; it doubles
	// with each in a row up to MaxRetryDelay. Defaults 20 ms and 1 s.
	RetryDelay, MaxRetryDelay time.Duration
}

func (c PublisherConfig) withDefaults() PublisherConfig {
	c.Config = c.Config.withDefaults()
	orDuration(&c.PublishTimeout, 30*time.Second)
	orInt(&c.MaxBatchBytes, 1_000_000)
	orInt(&c.MaxRequestBytes, 16<<20)
	orInt(&c.MaxBufferedBytes, 64<<20)
	orDuration(&c.RetryDelay, 20*time.Millisecond)
	orDuration(&c.MaxRetryDelay, time.Second)
	return c
}

// Validate says everything that is wrong with the configuration.
func (c PublisherConfig) Validate() error {
	errs := []error{c.Config.Validate()}
	c = c.withDefaults()
	errs = append(errs,
		notNegative("PublishTimeout", c.PublishTimeout),
		notBelow("MaxBatchBytes", c.MaxBatchBytes, 1024),
		notBelow("MaxRequestBytes", c.MaxRequestBytes, c.MaxBatchBytes),
		notBelow("MaxBufferedBytes", c.MaxBufferedBytes, 1),
		notNegative("RetryDelay", c.RetryDelay),
		notNegative("MaxRetryDelay", c.MaxRetryDelay),
	)
	if c.Compression != compress.None && c.Compression.Codec() == nil {
		errs = append(errs, fmt.Errorf("compression %d is unknown", int8(c.Compression)))
	}
	return errors.Join(errs...)
}

// Publisher writes watermill messages to topics. It is safe for concurrent use,
// and gets faster by it: while a request to a broker is on its way, what other
// callers publish gathers and goes as the next one. A lone caller never waits
// for company.
type Publisher struct {
	cfg     PublisherConfig
	cluster *cluster
	keyless atomic.Uint32 // where the next call puts its messages without a key

	mu      sync.Mutex
	room    *sync.Cond // of mu: buffered fell
	closed  bool
	waiting int // bytes in all calls
	lanes   map[int32]*lane
	calls   sync.WaitGroup
	senders sync.WaitGroup

	closing context.Context // ends when the last call has returned after Close
	stop    context.CancelFunc
	closeUp func()
}

var _ message.Publisher = (*Publisher)(nil)

// NewPublisher makes a Publisher. It doesn't connect yet.
func NewPublisher(cfg PublisherConfig) (*Publisher, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("kafka publisher: %w", err)
	}
	cfg = cfg.withDefaults()
	c, err := newCluster(cfg.Config)
	if err != nil {
		return nil, fmt.Errorf("kafka publisher: %w", err)
	}
	p := &Publisher{cfg: cfg, cluster: c, lanes: map[int32]*lane{}}
	p.room = sync.NewCond(&p.mu)
	p.closing, p.stop = context.WithCancel(context.Background())
	p.closeUp = sync.OnceFunc(func() {
		p.calls.Wait()
		p.stop()
		p.senders.Wait()
		p.cluster.close()
	})
	return p, nil
}

// Publish writes messages and returns when all replicas in sync have them, or
// with a *PublishError that says which ones they may not have.
//
// The messages of a call that go to one partition keep their order. Messages
// with the same PartitionKey go to the same partition; those without a key go
// together to one partition, another with each call. Failures that may pass are
// retried within PublishTimeout, and no longer than the first message's context
// lasts. A retry may write a message twice.
func (p *Publisher) Publish(topic string, msgs ...*message.Message) error {
	err := p.publish(topic, msgs)
	var failed *PublishError
	if p.cfg.Substitute == nil || !errors.As(err, &failed) {
		return err
	}
	return p.substitute(failed, msgs)
}

// substitute writes others in place of the messages that can't ever be
// written, and returns what is left of the error.
func (p *Publisher) substitute(failed *PublishError, msgs []*message.Message) error {
	var indexes []int
	var others []*message.Message
	for _, i := range failed.Indexes() {
		if !aboutContent(failed.Failed[i]) {
			continue
		}
		if other := p.cfg.Substitute(failed.Topic, msgs[i]); other != nil {
			other.SetContext(msgs[i].Context())
			indexes, others = append(indexes, i), append(others, other)
		}
	}
	if len(others) == 0 {
		return failed
	}
	err := p.publish(failed.Topic, others)
	var again *PublishError
	if err != nil && !errors.As(err, &again) {
		return err
	}
	for n, i := range indexes {
		delete(failed.Failed, i)
		if again != nil && again.Failed[n] != nil {
			failed.Failed[i] = again.Failed[n]
		}
	}
	if len(failed.Failed) == 0 {
		return nil
	}
	return failed
}

func (p *Publisher) publish(topic string, msgs []*message.Message) error {
	if len(msgs) == 0 {
		return nil
	}
	if topic == "" {
		return errors.New("kafka: no topic to publish to")
	}
	size := 0
	for i, m := range msgs {
		if m == nil {
			return fmt.Errorf("kafka: publishing to %q: message %d is nil", topic, i)
		}
		size += recordBound(m)
	}
	ctx, cancel := context.WithTimeout(msgs[0].Context(), p.cfg.PublishTimeout)
	defer cancel()
	if err := p.enter(ctx, size); err != nil {
		return wholeFailed(topic, len(msgs), err)
	}
	defer p.leave(size)

	n, err := p.partitions(ctx, topic)
	if err != nil {
		return wholeFailed(topic, len(msgs), err)
	}
	if only, pinned := p.cfg.Partitions[topic]; pinned && (only < 0 || only >= n) {
		return wholeFailed(topic, len(msgs), fmt.Errorf("topic %s has %d partitions, and none of number %d", topic, n, only))
	}
	c := &call{ctx: ctx, topic: topic, msgs: msgs, done: make(chan struct{})}
	shares := p.split(c, n)
	c.open.Store(int32(len(shares)))
	p.dispatch(shares...)
	// The senders end every share, each within the time of a request after ctx.
	<-c.done
	if len(c.failed) == 0 {
		return nil
	}
	return &PublishError{Topic: topic, Total: len(msgs), Failed: c.failed}
}

// Close lets running calls finish and refuses new ones.
func (p *Publisher) Close() error {
	p.mu.Lock()
	p.closed = true
	p.room.Broadcast()
	p.mu.Unlock()
	p.closeUp()
	return nil
}

// enter waits until n more bytes may be on their way.
func (p *Publisher) enter(ctx context.Context, n int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	// A call larger than the bound goes when it is alone.
	full := func() bool { return p.waiting > 0 && p.waiting+n > p.cfg.MaxBufferedBytes }
	if full() {
		defer context.AfterFunc(ctx, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.room.Broadcast()
		})()
	}
	for full() && !p.closed && ctx.Err() == nil {
		p.room.Wait()
	}
	if p.closed {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("waiting for room: %w", err)
	}
	p.waiting += n
	p.calls.Add(1)
	return nil
}

func (p *Publisher) leave(n int) {
	p.mu.Lock()
	p.waiting -= n
	p.room.Broadcast()
	p.mu.Unlock()
	p.calls.Done()
}

// unknownTopicPatience is how long a topic may be unknown before that is an
// error: brokers learn of a new topic one after the other.
const unknownTopicPatience = 5 * time.Second

func (p *Publisher) partitions(ctx context.Context, topic string) (n int, err error) {
	if n, err = p.cluster.partitions(ctx, topic); err == nil {
		return n, nil
	}
	since := time.Now()
	err = retry(ctx, func() error {
		n, err = p.cluster.partitions(ctx, topic)
		if errors.Is(err, kafkago.UnknownTopicOrPartition) && time.Since(since) > unknownTopicPatience {
			return &permanentError{err}
		}
		return err
	})
	return n, err
}

// split sorts a call's messages by partition.
func (p *Publisher) split(c *call, partitions int) []*share {
	byPartition := make([]*share, partitions)
	var shares []*share
	keyless := -1
	only, pinned := p.cfg.Partitions[c.topic]
	for i, m := range c.msgs {
		key, ok := m.Metadata[PartitionKey]
		part := keyless
		if pinned {
			part = only
		} else if ok {
			part = PartitionOf(key, partitions)
		} else if part < 0 {
			keyless = int(p.keyless.Add(1)) % partitions
			part = keyless
		}
		s := byPartition[part]
		if s == nil {
			s = &share{call: c, tp: TopicPartition{c.topic, part}}
			byPartition[part] = s
			shares = append(shares, s)
		}
		s.indexes = append(s.indexes, i)
	}
	return shares
}

func wholeFailed(topic string, n int, err error) error {
	e := &PublishError{Topic: topic, Total: n, Failed: make(map[int]error, n)}
	for i := range n {
		e.Failed[i] = err
	}
	return e
}

// call is one call of Publish.
type call struct {
	ctx   context.Context // that of the call
	topic string
	msgs  []*message.Message
	open  atomic.Int32 // shares that haven't ended
	done  chan struct{}

	mu     sync.Mutex
	failed map[int]error
}

func (c *call) fail(indexes []int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed == nil {
		c.failed = map[int]error{}
	}
	for _, i := range indexes {
		c.failed[i] = err
	}
}

// share is the part of a call that goes to one partition. It is at one place at
// a time: with a sender, or waiting for one, or waiting to be retried.
type share struct {
	call     *call
	tp       TopicPartition
	indexes  []int     // of the messages that are still to be written, in order
	attempts int       // failures in a row
	unknown  time.Time // since when the brokers say that there is no such topic
	alone    bool      // it was refused in company: write it by itself
	half     int       // it was refused by itself: write no more than so many at once
}

// end finishes a share.
func (s *share) end() {
	if s.call.open.Add(-1) == 0 {
		close(s.call.done)
	}
}

// failAll ends a share whose remaining messages can't be written.
func (s *share) failAll(err error) {
	s.call.fail(s.indexes, err)
	s.indexes = nil
	s.end()
}
