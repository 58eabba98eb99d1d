package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/segmentio/kafka-go/compress"
)

// We cut records out of the fetched bytes ourselves. kafka-go's decoder copies
// them into pages and back out, several allocations a record, and takes every
// record's time from the producer even where the broker gave one.

const (
	batchHeadLen   = 61 // a record batch without its records
	batchPrefixLen = 12 // base offset and length, which the length doesn't count

	attrCompression   = 0x07
	attrLogAppendTime = 0x08
	attrTransactional = 0x10
	attrControl       = 0x20

	// maxInflated bounds what one compressed batch may become: far beyond what
	// a broker accepts by default, far below what would hurt.
	maxInflated = 256 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errCorrupt is what a batch that doesn't hold together is.
var errCorrupt = errors.New("corrupt record batch")

// batch is one record batch of the log. Its records are still packed.
type batch struct {
	base, last    int64 // offsets of its first and last record, both of which may be compacted away
	attributes    int16
	firstTime     int64 // ms
	maxTime       int64 // ms
	producerID    int64
	count         int
	records       []byte // inflated
	logAppendTime bool
}

func (b *batch) control() bool       { return b.attributes&attrControl != 0 }
func (b *batch) transactional() bool { return b.attributes&attrTransactional != 0 }

// abort reports, of a control batch, whether it ends its producer's transaction
// with an abort.
func (b *batch) abort() bool {
	var r rawRecord
	rest, err := r.read(b, b.records)
	_ = rest
	return err == nil && len(r.key) >= 4 && binary.BigEndian.Uint16(r.key[2:]) == 0
}

// nextBatch takes the first batch off data. more is false where the data is
// used up or holds but a part of a batch: brokers cut answers at their size.
func nextBatch(data []byte) (b batch, rest []byte, more bool, err error) {
	if len(data) < batchHeadLen {
		return b, nil, false, nil
	}
	length := int(int32(binary.BigEndian.Uint32(data[8:])))
	if length < batchHeadLen-batchPrefixLen {
		return b, nil, false, fmt.Errorf("%w: its length is %d", errCorrupt, length)
	}
	if length > len(data)-batchPrefixLen {
		return b, nil, false, nil
	}
	whole := data[:batchPrefixLen+length]
	rest = data[batchPrefixLen+length:]
	b.base = int64(binary.BigEndian.Uint64(whole))
	if magic := whole[16]; magic != 2 {
		return b, rest, false, fmt.Errorf("%w: message format %d at offset %d; only 2 (Kafka 0.11 and later) is read",
			errCorrupt, magic, b.base)
	}
	if want, got := binary.BigEndian.Uint32(whole[17:]), crc32.Checksum(whole[21:], castagnoli); want != got {
		return b, rest, false, fmt.Errorf("%w: checksum at offset %d is %08x, not %08x", errCorrupt, b.base, got, want)
	}
	b.attributes = int16(binary.BigEndian.Uint16(whole[21:]))
	b.last = b.base + int64(int32(binary.BigEndian.Uint32(whole[23:])))
	b.firstTime = int64(binary.BigEndian.Uint64(whole[27:]))
	b.maxTime = int64(binary.BigEndian.Uint64(whole[35:]))
	b.producerID = int64(binary.BigEndian.Uint64(whole[43:]))
	b.count = int(int32(binary.BigEndian.Uint32(whole[57:])))
	b.records = whole[batchHeadLen:]
	b.logAppendTime = b.attributes&attrLogAppendTime != 0
	if c := compress.Compression(b.attributes & attrCompression); c != compress.None {
		if b.records, err = inflate(c, b.records); err != nil {
			return b, rest, false, fmt.Errorf("%w: inflating %s at offset %d: %w", errCorrupt, c, b.base, err)
		}
	}
	// The least that a record takes is seven bytes; a count beyond that would
	// make us reserve memory for nothing.
	if b.count < 0 || b.count > len(b.records)/7 || b.last < b.base {
		return b, rest, false, fmt.Errorf("%w: %d records in %d bytes at offset %d", errCorrupt, b.count, len(b.records),
			b.base)
	}
	return b, rest, true, nil
}

func inflate(c compress.Compression, packed []byte) ([]byte, error) {
	codec := c.Codec()
	if codec == nil {
		return nil, fmt.Errorf("unknown compression %d", int8(c))
	}
	r := codec.NewReader(bytes.NewReader(packed))
	defer func() { _ = r.Close() }()
	out := bytes.NewBuffer(make([]byte, 0, 4*len(packed)))
	if _, err := out.ReadFrom(io.LimitReader(r, maxInflated+1)); err != nil {
		return nil, err
	}
	if out.Len() > maxInflated {
		return nil, fmt.Errorf("more than %d bytes", maxInflated)
	}
	return out.Bytes(), nil
}

// rawRecord is one record, its parts still within the fetched bytes.
type rawRecord struct {
	offset  int64
	time    int64  // ms
	key     []byte // nil is null
	value   []byte // nil is null
	headers []byte // still packed
	nheader int
	size    int // in the batch
}

var errShort = fmt.Errorf("%w: a record ends too early", errCorrupt)

// read takes the first record off data.
func (r *rawRecord) read(b *batch, data []byte) (rest []byte, err error) {
	length, n := binary.Varint(data)
	if n <= 0 || length < 0 || length > int64(len(data)-n) {
		return nil, errShort
	}
	r.size = n + int(length)
	rec := data[n:r.size]
	rest = data[r.size:]
	if len(rec) < 1 {
		return nil, errShort
	}
	rec = rec[1:] // attributes of a record, which have no meaning yet
	timeDelta, n := binary.Varint(rec)
	if n <= 0 {
		return nil, errShort
	}
	rec = rec[n:]
	offsetDelta, n := binary.Varint(rec)
	if n <= 0 {
		return nil, errShort
	}
	rec = rec[n:]
	r.offset = b.base + offsetDelta
	if r.time = b.firstTime + timeDelta; b.logAppendTime {
		r.time = b.maxTime
	}
	var ok bool
	if r.key, rec, ok = cutBytes(rec); !ok {
		return nil, errShort
	}
	if r.value, rec, ok = cutBytes(rec); !ok {
		return nil, errShort
	}
	headers, n := binary.Varint(rec)
	if n <= 0 || headers < 0 || headers > int64(len(rec)/2) {
		return nil, errShort
	}
	r.nheader, r.headers = int(headers), rec[n:]
	return rest, nil
}

// cutBytes takes a length and as many bytes off data. Their capacity ends with
// them, so that appending to one can't overwrite its neighbour.
func cutBytes(data []byte) (cut, rest []byte, ok bool) {
	length, n := binary.Varint(data)
	if n <= 0 || length > int64(len(data)-n) {
		return nil, nil, false
	}
	if length < 0 {
		return nil, data[n:], true
	}
	end := n + int(length)
	return data[n:end:end], data[end:], true
}

// eachHeader walks packed headers, telling where within them keys and values
// lie; a null value begins at -1. It stops where they don't hold together.
func eachHeader(packed []byte, n int, yield func(key, keyEnd, value, valueEnd int)) {
	at := 0
	cut := func() (from, to int, ok bool) {
		length, n := binary.Varint(packed[at:])
		if n <= 0 || length > int64(len(packed)-at-n) {
			return 0, 0, false
		}
		at += n
		if length < 0 {
			return -1, -1, true
		}
		from = at
		at += int(length)
		return from, at, true
	}
	for range n {
		key, keyEnd, ok := cut()
		if !ok || key < 0 {
			return
		}
		value, valueEnd, ok := cut()
		if !ok {
			return
		}
		yield(key, keyEnd, value, valueEnd)
	}
}
