package kafka

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxAnswer guards against taking garbage for a length.
const maxAnswer = 1 << 30

// fetchLimits bounds one fetch.
type fetchLimits struct {
	maxBytes int
	maxWait  time.Duration
}

// fetched is what a leader said to a fetch of one partition.
type fetched struct {
	code      kafkago.Error // of the partition, 0 is none
	highWater int64         // the offset after the last record that consumers may see
	logStart  int64         // the oldest offset still there; -1 is unknown
	aborted   []abortedTxn
	records   []byte // ours alone: nothing else refers to it
}

type abortedTxn struct{ producerID, first int64 }

var errShortAnswer = errors.New("the broker's answer ends too early")

// fetch asks a partition's leader for records from an offset on. It waits for
// some to come, up to the limit.
//
// Where the broker knows topics by their ids (Kafka 3.1 and newer), the topic is
// asked for by the id that it had when it was first seen: a topic of the same
// name that was made after it is another one, and is not read.
//
// The whole answer is read into one buffer, and records are cut out of it
// without a copy.
func (c *cluster) fetch(ctx context.Context, leader int32, tp TopicPartition, offset int64,
	lim fetchLimits) (fetched, error) {
	most := fetchByName
	id := c.topicID(tp.Topic)
	if id != (TopicID{}) {
		most = fetchByID
	}
	got, err := c.speak(ctx, leader, fetchRequest(tp, id, offset, lim), most)
	if err != nil {
		return fetched{}, fmt.Errorf("fetching %s from offset %d of broker %d: %w", tp, offset, leader, err)
	}
	f, err := fetchedOf(got.(*kmsg.FetchResponse), tp, id)
	if err != nil {
		return fetched{}, fmt.Errorf("fetching %s from offset %d of broker %d: %w", tp, offset, leader, err)
	}
	return f, nil
}

// The highest versions of fetch that we speak: 12 is the last that names topics,
// 13 the first that has their ids.
const (
	fetchByName int16 = 12
	fetchByID   int16 = 13
)

func fetchRequest(tp TopicPartition, id TopicID, offset int64, lim fetchLimits) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis = int32(lim.maxWait.Milliseconds())
	req.MinBytes = 1 // answer as soon as there is anything
	req.MaxBytes = int32(lim.maxBytes)
	req.IsolationLevel = 1 // read committed: what a producer took back is no event
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = tp.Topic, id
	partition := kmsg.NewFetchRequestTopicPartition()
	partition.Partition, partition.FetchOffset = int32(tp.Partition), offset
	partition.PartitionMaxBytes = int32(lim.maxBytes)
	topic.Partitions = append(topic.Partitions, partition)
	req.Topics = append(req.Topics, topic)
	return req
}

// appendRequestHead begins a request of the non-flexible kind; endRequest ends it.
func appendRequestHead(b []byte, key protocol.ApiKey, version int16, client string) []byte {
	be := binary.BigEndian
	b = be.AppendUint32(b, 0) // length
	b = be.AppendUint16(b, uint16(key))
	b = be.AppendUint16(b, uint16(version))
	b = be.AppendUint32(b, correlationID)
	return appendKafkaString(b, client)
}

func endRequest(b []byte) []byte {
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// correlationID is the same for all requests: a connection carries one at a time.
const correlationID = 1

func appendKafkaString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// readAnswer reads one answer, without its length and correlation id.
func readAnswer(r io.Reader) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length < 4 || length > maxAnswer {
		return nil, fmt.Errorf("the broker announces an answer of %d bytes", length)
	}
	if id := binary.BigEndian.Uint32(head[4:]); id != correlationID {
		return nil, fmt.Errorf("the broker answered request %d, not %d", id, correlationID)
	}
	answer := make([]byte, length-4)
	if _, err := io.ReadFull(r, answer); err != nil {
		return nil, err
	}
	return answer, nil
}

// fetchedOf reads the answer for one partition.
func fetchedOf(answer *kmsg.FetchResponse, tp TopicPartition, id TopicID) (fetched, error) {
	if answer.ErrorCode != 0 {
		return fetched{}, kafkago.Error(answer.ErrorCode)
	}
	if len(answer.Topics) != 1 || len(answer.Topics[0].Partitions) != 1 {
		return fetched{}, fmt.Errorf("the broker answered for %d topics: %w", len(answer.Topics), errShortAnswer)
	}
	t := &answer.Topics[0]
	if answer.Version < fetchByID && t.Topic != tp.Topic || answer.Version >= fetchByID && t.TopicID != id {
		return fetched{}, fmt.Errorf("the broker answered for topic %q %s", t.Topic, TopicID(t.TopicID))
	}
	p := &t.Partitions[0]
	if p.Partition != int32(tp.Partition) {
		return fetched{}, fmt.Errorf("the broker answered for partition %d", p.Partition)
	}
	f := fetched{code: kafkago.Error(p.ErrorCode), highWater: p.HighWatermark, logStart: p.LogStartOffset,
		records: p.RecordBatches}
	for _, a := range p.AbortedTransactions {
		f.aborted = append(f.aborted, abortedTxn{producerID: a.ProducerID, first: a.FirstOffset})
	}
	slices.SortFunc(f.aborted, func(a, b abortedTxn) int { return cmp.Compare(a.first, b.first) })
	return f, nil
}
