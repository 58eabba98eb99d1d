package server

import (
	"context"
	"time"

	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/projections/deadletter"
)

// expireEvery is how often what tills sent is looked through for what is old enough to be deleted.
const expireEvery = time.Hour

// expireBodies deletes what tills sent when its time is over, until ctx ends.
func (a *App) expireBodies(ctx context.Context) {
	if a.Config.TillsRetention <= 0 {
		return
	}
	for {
		if err := a.ExpireBodies(ctx, a.Now().Add(-a.Config.TillsRetention)); err != nil && ctx.Err() == nil {
			a.logger.Warn("what tills sent can't be deleted now: it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(expireEvery):
		}
	}
}

// ExpireBodies deletes what tills sent before a time: of each partition what stands before the first body that is
// younger, isn't mapped yet, or is needed by a dead letter that nobody has dealt with.
func (a *App) ExpireBodies(ctx context.Context, came time.Time) error {
	topic := a.Config.tillsTopic()
	old, err := a.Admin.OffsetsAt(ctx, came, topic)
	if err != nil {
		return err
	}
	starts, err := a.Admin.Starts(ctx, topic)
	if err != nil {
		return err
	}
	mapped, err := a.Admin.Committed(ctx, a.Config.Prefix+mapperGroup, topic)
	if err != nil {
		return err
	}
	needed, err := deadletter.Needs(ctx, a.Store.Reports, topic)
	if err != nil {
		return err
	}
	before := map[kafka.TopicPartition]int64{}
	for tp, end := range old {
		to := min(end, mapped[tp]) // of one that nothing is committed of: 0
		if first, is := needed[int32(tp.Partition)]; is && first < to {
			a.logger.Warn("what tills sent is kept longer than --tills-retention, because a dead letter needs it: replay or"+
				" discard that letter", "topic", topic, "partition", tp.Partition, "offset", first)
			to = first
		}
		if to > starts[tp] {
			before[tp] = to
		}
	}
	if len(before) == 0 {
		return nil
	}
	if err := a.Admin.DeleteRecords(ctx, before); err != nil {
		return err
	}
	for tp, to := range before {
		a.logger.Info("deleted what tills sent", "topic", topic, "partition", tp.Partition, "bodies", to-starts[tp],
			"before", came.UTC())
	}
	return nil
}
