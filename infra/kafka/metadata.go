package kafka

import (
	"context"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// Names that this package reserves among a message's metadata.
const (
	// PartitionKey is the metadata under which Publish finds the record's key.
	// The key decides the partition and is not sent as a header. It is not set
	// on received messages, which would cost a map entry each: see KeyOf.
	PartitionKey = "makegood.partition_key"

	// UUIDHeader carries a message's UUID where it has one. It is the name that
	// other users of watermill on Kafka know.
	UUIDHeader = "_watermill_message_uuid"
)

type recordTimeKey struct{}

// WithRecordTime gives the record of a message published with this context its
// time. Without it the record bears the time of publishing.
func WithRecordTime(ctx context.Context, t time.Time) context.Context {
	return context.WithValue(ctx, recordTimeKey{}, t)
}

func recordTime(msg *message.Message, now time.Time) time.Time {
	if t, ok := msg.Context().Value(recordTimeKey{}).(time.Time); ok {
		return t
	}
	return now
}
