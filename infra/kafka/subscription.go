package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	kafkago "github.com/segmentio/kafka-go"
)

// subscription is one call of Subscribe: a member of the group, from generation
// to generation.
type subscription struct {
	*Subscriber
	topics []string
	ctx    context.Context // given by the caller for all messages
	out    chan *message.Message
	// layout is how many partitions each topic was last seen to have.
	layout map[string]int
	// between is our member id while we are between generations.
	between atomic.Pointer[string]
}

// run lives as long as the subscription.
func (s *subscription) run() {
	defer close(s.out)
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)()
	if s.cfg.Group == "" {
		s.runAlone(ctx)
	} else {
		s.runInGroup(ctx)
	}
}

// runInGroup joins the group again and again until ctx ends.
func (s *subscription) runInGroup(ctx context.Context) {
	// What is known before the first assignment can't be newer than it, so that
	// a topic that grows meanwhile is noticed after it.
	if !s.learnLayout(ctx) {
		return
	}
	dialer := newDialer(s.cfg.Config)
	group, err := kafkago.NewConsumerGroup(kafkago.ConsumerGroupConfig{
		ID:      s.cfg.Group,
		Brokers: s.cfg.Brokers,
		Dialer: &kafkago.Dialer{
			ClientID: s.cfg.ClientID, Timeout: s.cfg.DialTimeout, DialFunc: dialer.dial,
			TLS: s.cfg.TLS, SASLMechanism: s.cluster.transport.SASL,
		},
		Topics:            s.topics,
		HeartbeatInterval: s.cfg.HeartbeatInterval,
		SessionTimeout:    s.cfg.SessionTimeout,
		RebalanceTimeout:  s.cfg.RebalanceTimeout,
		JoinGroupBackoff:  s.cfg.RetryDelay,
		// A heartbeat that hangs must be given up on before the session ends.
		Timeout:     min(s.cfg.RequestTimeout, s.cfg.SessionTimeout/2),
		StartOffset: kafkago.FirstOffset,
		ErrorLogger: kafkago.LoggerFunc(func(format string, args ...any) {
			s.cluster.log.Debug("kafka: " + fmt.Sprintf(format, args...))
		}),
	})
	if err != nil {
		s.problem(Problem{Kind: GroupFailing, Partition: -1, Err: err})
		<-ctx.Done()
		return
	}
	// The end of ctx closes the group, which ends the generation, waits for what
	// we started in it, and leaves. It must be this way round: were the
	// generation to end first, the group would join the next one meanwhile.
	var closing sync.WaitGroup
	closing.Go(func() {
		<-ctx.Done()
		_ = group.Close()
	})
	closing.Go(func() {
		<-ctx.Done()
		s.leaveBetweenGenerations(dialer)
	})
	defer closing.Wait()
	for failures := 0; ; {
		gen, err := group.Next(ctx)
		switch {
		case err == nil:
			failures = 0
			s.between.Store(nil)
			done := make(chan struct{})
			gen.Start(func(genCtx context.Context) {
				defer close(done)
				s.runGeneration(genCtx, gen)
			})
			<-done
			s.between.Store(&gen.MemberID)
		case ctx.Err() != nil || errors.Is(err, kafkago.ErrGroupClosed):
			return
		default:
			// A broker that has just started has no coordinator until its
			// offsets topic exists; that is no news.
			if failures++; failures == 5 || failures%30 == 0 {
				s.problem(Problem{Kind: GroupFailing, Partition: -1, Err: fmt.Errorf("joining group %q: %w", s.cfg.Group, err)})
			}
			pause(ctx, backoff(failures, s.cfg.RetryDelay, s.cfg.MaxRetryDelay))
		}
	}
}

// leaveBetweenGenerations leaves the group while kafka-go joins it again. Joining
// waits for the others, and for those who were lost on the way, and kafka-go
// doesn't close before it is over. Who has left may cut the wait off. Who hadn't
// would stay in the group, unheard, until its session ends; so we don't, where
// the coordinator doesn't know us by the name that we had.
func (s *subscription) leaveBetweenGenerations(d *dialer) {
	member := s.between.Load()
	if member == nil {
		return // in a generation, which is left in good order, or not yet a member
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.CommitTimeout)
	defer cancel()
	if err := s.cluster.leave(ctx, s.cfg.Group, *member); err != nil {
		s.cluster.log.Debug("kafka: leaving the group between generations", "group", s.cfg.Group, "error", err)
		return
	}
	d.cut()
}

// runGeneration reads the partitions that this generation assigns to us, until
// it ends, and then gives them back in good order.
func (s *subscription) runGeneration(genCtx context.Context, gen *kafkago.Generation) {
	ctx, cancel := context.WithCancel(genCtx)
	defer cancel()
	assigned := map[TopicPartition]int64{}
	for topic, partitions := range gen.Assignments {
		for _, p := range partitions {
			assigned[TopicPartition{topic, p.ID}] = p.Offset
		}
	}
	if !s.makeSure(ctx, assigned) {
		return
	}
	s.cluster.log.Info("kafka: partitions assigned", "group", s.cfg.Group, "generation", gen.ID, "partitions", assigned)
	var watching sync.WaitGroup
	watching.Go(func() { s.watchLayout(ctx, cancel) })
	s.read(ctx, assigned, (&groupCommits{s, gen, anyBroker}).commit)
	cancel()
	watching.Wait()
}

// makeSure asks once more for the offsets of partitions that are said to have
// none committed. kafka-go takes an answer without an offset, as a coordinator
// that has just handed over may give it, for a group that is new, and would have
// us read everything from the beginning and commit that. It tries until that is
// known, or ctx ends and it answers false.
func (s *subscription) makeSure(ctx context.Context, assigned map[TopicPartition]int64) bool {
	var unknown []TopicPartition
	for tp, offset := range assigned {
		if offset < 0 {
			unknown = append(unknown, tp)
		}
	}
	if len(unknown) == 0 {
		return true
	}
	for failures := 1; ; failures++ {
		committed, err := s.cluster.committed(ctx, s.cfg.Group, unknown)
		if err == nil {
			maps.Copy(assigned, committed)
			return true
		}
		s.retryWait(ctx, failures, fmt.Errorf("asking for the committed offsets of group %q: %w", s.cfg.Group, err),
			s.problem)
		if ctx.Err() != nil {
			return false
		}
	}
}

// groupCommits commits offsets within a generation. It asks for the coordinator
// once, and again where that can't be reached, or has handed over.
type groupCommits struct {
	sub    *subscription
	gen    *kafkago.Generation
	broker int32 // the coordinator; anyBroker until it is known
}

// commit tries until ctx ends. A lost broker may take half of a commit's time, so
// that what was done can still be told to the next coordinator.
func (c *groupCommits) commit(ctx context.Context, offsets map[string]map[int]int64) error {
	return retry(ctx, func() (err error) {
		attempt, cancel := context.WithTimeout(ctx, c.sub.cfg.CommitTimeout/2)
		defer cancel()
		if c.broker == anyBroker {
			if c.broker, err = c.sub.cluster.coordinator(attempt, c.gen.GroupID); err != nil {
				c.broker = anyBroker
				return err
			}
		}
		err = c.sub.cluster.commit(attempt, c.broker, c.gen, offsets)
		if err != nil {
			c.broker = anyBroker
		}
		return err
	})
}

// runAlone reads all partitions from their beginnings and commits nothing.
func (s *subscription) runAlone(ctx context.Context) {
	at := map[TopicPartition]int64{}
	if !s.learnLayout(ctx) {
		return
	}
	for ctx.Err() == nil {
		for topic, n := range s.layout {
			for i := range n {
				if _, ok := at[TopicPartition{topic, i}]; !ok {
					at[TopicPartition{topic, i}] = kafkago.FirstOffset
				}
			}
		}
		readCtx, cancel := context.WithCancel(ctx)
		var watching sync.WaitGroup
		watching.Go(func() { s.watchLayout(readCtx, cancel) })
		for _, p := range s.read(readCtx, at, nil) {
			if prefix := p.prefix.Load(); prefix >= 0 {
				at[p.tp] = prefix
			}
		}
		cancel()
		watching.Wait()
	}
}

// read runs the partitions until ctx ends, committing on the way, then drains
// them and commits what was acknowledged. No heartbeat is sent from the end of
// ctx on, so all that follows has its deadline from there.
func (s *subscription) read(ctx context.Context, assigned map[TopicPartition]int64,
	commit func(context.Context, map[string]map[int]int64) error) []*partition {
	draining, cancel := outlives(ctx, s.cfg.DrainTimeout)
	defer cancel()
	committing, cancel := outlives(ctx, s.cfg.DrainTimeout+s.cfg.CommitTimeout)
	defer cancel()
	parts := make([]*partition, 0, len(assigned))
	var reading sync.WaitGroup
	c := &committer{sub: s, commit: commit, done: map[TopicPartition]int64{}}
	var together pace
	for tp, from := range assigned {
		p := newPartition(s, tp)
		if s.cfg.InStep {
			p.step = together.join(p.held)
		}
		parts = append(parts, p)
		c.done[tp] = from
		reading.Go(func() { p.run(ctx, from) })
	}
	c.parts = parts
	c.every(ctx, draining)
	reading.Wait()
	s.takeBack()
	s.drain(draining, parts)
	c.flush(committing)
	return parts
}

// outlives gives a context that ends d after ctx has ended.
func outlives(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		pause(longer, d)
		cancel()
	})
	return longer, func() {
		stop()
		cancel()
	}
}

// takeBack empties the channel: what nobody has received needn't be waited for.
func (s *subscription) takeBack() {
	for {
		select {
		case msg := <-s.out:
			if d, ok := deliveryOf(msg); ok {
				d.unseen = true
			}
		default:
			return
		}
	}
}

// drain waits until ctx ends for what the consumer holds.
func (s *subscription) drain(ctx context.Context, parts []*partition) {
	for _, p := range parts {
		if late := p.drain(ctx.Done()); late > 0 {
			p.problem(Problem{
				Kind: DrainTimedOut,
				Err:  fmt.Errorf("%d messages were not settled within %v", late, s.cfg.DrainTimeout),
			})
		}
	}
}

// learnLayout finds out how many partitions the topics have, none if they don't
// exist. It tries until that is known, or ctx ends and it answers false.
func (s *subscription) learnLayout(ctx context.Context) bool {
	for failures := 0; ; {
		_, err := s.lookAtLayout(ctx)
		if ctx.Err() != nil {
			return false
		}
		if err == nil {
			return true
		}
		failures++
		s.retryWait(ctx, failures, err, s.problem)
	}
}

// lookAtLayout compares the topics with how they were last seen.
func (s *subscription) lookAtLayout(ctx context.Context) (changed bool, err error) {
	for _, topic := range s.topics {
		n := 0
		res, err := s.cluster.describe(ctx, topic)
		_, remade := errors.AsType[*RemadeError](err)
		switch {
		case err == nil, remade: // whoever reads it finds that it is another one
			n = len(res.Topics[0].Partitions)
		case !errors.Is(err, kafkago.UnknownTopicOrPartition):
			return changed, err
		}
		was, seen := s.layout[topic]
		s.layout[topic] = n
		if seen && was != n {
			changed = true
			s.problem(Problem{
				Kind: PartitionsChanged, Topic: topic, Partition: -1,
				Err: fmt.Errorf("the topic had %d partitions and now has %d", was, n),
			})
		}
	}
	return changed, nil
}

// watchLayout looks now and then whether the topics have got other numbers of
// partitions, and calls changed when they have.
func (s *subscription) watchLayout(ctx context.Context, changed func()) {
	tick := time.NewTicker(s.cfg.PartitionWatchInterval)
	defer tick.Stop()
	for {
		// A failure here is no news: fetching will tell, if it lasts.
		if is, err := s.lookAtLayout(ctx); err == nil && is {
			changed()
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
