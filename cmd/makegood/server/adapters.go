package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/wire"
	"github.com/makegood/makegood/projections/ledger"
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

// NewStored makes the codec's reader fit what the ledger keeps.
func NewStored() ledger.DecodeStored {
	var decoder wire.Decoder
	return func(e *domain.Event, data []byte) (*domain.Event, error) {
		read, err := decoder.Stored(e, data)
		if err != nil {
			return nil, err
		}
		return &read.Event, nil
	}
}

// NewDecode makes the codec's reader fit who looks at the log as it is.
func NewDecode() ledger.Decode { return NewPrivateDecode(nil) }

// NewPrivateDecode makes the codec's reader fit the projector: what of people may not be kept is hidden. That may stand
// in the log where a producer wrote there without the gateway. The content hash is of what stands in the log.
func NewPrivateDecode(privacy *wire.Privacy) ledger.Decode {
	decoder := wire.Decoder{Privacy: privacy}
	return func(headers message.Metadata, value []byte) (*domain.Envelope, error) {
		e, err := decoder.Kafka(headers, value)
		if err == nil {
			return e, nil
		}
		var fault *wire.Error
		if !errors.As(err, &fault) {
			return nil, fmt.Errorf("read an event: %w", err)
		}
		detail := fault.Detail
		if privacy != nil && fault.Code != wire.CodeUnknownType {
			detail = wire.WithoutQuotes(detail) // a dead letter shows it
		}
		return nil, &ledger.Rejection{Code: fault.Code, Pointer: fault.Pointer, Detail: detail, Source: fault.Source,
			EventID: fault.ID}
	}
}
