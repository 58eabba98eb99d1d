package kafka

import (
	"fmt"
	"time"
)

// Header is one header of a record. Keys may repeat.
type Header struct {
	Key   string
	Value []byte
}

// Record is one record as the log holds it. Its slices share memory with the
// fetch that brought it: keep them as long as you like, but don't write to them.
type Record struct {
	Position
	// Key and Value are nil where the log holds null, which isn't the same as empty.
	Key, Value []byte
	Headers    []Header
}

// Position is where a record stands.
type Position struct {
	Topic     string
	Partition int
	Offset    int64
	// Time is the record's time in milliseconds. Unless LogTime is set it is
	// the producer's claim.
	Time time.Time
	// LogTime says that the broker gave the time when it appended the record
	// (message.timestamp.type=LogAppendTime).
	LogTime bool
}

// String is topic/partition@offset.
func (p Position) String() string { return fmt.Sprintf("%s/%d@%d", p.Topic, p.Partition, p.Offset) }

// TopicPartition names one partition.
type TopicPartition struct {
	Topic     string
	Partition int
}

// String is topic/partition.
func (tp TopicPartition) String() string { return fmt.Sprintf("%s/%d", tp.Topic, tp.Partition) }
