package server

import (
	"context"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/projections/post"
)

// Positions tells the projector where in the log a message stands.
func Positions(topics map[domain.Stream]string) func(*message.Message) (domain.Position, bool) {
	streams := map[string]domain.Stream{}
	for s, topic := range topics {
		streams[topic] = s
	}
	return func(m *message.Message) (domain.Position, bool) {
		p, ok := kafka.PositionOf(m)
		s, known := streams[p.Topic]
		return domain.Position{Stream: s, Partition: int32(p.Partition), Offset: p.Offset, Time: p.Time}, ok && known
	}
}

func keyOf(m *message.Message) string {
	key, _ := kafka.KeyOf(m)
	return string(key)
}

// booksLog reads the books stream.
type booksLog struct{ *kafka.Tail }

func (b booksLog) ReadTo(ctx context.Context, end int64, take func(post.BooksRecord) error) error {
	return b.Tail.ReadTo(ctx, end, func(r kafka.Record) error {
		metadata := message.Metadata{}
		for _, h := range r.Headers {
			metadata[h.Key] = string(h.Value)
		}
		return take(post.BooksRecord{Offset: r.Offset, Time: r.Time, Metadata: metadata, Value: r.Value})
	})
}
