package kafka

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// delivery is one record on its way through a subscription, and at the same
// time the context of its message. That makes the position of a message free:
// deliveries lie in slabs, and finding one is a type assertion.
type delivery struct {
	parent    context.Context // a delivery is a context
	msg       *message.Message
	topic     string
	key       []byte
	value     []byte
	headers   []byte // packed
	offset    int64
	next      int64 // what to commit once this and all before it are acknowledged
	time      int64 // ms
	partition int32
	nheader   int32
	size      int32
	nacks     int32 // so often has it been refused
	logTime   bool
	waiting   bool // refused, and not yet handed over again
	unseen    bool // taken back before anybody received it

	mu   sync.Mutex
	done chan struct{}
}

var _ context.Context = (*delivery)(nil)

// slab is the stock that deliveries are taken from: one allocation for many.
type slab struct {
	free    []delivery
	headers string // of the record before: mostly those of the next as well
}

const slabSize = 256

func (s *slab) take() *delivery {
	if len(s.free) == 0 {
		s.free = make([]delivery, slabSize)
	}
	d := &s.free[0]
	s.free = s.free[1:]
	return d
}

// text is packed headers as a string: the same one for records with the same headers.
func (s *slab) text(headers []byte) string {
	if string(headers) != s.headers {
		s.headers = string(headers)
	}
	return s.headers
}

// load fills a delivery from a record.
func (d *delivery) load(parent context.Context, tp TopicPartition, b *batch, r *rawRecord, from *slab) {
	d.parent = parent
	d.topic, d.partition = tp.Topic, int32(tp.Partition)
	d.offset, d.next = r.offset, r.offset+1
	d.time, d.logTime = r.time, b.logAppendTime
	d.key, d.value, d.headers, d.nheader = r.key, r.value, r.headers, int32(r.nheader)
	d.size = int32(r.size)
	d.mint(from.text(r.headers))
}

// mint makes the message that is handed over. headers are d's, as one string, of which the names and values are parts.
func (d *delivery) mint(headers string) {
	d.msg = message.NewMessage("", d.value)
	d.msg.SetContext(d)
	if d.nheader == 0 {
		return
	}
	eachHeader(d.headers, int(d.nheader), func(key, keyEnd, value, valueEnd int) {
		v := ""
		if value >= 0 {
			v = headers[value:valueEnd]
		}
		if k := headers[key:keyEnd]; k == UUIDHeader {
			d.msg.UUID = v
		} else {
			d.msg.Metadata[k] = v
		}
	})
}

// again is the same record with a new message, to hand over once more. It is
// made from the log's bytes, whatever the consumer did to the metadata of the
// message that it refused.
func (d *delivery) again() *delivery {
	n := &delivery{
		parent: d.parent, topic: d.topic, key: d.key, value: d.value, headers: d.headers,
		offset: d.offset, next: d.next, time: d.time, partition: d.partition, nheader: d.nheader,
		size: d.size, nacks: d.nacks + 1, logTime: d.logTime, waiting: true,
	}
	n.mint(string(n.headers))
	return n
}

// settled says what the consumer has said: nothing, ack or nack.
func (d *delivery) settled() (acked, nacked bool) {
	select {
	case <-d.msg.Acked():
		return true, false
	default:
	}
	select {
	case <-d.msg.Nacked():
		return false, true
	default:
		return false, false
	}
}

// Deadline is that of the context that the subscription was made with.
func (d *delivery) Deadline() (time.Time, bool) { return d.parent.Deadline() }

// Done is closed when the message is settled or the subscription's context ends.
func (d *delivery) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done == nil {
		done := make(chan struct{})
		d.done = done
		if d.Err() != nil {
			close(done)
			return done
		}
		acked, nacked := d.msg.Acked(), d.msg.Nacked()
		go func() {
			defer close(done)
			select {
			case <-acked:
			case <-nacked:
			case <-d.parent.Done():
			}
		}()
	}
	return d.done
}

// Err says why Done is closed.
func (d *delivery) Err() error {
	if err := d.parent.Err(); err != nil {
		return err
	}
	if acked, nacked := d.settled(); acked || nacked {
		return context.Canceled
	}
	return nil
}

// Value finds the delivery itself, else what the subscription's context has.
func (d *delivery) Value(key any) any {
	if key == (deliveryKey{}) {
		return d
	}
	return d.parent.Value(key)
}

type deliveryKey struct{}

func deliveryOf(msg *message.Message) (*delivery, bool) {
	ctx := msg.Context()
	if d, ok := ctx.(*delivery); ok {
		return d, true
	}
	d, ok := ctx.Value(deliveryKey{}).(*delivery)
	return d, ok
}

func (d *delivery) position() Position {
	return Position{
		Topic: d.topic, Partition: int(d.partition), Offset: d.offset,
		Time: time.UnixMilli(d.time), LogTime: d.logTime,
	}
}

// PositionOf says where a received message stands in the log. It answers false
// for messages that didn't come from a Subscriber of this package, and for
// copies that dropped the context. It doesn't allocate.
func PositionOf(msg *message.Message) (Position, bool) {
	d, ok := deliveryOf(msg)
	if !ok {
		return Position{}, false
	}
	return d.position(), true
}

// KeyOf gives the key of a received message, nil where the log holds null.
func KeyOf(msg *message.Message) ([]byte, bool) {
	d, ok := deliveryOf(msg)
	if !ok {
		return nil, false
	}
	return d.key, true
}

// RecordOf gives the whole record behind a received message: what metadata
// can't hold as well, such as null values and headers that repeat.
func RecordOf(msg *message.Message) (Record, bool) {
	d, ok := deliveryOf(msg)
	if !ok {
		return Record{}, false
	}
	return Record{Position: d.position(), Key: d.key, Value: d.value,
		Headers: unpackHeaders(d.headers, int(d.nheader))}, true
}

func unpackHeaders(packed []byte, n int) []Header {
	if n == 0 {
		return nil
	}
	headers := make([]Header, 0, n)
	eachHeader(packed, n, func(key, keyEnd, value, valueEnd int) {
		h := Header{Key: string(packed[key:keyEnd])}
		if value >= 0 {
			h.Value = packed[value:valueEnd:valueEnd]
		}
		headers = append(headers, h)
	})
	return headers
}

// Message is the record as a Subscriber hands it over, for who reads it in another
// way. Nobody waits for its Ack.
func (r Record) Message(ctx context.Context) *message.Message {
	var packed []byte
	for _, h := range r.Headers {
		packed = appendString(packed, h.Key)
		if h.Value == nil {
			packed = binary.AppendVarint(packed, -1)
		} else {
			packed = appendString(packed, string(h.Value))
		}
	}
	d := &delivery{parent: ctx, topic: r.Topic, partition: int32(r.Partition), offset: r.Offset, next: r.Offset + 1,
		time: r.Time.UnixMilli(), logTime: r.LogTime, key: r.Key, value: r.Value, headers: packed,
		nheader: int32(len(r.Headers))}
	d.mint(string(packed))
	return d.msg
}
