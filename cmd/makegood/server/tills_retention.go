package server

import (
	"context"
	"time"

	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/projections/deadletter"
)

// expireEvery is how often what tills sent is looked through for what is old enough to be deleted.
const expireEvery = time.Hour

// expireBodies deletes what tills sent when its time is over, until ctx ends. It first says what it will delete:
// whoever has upgraded to a version that deletes, or has set a shorter time, can still change that.
func (a *App) expireBodies(ctx context.Context) {
	if a.Config.TillsRetention <= 0 {
		return
	}
	note := func(err error) {
		if err != nil && ctx.Err() == nil {
			a.logger.Warn("what tills sent can't be deleted now: it is tried again", "error", err)
		}
	}
	note(a.announceExpiry(ctx, a.Now().Add(-a.Config.TillsRetention)))
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(expireEvery):
		}
		note(a.ExpireBodies(ctx, a.Now().Add(-a.Config.TillsRetention)))
	}
}

// oldBodies are the bodies that came before a time and are mapped.
type oldBodies struct {
	starts map[kafka.TopicPartition]int64 // where each partition begins
	ends   map[kafka.TopicPartition]int64 // the offset after the last one, for each partition that has some
}

func (a *App) oldBodies(ctx context.Context, came time.Time) (oldBodies, error) {
	topic := a.Config.tillsTopic()
	old := oldBodies{ends: map[kafka.TopicPartition]int64{}}
	young, err := a.Admin.OffsetsAt(ctx, came, topic)
	if err != nil {
		return old, err
	}
	if old.starts, err = a.Admin.Starts(ctx, topic); err != nil {
		return old, err
	}
	mapped, err := a.Admin.Committed(ctx, a.Config.Prefix+mapperGroup, topic)
	if err != nil {
		return old, err
	}
	for tp, end := range young {
		if end = min(end, mapped[tp]); end > old.starts[tp] { // mapped is 0 where nothing is committed
			old.ends[tp] = end
		}
	}
	return old, nil
}

func (a *App) announceExpiry(ctx context.Context, came time.Time) error {
	old, err := a.oldBodies(ctx, came)
	for tp, end := range old.ends {
		a.logger.Info("what tills sent will be deleted, but for what an open dead letter needs: --tills-retention says how"+
			" long it is kept", "in", expireEvery, "topic", tp.Topic, "partition", tp.Partition, "bodies", end-old.starts[tp],
			"before", came.UTC())
	}
	return err
}

// ExpireBodies deletes what tills sent before a time: of each partition what stands before the first body that is
// younger, isn't mapped yet, or is needed by a dead letter that nobody has dealt with. Where the store had lost such
// letters, it brings them back and deletes nothing.
func (a *App) ExpireBodies(ctx context.Context, came time.Time) error {
	a.told.mu.Lock()
	defer a.told.mu.Unlock()
	old, err := a.oldBodies(ctx, came)
	if err != nil || len(old.ends) == 0 {
		return err
	}
	switch lost, err := a.restoreLetters(ctx, old.starts); {
	case err != nil:
		return err
	case lost > 0:
		a.logger.Error("ClickHouse had lost dead letters of what tills sent: they are open again, and nothing is deleted"+
			" this time", "dead_letters", lost)
		return nil
	}
	starts := map[int32]int64{}
	for tp, start := range old.starts {
		starts[int32(tp.Partition)] = start
	}
	needed, err := deadletter.Needs(ctx, a.Store.DB, a.Config.tillsTopic(), starts)
	if err != nil {
		return err
	}
	before := map[kafka.TopicPartition]int64{}
	for tp, to := range old.ends {
		if first, is := needed[int32(tp.Partition)]; is && first < to {
			a.logger.Warn("what tills sent is kept longer than --tills-retention, because a dead letter needs it: replay or"+
				" discard that letter", "topic", tp.Topic, "partition", tp.Partition, "offset", first)
			to = first
		}
		if to > old.starts[tp] {
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
		a.logger.Info("deleted what tills sent", "topic", tp.Topic, "partition", tp.Partition, "bodies", to-old.starts[tp],
			"before", came.UTC())
	}
	return nil
}
