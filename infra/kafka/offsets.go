package kafka

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/findcoordinator"
	"github.com/segmentio/kafka-go/protocol/leavegroup"
	"github.com/segmentio/kafka-go/protocol/listoffsets"
	"github.com/segmentio/kafka-go/protocol/offsetcommit"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"
)

// logEdge asks a partition's leader for the oldest offset that it still has
// (kafkago.FirstOffset), or for the one after the last (LastOffset).
func (c *cluster) logEdge(ctx context.Context, tp TopicPartition, edge int64) (int64, error) {
	edges, err := c.logEdges(ctx, edge, tp)
	if err != nil {
		return 0, err
	}
	return edges[tp], nil
}

// logEdges asks the leaders for one edge (kafkago.FirstOffset or LastOffset) of
// partitions whose layout is known, one request a leader. The end is the high
// watermark: what is acknowledged counts, although nobody may read it yet
// behind a transaction that is still open.
func (c *cluster) logEdges(ctx context.Context, edge int64, tps ...TopicPartition) (map[TopicPartition]int64, error) {
	byLeader := map[int32]map[string][]listoffsets.RequestPartition{}
	for _, tp := range tps {
		leader, err := c.findLeader(ctx, tp, time.Now())
		if err != nil {
			return nil, err
		}
		if byLeader[leader] == nil {
			byLeader[leader] = map[string][]listoffsets.RequestPartition{}
		}
		byLeader[leader][tp.Topic] = append(byLeader[leader][tp.Topic],
			listoffsets.RequestPartition{Partition: int32(tp.Partition), CurrentLeaderEpoch: -1, Timestamp: edge})
	}
	edges := make(map[TopicPartition]int64, len(tps))
	for leader, topics := range byLeader {
		req := &listoffsets.Request{ReplicaID: -1, IsolationLevel: 0}
		for topic, partitions := range topics {
			req.Topics = append(req.Topics, listoffsets.RequestTopic{Topic: topic, Partitions: partitions})
		}
		doubt := time.Now()
		res, err := ask[*listoffsets.Response](ctx, c, leader, req)
		if err != nil {
			for topic := range topics {
				_ = c.refresh(ctx, topic, doubt)
			}
			return nil, err
		}
		for _, t := range res.Topics {
			for _, p := range t.Partitions {
				tp := TopicPartition{t.Topic, int(p.Partition)}
				if p.ErrorCode != 0 {
					_ = c.refresh(ctx, t.Topic, doubt)
					return nil, fmt.Errorf("%s: %w", tp, kafkago.Error(p.ErrorCode))
				}
				edges[tp] = p.Offset
			}
		}
	}
	return edges, nil
}

// coordinator finds the broker that keeps a group.
func (c *cluster) coordinator(ctx context.Context, group string) (int32, error) {
	found, err := ask[*findcoordinator.Response](ctx, c, anyBroker, &findcoordinator.Request{Key: group})
	if err != nil {
		return 0, fmt.Errorf("looking for the coordinator: %w", err)
	}
	if found.ErrorCode != 0 {
		return 0, fmt.Errorf("looking for the coordinator: %w", kafkago.Error(found.ErrorCode))
	}
	c.mu.Lock()
	c.brokers[found.NodeID] = net.JoinHostPort(found.Host, strconv.Itoa(int(found.Port)))
	c.mu.Unlock()
	return found.NodeID, nil
}

// commit commits offsets for a member of a group in its generation.
func (c *cluster) commit(ctx context.Context, coordinator int32, gen *kafkago.Generation,
	offsets map[string]map[int]int64) error {
	req := &offsetcommit.Request{GroupID: gen.GroupID, GenerationID: gen.ID, MemberID: gen.MemberID,
		RetentionTimeMs: -1}
	for topic, partitions := range offsets {
		t := offsetcommit.RequestTopic{Name: topic}
		for partition, offset := range partitions {
			t.Partitions = append(t.Partitions, offsetcommit.RequestPartition{PartitionIndex: int32(partition),
				CommittedOffset: offset, CommittedLeaderEpoch: -1})
		}
		req.Topics = append(req.Topics, t)
	}
	res, err := ask[*offsetcommit.Response](ctx, c, coordinator, req)
	if err != nil {
		return err
	}
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 {
				return fmt.Errorf("%s: %w", TopicPartition{t.Name, int(p.PartitionIndex)}, kafkago.Error(p.ErrorCode))
			}
		}
	}
	return nil
}

// leave takes a member out of a group.
func (c *cluster) leave(ctx context.Context, group, member string) error {
	broker, err := c.coordinator(ctx, group)
	if err != nil {
		return err
	}
	res, err := ask[*leavegroup.Response](ctx, c, broker,
		&leavegroup.Request{GroupID: group, Members: []leavegroup.RequestMember{{MemberID: member}}})
	if err != nil {
		return err
	}
	code := res.ErrorCode
	for _, m := range res.Members { // from version 3 on it is said of each
		code = max(code, m.ErrorCode)
	}
	if code != 0 {
		return kafkago.Error(code)
	}
	return nil
}

// committed asks for a group's offsets of partitions.
func (c *cluster) committed(ctx context.Context, group string, tps []TopicPartition) (map[TopicPartition]int64, error) {
	broker, err := c.coordinator(ctx, group)
	if err != nil {
		return nil, err
	}
	indexes := map[string][]int32{}
	for _, tp := range tps {
		indexes[tp.Topic] = append(indexes[tp.Topic], int32(tp.Partition))
	}
	req := &offsetfetch.Request{GroupID: group}
	for topic, partitions := range indexes {
		req.Topics = append(req.Topics, offsetfetch.RequestTopic{Name: topic, PartitionIndexes: partitions})
	}
	res, err := ask[*offsetfetch.Response](ctx, c, broker, req)
	if err != nil {
		return nil, err
	}
	committed := map[TopicPartition]int64{}
	switch kafkago.Error(res.ErrorCode) {
	case 0:
	case kafkago.GroupIdNotFound:
		return committed, nil // nobody of it was ever there
	default:
		return nil, kafkago.Error(res.ErrorCode)
	}
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			tp := TopicPartition{t.Name, int(p.PartitionIndex)}
			if p.ErrorCode != 0 {
				return nil, fmt.Errorf("%s: %w", tp, kafkago.Error(p.ErrorCode))
			}
			if p.CommittedOffset >= 0 {
				committed[tp] = p.CommittedOffset
			}
		}
	}
	return committed, nil
}
