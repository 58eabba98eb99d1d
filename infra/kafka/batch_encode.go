package kafka

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/bits"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/segmentio/kafka-go/compress"
)

// batchWriter packs messages into one record batch at the end of a buffer.
type batchWriter struct {
	start       int // of the batch in the buffer
	count       int
	firstTime   int64
	maxTime     int64
	compression compress.Compression
}

// begin reserves the batch's head.
func (w *batchWriter) begin(buf []byte, c compress.Compression) []byte {
	*w = batchWriter{start: len(buf), compression: c}
	return append(buf, make([]byte, batchHeadLen)...)
}

// add packs one message.
func (w *batchWriter) add(buf []byte, msg *message.Message, now time.Time) []byte {
	ms := recordTime(msg, now).UnixMilli()
	if w.count == 0 {
		w.firstTime, w.maxTime = ms, ms
	}
	w.maxTime = max(w.maxTime, ms)
	timeDelta, offsetDelta := ms-w.firstTime, int64(w.count)
	w.count++

	key, hasKey := msg.Metadata[PartitionKey]
	body := 1 + varintLen(timeDelta) + varintLen(offsetDelta) + messageBytes(msg, key, hasKey)
	buf = binary.AppendVarint(buf, int64(body))
	buf = append(buf, 0)
	buf = binary.AppendVarint(buf, timeDelta)
	buf = binary.AppendVarint(buf, offsetDelta)
	if hasKey {
		buf = appendString(buf, key)
	} else {
		buf = binary.AppendVarint(buf, -1)
	}
	if msg.Payload == nil {
		buf = binary.AppendVarint(buf, -1)
	} else {
		buf = binary.AppendVarint(buf, int64(len(msg.Payload)))
		buf = append(buf, msg.Payload...)
	}
	buf = binary.AppendVarint(buf, int64(headerCount(msg, hasKey)))
	if msg.UUID != "" {
		buf = appendString(buf, UUIDHeader)
		buf = appendString(buf, msg.UUID)
	}
	for k, v := range msg.Metadata {
		if k == PartitionKey {
			continue
		}
		buf = appendString(buf, k)
		buf = appendString(buf, v)
	}
	return buf
}

// end fills the head in, once all messages are in the buffer.
func (w *batchWriter) end(buf []byte) []byte {
	if w.compression != compress.None {
		var packed bytes.Buffer
		z := w.compression.Codec().NewWriter(&packed)
		if _, err := z.Write(buf[w.start+batchHeadLen:]); err != nil {
			panic(fmt.Sprintf("compressing a batch with %s in memory: %v", w.compression, err))
		}
		if err := z.Close(); err != nil {
			panic(fmt.Sprintf("compressing a batch with %s in memory: %v", w.compression, err))
		}
		buf = append(buf[:w.start+batchHeadLen], packed.Bytes()...)
	}
	head := buf[w.start:]
	be := binary.BigEndian
	be.PutUint64(head[0:], 0)                                // base offset: the broker's to give
	be.PutUint32(head[8:], uint32(len(head)-batchPrefixLen)) // length
	be.PutUint32(head[12:], ^uint32(0))                      // leader epoch: unknown to us
	head[16] = 2                                             // format
	be.PutUint16(head[21:], uint16(w.compression))           // attributes
	be.PutUint32(head[23:], uint32(w.count-1))               // last offset delta
	be.PutUint64(head[27:], uint64(w.firstTime))             // first time
	be.PutUint64(head[35:], uint64(w.maxTime))               // max time
	be.PutUint64(head[43:], ^uint64(0))                      // no producer id
	be.PutUint16(head[51:], ^uint16(0))                      // no producer epoch
	be.PutUint32(head[53:], ^uint32(0))                      // no sequence
	be.PutUint32(head[57:], uint32(w.count))
	be.PutUint32(head[17:], crc32.Checksum(head[21:], castagnoli))
	return buf
}

// recordBound is an upper bound of what a message takes in a batch.
func recordBound(msg *message.Message) int {
	key, hasKey := msg.Metadata[PartitionKey]
	return 5 + 1 + binary.MaxVarintLen64 + 5 + messageBytes(msg, key, hasKey)
}

// messageBytes is what key, value and headers take when packed.
func messageBytes(msg *message.Message, key string, hasKey bool) int {
	n := 1
	if hasKey {
		n = stringLen(key)
	}
	if msg.Payload == nil {
		n++
	} else {
		n += varintLen(int64(len(msg.Payload))) + len(msg.Payload)
	}
	n += varintLen(int64(headerCount(msg, hasKey)))
	if msg.UUID != "" {
		n += stringLen(UUIDHeader) + stringLen(msg.UUID)
	}
	for k, v := range msg.Metadata {
		if k != PartitionKey {
			n += stringLen(k) + stringLen(v)
		}
	}
	return n
}

func headerCount(msg *message.Message, hasKey bool) int {
	n := len(msg.Metadata)
	if hasKey {
		n--
	}
	if msg.UUID != "" {
		n++
	}
	return n
}

func appendString(buf []byte, s string) []byte {
	return append(binary.AppendVarint(buf, int64(len(s))), s...)
}

func stringLen(s string) int { return varintLen(int64(len(s))) + len(s) }

// varintLen is how many bytes a zigzag varint takes.
func varintLen(n int64) int {
	return (bits.Len64(uint64(n<<1^n>>63)|1) + 6) / 7
}
