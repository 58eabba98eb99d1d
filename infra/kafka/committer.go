package kafka

import (
	"context"
	"fmt"
	"time"
)

// committer commits the acknowledged prefixes of one generation's partitions.
type committer struct {
	sub    *subscription
	parts  []*partition
	commit func(context.Context, map[string]map[int]int64) error // nil: nothing is committed
	done   map[TopicPartition]int64                              // what is committed
	failed int                                                   // so often in a row
}

// every commits at an interval until ctx ends. A commit that is under way then may
// go on until longer ends: were it given up, it could still reach the broker after
// a later one.
func (c *committer) every(ctx, longer context.Context) {
	if c.commit == nil {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(c.sub.cfg.CommitInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.flush(longer)
		}
	}
}

// flush commits what has moved since the last commit. The generation fences it:
// once the partitions may be somebody else's, the coordinator refuses.
func (c *committer) flush(ctx context.Context) {
	if c.commit == nil {
		return
	}
	offsets := map[string]map[int]int64{}
	for _, p := range c.parts {
		prefix := p.prefix.Load()
		if prefix < 0 || prefix == c.done[p.tp] {
			continue
		}
		if offsets[p.tp.Topic] == nil {
			offsets[p.tp.Topic] = map[int]int64{}
		}
		offsets[p.tp.Topic][p.tp.Partition] = prefix
	}
	if len(offsets) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, c.sub.cfg.CommitTimeout)
	defer cancel()
	if err := c.commit(ctx, offsets); err != nil {
		if c.failed++; c.failed == 1 || c.failed%30 == 0 {
			c.sub.problem(Problem{Kind: CommitFailing, Partition: -1,
				Err: fmt.Errorf("committing %v for group %q: %w", offsets, c.sub.cfg.Group, err)})
		}
		return
	}
	c.failed = 0
	for topic, partitions := range offsets {
		for partition, offset := range partitions {
			c.done[TopicPartition{topic, partition}] = offset
		}
	}
}
