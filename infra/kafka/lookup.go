package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// lookupBytes is what a fetch for one record may bring; the broker answers with a whole batch at least.
const lookupBytes = 16 << 10

// errPassedOver says that there is no such record to be had.
var errPassedOver = errors.New("the log went on past the record")

// Record reads one record back by its place; false where the log has it no more, or never gave it to anybody, also
// since there is no such partition. Failures of the cluster are retried until ctx ends.
func (a *Admin) Record(ctx context.Context, tp TopicPartition, offset int64) (found Record, ok bool, err error) {
	if offset < 0 {
		return Record{}, false, nil
	}
	err = retry(ctx, func() error {
		switch n, err := a.cluster.partitions(ctx, tp.Topic); {
		case errors.Is(err, kafkago.UnknownTopicOrPartition), err == nil && (tp.Partition < 0 || tp.Partition >= n):
			return &permanentError{errPassedOver}
		case err != nil:
			return err
		}
		r := reader{cluster: a.cluster, tp: tp, offset: offset,
			limits:  fetchLimits{maxBytes: lookupBytes, maxWait: 100 * time.Millisecond},
			problem: func(Problem) {}} // that it's gone is the answer
		for r.offset <= offset && !ok {
			before := r.offset
			err := r.read(ctx, func(b *batch, raw *rawRecord) {
				if raw.offset == offset {
					found, ok = Record{
						Position: Position{Topic: tp.Topic, Partition: tp.Partition, Offset: offset, Time: time.UnixMilli(raw.time),
							LogTime: b.logAppendTime},
						Key: raw.key, Value: raw.value, Headers: unpackHeaders(raw.headers, raw.nheader),
					}, true
				}
			})
			switch {
			case errors.Is(err, errTruncated):
				return &permanentError{errPassedOver}
			case err != nil:
				return err
			case r.offset == before:
				return &permanentError{errPassedOver} // the log ends here
			}
		}
		return nil
	})
	if errors.Is(err, errPassedOver) {
		return Record{}, false, nil
	}
	if err != nil {
		return Record{}, false, fmt.Errorf("kafka: reading %s at %d: %w", tp, offset, err)
	}
	return found, ok, nil
}
