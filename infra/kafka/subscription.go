package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	kafkago "github.com/segmentio/kafka-go"
)

// subscription is one call of Subscribe: a member of the group, from generation
// to generation.
type subscription struct {
	*Subscriber
	topics []string
	ctx    context.Context //nolint:containedctx // given by the caller for all messages
	out    chan *message.Message
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
	group, err := kafkago.NewConsumerGroup(kafkago.ConsumerGroupConfig{
		ID:                s.cfg.Group,
		Brokers:           s.cfg.Brokers,
		Dialer:            s.dialer,
		Topics:            s.topics,
		HeartbeatInterval: s.cfg.HeartbeatInterval,
		SessionTimeout:    s.cfg.SessionTimeout,
		RebalanceTimeout:  s.cfg.RebalanceTimeout,
		JoinGroupBackoff:  s.cfg.RetryDelay,
		Timeout:           s.cfg.RequestTimeout,
		StartOffset:       kafkago.FirstOffset,
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
	defer closing.Wait()
	for failures := 0; ; {
		gen, err := group.Next(ctx)
		switch {
		case err == nil:
			failures = 0
			done := make(chan struct{})
			gen.Start(func(genCtx context.Context) {
				defer close(done)
				s.runGeneration(genCtx, gen)
			})
			<-done
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
	s.cluster.log.Info("kafka: partitions assigned", "group", s.cfg.Group, "generation", gen.ID, "partitions", assigned)
	var watching sync.WaitGroup
	watching.Go(func() { s.watchPartitions(ctx, cancel) })
	s.read(ctx, assigned, gen.CommitOffsets)
	cancel()
	watching.Wait()
}

// runAlone reads all partitions from their beginnings and commits nothing.
func (s *subscription) runAlone(ctx context.Context) {
	for failures := 0; ctx.Err() == nil; {
		assigned, err := s.allPartitions(ctx)
		if err != nil {
			failures++
			s.retryWait(ctx, failures, err, s.problem)
			continue
		}
		// New partitions would have to be read from their beginnings while the
		// others go on; there is no such need yet, so they are only told of.
		watchCtx, cancel := context.WithCancel(ctx)
		var watching sync.WaitGroup
		watching.Go(func() { s.watchPartitions(watchCtx, func() {}) })
		s.read(ctx, assigned, nil)
		cancel()
		watching.Wait()
		return
	}
}

func (s *subscription) allPartitions(ctx context.Context) (map[TopicPartition]int64, error) {
	assigned := map[TopicPartition]int64{}
	for _, topic := range s.topics {
		n, err := s.cluster.partitions(ctx, topic)
		if err != nil {
			return nil, err
		}
		for i := range n {
			assigned[TopicPartition{topic, i}] = kafkago.FirstOffset
		}
	}
	return assigned, nil
}

// read runs the partitions until ctx ends, committing on the way, then drains
// them and commits what was acknowledged.
func (s *subscription) read(ctx context.Context, assigned map[TopicPartition]int64, commit func(map[string]map[int]int64) error) {
	parts := make([]*partition, 0, len(assigned))
	var reading sync.WaitGroup
	c := &committer{sub: s, commit: commit, done: map[TopicPartition]int64{}}
	for tp, from := range assigned {
		p := newPartition(s, tp)
		parts = append(parts, p)
		c.done[tp] = from
		reading.Go(func() { p.run(ctx, from) })
	}
	c.parts = parts
	c.every(ctx, s.cfg.CommitInterval)
	reading.Wait()
	s.takeBack()
	s.drain(parts)
	c.flush()
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

func (s *subscription) drain(parts []*partition) {
	over, cancel := context.WithTimeout(context.Background(), s.cfg.DrainTimeout)
	defer cancel()
	for _, p := range parts {
		if late := p.drain(over.Done()); late > 0 {
			p.problem(Problem{
				Kind: DrainTimedOut, Topic: p.tp.Topic, Partition: p.tp.Partition,
				Err: fmt.Errorf("%d messages were not settled within %v", late, s.cfg.DrainTimeout),
			})
		}
	}
}

// watchPartitions looks now and then whether the topics have got other numbers
// of partitions, says so, and calls changed.
func (s *subscription) watchPartitions(ctx context.Context, changed func()) {
	known := map[string]int{}
	tick := time.NewTicker(s.cfg.PartitionWatchInterval)
	defer tick.Stop()
	for {
		for _, topic := range s.topics {
			res, err := s.cluster.describe(ctx, topic)
			n := 0
			switch {
			case err == nil:
				n = len(res.Topics[0].Partitions)
			case !errors.Is(err, kafkago.UnknownTopicOrPartition):
				continue // fetching will tell, if it lasts
			}
			was, seen := known[topic]
			known[topic] = n
			if seen && was != n {
				s.problem(Problem{
					Kind: PartitionsChanged, Topic: topic, Partition: -1,
					Err: fmt.Errorf("the topic had %d partitions and now has %d", was, n),
				})
				changed()
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
