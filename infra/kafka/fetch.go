package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
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
// The request and the answer's frame are coded here, by hand: the whole answer
// is read into one buffer, and records are cut out of it without a copy.
func (c *cluster) fetch(ctx context.Context, leader int32, tp TopicPartition, offset int64,
	lim fetchLimits) (fetched, error) {
	got, err := c.exchange(ctx, leader, protocol.Fetch, func(conn *protocol.Conn, version int16) (any, error) {
		if version < 4 || version > 11 {
			return nil, fmt.Errorf("the broker speaks version %d of fetch; 4 to 11 are understood", version)
		}
		if _, err := conn.Write(appendFetch(nil, version, c.cfg.ClientID, tp, offset, lim)); err != nil {
			return nil, err
		}
		answer, err := readAnswer(conn)
		if err != nil {
			return nil, err
		}
		f, err := parseFetched(answer, version, tp)
		return f, err
	})
	if err != nil {
		return fetched{}, fmt.Errorf("fetching %s from offset %d of broker %d: %w", tp, offset, leader, err)
	}
	return got.(fetched), nil
}

func appendFetch(b []byte, version int16, client string, tp TopicPartition, offset int64, lim fetchLimits) []byte {
	be := binary.BigEndian
	b = appendRequestHead(b, protocol.Fetch, version, client)
	b = be.AppendUint32(b, ^uint32(0)) // not a replica
	b = be.AppendUint32(b, uint32(lim.maxWait.Milliseconds()))
	b = be.AppendUint32(b, 1) // bytes at least: answer as soon as there is anything
	b = be.AppendUint32(b, uint32(lim.maxBytes))
	b = append(b, 1) // read committed: what a producer took back is no event
	if version >= 7 {
		b = be.AppendUint32(b, 0)          // no fetch session
		b = be.AppendUint32(b, ^uint32(0)) // nor one to begin
	}
	b = be.AppendUint32(b, 1)
	b = appendKafkaString(b, tp.Topic)
	b = be.AppendUint32(b, 1)
	b = be.AppendUint32(b, uint32(tp.Partition))
	if version >= 9 {
		b = be.AppendUint32(b, ^uint32(0)) // leader epoch: whatever it is
	}
	b = be.AppendUint64(b, uint64(offset))
	if version >= 5 {
		b = be.AppendUint64(b, ^uint64(0)) // log start, for replicas
	}
	b = be.AppendUint32(b, uint32(lim.maxBytes))
	if version >= 7 {
		b = be.AppendUint32(b, 0) // nothing to forget
	}
	if version >= 11 {
		b = appendKafkaString(b, "") // rack
	}
	return endRequest(b)
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

func parseFetched(answer []byte, version int16, tp TopicPartition) (fetched, error) {
	p := parser{data: answer}
	p.int32() // throttled for so long already
	if version >= 7 {
		code := p.int16()
		p.int32() // session
		if code != 0 {
			return fetched{}, kafkago.Error(code)
		}
	}
	if n := p.int32(); p.short || n != 1 {
		return fetched{}, fmt.Errorf("the broker answered for %d topics: %w", n, errShortAnswer)
	}
	if topic := p.string(); topic != tp.Topic {
		return fetched{}, fmt.Errorf("the broker answered for topic %q", topic)
	}
	if n := p.int32(); p.short || n != 1 {
		return fetched{}, fmt.Errorf("the broker answered for %d partitions: %w", n, errShortAnswer)
	}
	if partition := p.int32(); partition != int32(tp.Partition) {
		return fetched{}, fmt.Errorf("the broker answered for partition %d", partition)
	}
	f := fetched{code: kafkago.Error(p.int16()), logStart: -1}
	f.highWater = p.int64()
	p.int64() // last stable offset
	if version >= 5 {
		f.logStart = p.int64()
	}
	if n := p.int32(); n > 0 && int(n) <= len(p.data)/16 {
		f.aborted = make([]abortedTxn, n)
		for i := range f.aborted {
			f.aborted[i] = abortedTxn{producerID: p.int64(), first: p.int64()}
		}
		slices.SortFunc(f.aborted, func(a, b abortedTxn) int { return int(a.first - b.first) })
	}
	if version >= 11 {
		p.int32() // a closer replica
	}
	if size := p.int32(); size > 0 && !p.short {
		if int(size) > len(p.data) {
			return fetched{}, errShortAnswer
		}
		f.records = p.data[:size]
	}
	if p.short {
		return fetched{}, errShortAnswer
	}
	return f, nil
}

// parser reads Kafka's fixed-size fields. It goes on with zeros after the end
// and says so at last.
type parser struct {
	data  []byte
	short bool
}

func (p *parser) take(n int) []byte {
	if n < 0 || n > len(p.data) {
		p.short, p.data = true, nil
		return make([]byte, max(n, 0))
	}
	b := p.data[:n]
	p.data = p.data[n:]
	return b
}

func (p *parser) int16() int16 { return int16(binary.BigEndian.Uint16(p.take(2))) }
func (p *parser) int32() int32 { return int32(binary.BigEndian.Uint32(p.take(4))) }
func (p *parser) int64() int64 { return int64(binary.BigEndian.Uint64(p.take(8))) }

func (p *parser) string() string {
	n := p.int16()
	if n < 0 {
		return ""
	}
	return string(p.take(int(n)))
}
