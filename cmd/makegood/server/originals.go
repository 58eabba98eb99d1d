package server

import (
	"context"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/projections/post"
)

// original reads what the log took at a place.
func (a *App) original(ctx context.Context, at domain.Position) (*post.Original, error) {
	r, ok, err := a.Admin.Record(ctx, kafka.TopicPartition{Topic: a.Config.Topic(at.Stream), Partition: int(at.Partition)},
		at.Offset)
	if kafka.Permanent(err) {
		a.logger.Warn("what the log took can't be read back", "stream", at.Stream.String(), "partition", at.Partition,
			"offset", at.Offset, "error", err)
		return nil, nil
	}
	if err != nil || !ok {
		return nil, err
	}
	o := &post.Original{Key: string(r.Key), Payload: r.Value, Time: r.Time, Headers: map[string]string{}}
	for _, h := range r.Headers {
		o.Headers[h.Key] = string(h.Value)
	}
	return o, nil
}
