package kafka

import (
	"context"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// kafka-go has no DeleteRecords of its own, but lets requests be added.
func init() { protocol.Register(&deleteRecordsRequest{}, &deleteRecordsResponse{}) }

type deleteRecordsRequest struct {
	Topics    []deleteRecordsTopic `kafka:"min=v0,max=v1"`
	TimeoutMs int32                `kafka:"min=v0,max=v1"`
}

type deleteRecordsTopic struct {
	Name       string                   `kafka:"min=v0,max=v1"`
	Partitions []deleteRecordsPartition `kafka:"min=v0,max=v1"`
}

type deleteRecordsPartition struct {
	Partition int32 `kafka:"min=v0,max=v1"`
	Offset    int64 `kafka:"min=v0,max=v1"`
}

type deleteRecordsResponse struct {
	ThrottleTimeMs int32                 `kafka:"min=v0,max=v1"`
	Topics         []deletedRecordsTopic `kafka:"min=v0,max=v1"`
}

type deletedRecordsTopic struct {
	Name       string                    `kafka:"min=v0,max=v1"`
	Partitions []deletedRecordsPartition `kafka:"min=v0,max=v1"`
}

type deletedRecordsPartition struct {
	Partition    int32 `kafka:"min=v0,max=v1"`
	LowWatermark int64 `kafka:"min=v0,max=v1"`
	ErrorCode    int16 `kafka:"min=v0,max=v1"`
}

// ApiKey is Kafka's number of the request.
func (*deleteRecordsRequest) ApiKey() protocol.ApiKey { return protocol.DeleteRecords }

// ApiKey is Kafka's number of the request.
func (*deleteRecordsResponse) ApiKey() protocol.ApiKey { return protocol.DeleteRecords }

// DeleteRecords deletes what stands before these offsets. From then on nobody can read it; the brokers delete a file of
// a partition once all that is in it is deleted.
func (a *Admin) DeleteRecords(ctx context.Context, before map[TopicPartition]int64) error {
	for tp, offset := range before {
		err := retry(ctx, func() error { return a.cluster.deleteRecords(ctx, tp, offset) })
		if err != nil {
			return fmt.Errorf("kafka: deleting the records of %s before %d: %w", tp, offset, err)
		}
	}
	return nil
}

func (c *cluster) deleteRecords(ctx context.Context, tp TopicPartition, offset int64) error {
	doubt := time.Now()
	leader, err := c.findLeader(ctx, tp, doubt)
	if err != nil {
		return err
	}
	res, err := ask[*deleteRecordsResponse](ctx, c, leader, &deleteRecordsRequest{
		Topics:    []deleteRecordsTopic{{tp.Topic, []deleteRecordsPartition{{int32(tp.Partition), offset}}}},
		TimeoutMs: int32(c.cfg.RequestTimeout.Milliseconds())})
	if err != nil {
		_ = c.refresh(ctx, tp.Topic, doubt)
		return err
	}
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 {
				_ = c.refresh(ctx, tp.Topic, doubt)
				return kafkago.Error(p.ErrorCode)
			}
		}
	}
	return nil
}

// OffsetsAt gives for every partition of a topic the offset of the first record that is not older than a time; where
// all are older, the offset after the last one.
func (a *Admin) OffsetsAt(ctx context.Context, at time.Time, topic string) (map[TopicPartition]int64, error) {
	ends, err := a.Ends(ctx, topic) // asked first: a record that comes after this is not older
	if err != nil {
		return nil, err
	}
	offsets, err := a.edges(ctx, at.UnixMilli(), []string{topic})
	if err != nil {
		return nil, err
	}
	for tp, offset := range offsets {
		if offset < 0 {
			offsets[tp] = ends[tp]
		}
	}
	return offsets, nil
}
