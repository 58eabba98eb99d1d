package server

import (
	"context"
	"fmt"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/projections/post"
)

// booked is what the projectors' group has committed. The server of ClickHouse that is read from now on has all of it:
// of a cluster, another server may have acknowledged it alone, while this one was away. See clickhouse.Store.AtOne.
func (a *App) booked(ctx context.Context) (map[kafka.TopicPartition]int64, error) {
	committed, err := a.Admin.Committed(ctx, a.Config.Group, a.Config.topics()...)
	if err != nil {
		return nil, fmt.Errorf("ask what is booked: %w", err)
	}
	return committed, a.catchUp(ctx)
}

// catchUp waits until the server of ClickHouse that is read has what others of its cluster have acknowledged.
func (a *App) catchUp(ctx context.Context) error {
	if catchUp := a.Store.CatchUp(); catchUp != nil {
		return catchUp(ctx)
	}
	return nil
}

// bookedLog is the log as the projector's checks in the background need it.
type bookedLog struct{ *App }

var _ post.Log = bookedLog{}

// Committed is what the projectors' group has committed.
func (l bookedLog) Committed(ctx context.Context) (map[domain.Partition]int64, error) {
	committed, err := l.Admin.Committed(ctx, l.Config.Group, l.Config.topics()...)
	return l.byStream(committed), err
}

// Starts is where the partitions begin.
func (l bookedLog) Starts(ctx context.Context) (map[domain.Partition]int64, error) {
	starts, err := l.Admin.Starts(ctx, l.Config.topics()...)
	return l.byStream(starts), err
}

func (l bookedLog) byStream(of map[kafka.TopicPartition]int64) map[domain.Partition]int64 {
	streams := map[string]domain.Stream{}
	for s := domain.Orders; s <= domain.Books; s++ {
		streams[l.Config.Topic(s)] = s
	}
	all := map[domain.Partition]int64{}
	for p, offset := range of {
		all[domain.Partition{Stream: streams[p.Topic], Number: int32(p.Partition)}] = offset
	}
	return all
}

// Read reads a part of a partition, without the group.
func (l bookedLog) Read(ctx context.Context, of domain.Partition, from, upto int64,
	take func(*message.Message) error) (err error) {
	tail, err := kafka.NewTail(kafka.TailConfig{Config: l.kafkaConfig(), Topic: l.Config.Topic(of.Stream),
		Partition: int(of.Number), From: from})
	if err != nil {
		return err
	}
	defer func() {
		if closed := tail.Close(); err == nil && closed != nil {
			err = fmt.Errorf("close a reader of the log: %w", closed)
		}
	}()
	return tail.ReadTo(ctx, upto, func(r kafka.Record) error { return take(r.Message(ctx)) })
}
