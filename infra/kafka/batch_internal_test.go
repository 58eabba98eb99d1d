package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/segmentio/kafka-go/compress"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// packed is a batch with the messages, at an offset.
func packed(at int64, c compress.Compression, msgs ...*message.Message) []byte {
	var w batchWriter
	buf := w.begin(nil, c)
	for _, m := range msgs {
		buf = w.add(buf, m, time.UnixMilli(1_700_000_000_000))
	}
	buf = w.end(buf)
	binary.BigEndian.PutUint64(buf, uint64(at)) // as a broker does; the checksum doesn't cover it
	return buf
}

// recheck mends the checksum of a batch that was tampered with.
func recheck(buf []byte) []byte {
	binary.BigEndian.PutUint32(buf[17:], crc32.Checksum(buf[21:], castagnoli))
	return buf
}

func randomMessage(rnd *rand.Rand) *message.Message {
	text := func(n int) string {
		b := make([]byte, rnd.IntN(n))
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return string(b)
	}
	m := message.NewMessage("", nil)
	if rnd.IntN(4) > 0 {
		m.Payload = []byte(text(300))
	}
	if rnd.IntN(2) > 0 {
		m.Metadata[PartitionKey] = text(20)
	}
	if rnd.IntN(3) == 0 {
		m.UUID = "uuid " + text(20)
	}
	for range rnd.IntN(4) {
		m.Metadata["h"+text(10)] = text(200)
	}
	if rnd.IntN(2) == 0 {
		m.SetContext(WithRecordTime(m.Context(), time.UnixMilli(rnd.Int64N(1<<42))))
	}
	return m
}

func TestWhatIsPackedIsUnpacked(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 60 {
		var data []byte
		var want []*message.Message
		at := rnd.Int64N(1 << 40)
		first := at
		for range 1 + rnd.IntN(4) {
			var msgs []*message.Message
			for range 1 + rnd.IntN(20) {
				msgs = append(msgs, randomMessage(rnd))
			}
			one := packed(at, compress.Compression(rnd.IntN(5)), msgs...)
			data = append(data, one...)
			at += int64(len(msgs))
			want = append(want, msgs...)
		}
		whole := len(data)
		data = append(data, data[:rnd.IntN(40)]...) // brokers cut the last batch
		skip := rnd.IntN(len(want))
		from := first + int64(skip)
		var stock slab
		next, err := readRecords(&fetched{records: data}, from, func(b *batch, r *rawRecord) {
			m := want[r.offset-first]
			var d delivery
			d.load(t.Context(), TopicPartition{"t", 1}, b, r, &stock)
			key, hasKey := m.Metadata[PartitionKey]
			headers := maps.Clone(m.Metadata)
			delete(headers, PartitionKey)
			if string(d.key) != key || (d.key != nil) != hasKey || !bytes.Equal(d.msg.Payload, m.Payload) ||
				(d.msg.Payload == nil) != (m.Payload == nil) ||
				d.msg.UUID != m.UUID || !maps.Equal(d.msg.Metadata, headers) {
				t.Fatalf("offset %d: %q %q %v became %q %q %v", r.offset, key, m.Payload, m.Metadata, d.key, d.msg.Payload,
					d.msg.Metadata)
			}
			if pos, _ := PositionOf(d.msg); pos.Offset != r.offset || pos.Partition != 1 ||
				!pos.Time.Equal(recordTime(m, time.UnixMilli(1_700_000_000_000))) {
				t.Fatalf("offset %d: position %+v", r.offset, pos)
			}
			if int(r.offset-first) != skip {
				t.Fatalf("%d came when %d was due", r.offset-first, skip)
			}
			skip++
		})
		if err != nil || next != at || skip != len(want) {
			t.Fatalf("read up to %d of %d (%d of %d bytes): %v", next, at, skip, whole, err)
		}
	}
}

// kafka-go reads what we pack, and we what it packs.
func TestKafkaGoAgreesAboutBatches(t *testing.T) {
	m := message.NewMessage("u", []byte("value"))
	m.Metadata[PartitionKey] = "key"
	ours := packed(0, compress.None, m, m)
	var set protocol.RecordSet
	framed := append(binary.BigEndian.AppendUint32(nil, uint32(len(ours))), ours...)
	if _, err := set.ReadFrom(bytes.NewReader(framed)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		r, err := set.Records.ReadRecord()
		if err != nil {
			t.Fatal(err)
		}
		key, _ := protocol.ReadAll(r.Key)
		value, _ := protocol.ReadAll(r.Value)
		if string(key) != "key" || string(value) != "value" || len(r.Headers) != 1 || r.Headers[0].Key != UUIDHeader {
			t.Fatalf("kafka-go read %q %q %v", key, value, r.Headers)
		}
	}
	var theirs bytes.Buffer
	set = protocol.RecordSet{Version: 2, Attributes: protocol.Lz4, Records: protocol.NewRecordReader(
		protocol.Record{Key: protocol.NewBytes([]byte("k")), Value: protocol.NewBytes([]byte("v")), Time: time.UnixMilli(5)})}
	if _, err := set.WriteTo(&theirs); err != nil {
		t.Fatal(err)
	}
	n := 0
	if _, err := readRecords(&fetched{records: theirs.Bytes()[4:]}, 0, func(_ *batch, r *rawRecord) {
		if n++; string(r.key) != "k" || string(r.value) != "v" || r.time != 5 {
			t.Fatalf("we read %q %q %d", r.key, r.value, r.time)
		}
	}); err != nil || n != 1 {
		t.Fatalf("we read %d records: %v", n, err)
	}
}

func TestTheBrokersClockIsTaken(t *testing.T) {
	one := packed(7, compress.None, message.NewMessage("", nil), message.NewMessage("", nil))
	one[22] |= attrLogAppendTime
	binary.BigEndian.PutUint64(one[35:], 1_800_000_000_000)
	_, err := readRecords(&fetched{records: recheck(one)}, 0, func(b *batch, r *rawRecord) {
		if !b.logAppendTime || r.time != 1_800_000_000_000 {
			t.Fatalf("time %d", r.time)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Compaction may take a batch's last records away, and whole batches; the
// offset to go on from is after them all the same.
func TestCompactedOffsetsArePassed(t *testing.T) {
	one := packed(10, compress.None, message.NewMessage("", nil))
	binary.BigEndian.PutUint32(one[23:], 9) // its last offset was 19
	next, err := readRecords(&fetched{records: recheck(one)}, 5, func(_ *batch, r *rawRecord) {
		if r.offset != 10 {
			t.Fatalf("offset %d", r.offset)
		}
	})
	if err != nil || next != 20 {
		t.Fatalf("goes on at %d: %v", next, err)
	}
}

func TestCorruptionIsNoticed(t *testing.T) {
	good := packed(0, compress.None, message.NewMessage("", []byte("good")))
	bad := packed(1, compress.None, message.NewMessage("", []byte("bad")))
	for at := 12; at < len(bad); at++ {
		if at < 16 {
			continue // the leader epoch, which the checksum doesn't cover
		}
		data := append(bytes.Clone(good), bad...)
		data[len(good)+at] ^= 0x40
		n := 0
		next, err := readRecords(&fetched{records: data}, 0, func(*batch, *rawRecord) { n++ })
		if !errors.Is(err, errCorrupt) || n != 1 || next != 1 {
			t.Fatalf("byte %d: %d records, goes on at %d: %v", at, n, next, err)
		}
	}
}

// FuzzReadRecords lets any bytes be what a broker sent: none may make us fail
// but with an error.
func FuzzReadRecords(f *testing.F) {
	m := message.NewMessage("uuid", []byte("payload"))
	m.Metadata["name"] = "value"
	for c := range compress.Compression(5) {
		f.Add(packed(3, c, m, m, m), int64(4))
	}
	control := packed(9, compress.None, m)
	control[22] |= attrControl | attrTransactional
	f.Add(recheck(control), int64(0))
	f.Fuzz(func(t *testing.T, data []byte, from int64) {
		if len(data) > batchHeadLen {
			// Or every input would end at its checksum.
			if n := int(binary.BigEndian.Uint32(data[8:])); n >= batchHeadLen-batchPrefixLen && n <= len(data)-batchPrefixLen {
				recheck(data[:batchPrefixLen+n])
			}
		}
		_, _ = readRecords(&fetched{records: data, aborted: []abortedTxn{{producerID: -1}}}, from,
			func(b *batch, r *rawRecord) {
				if r.offset < from {
					t.Fatalf("offset %d, before %d", r.offset, from)
				}
				var d delivery
				d.load(t.Context(), TopicPartition{"t", 0}, b, r, new(slab))
				_ = fmt.Sprint(RecordOf(d.msg))
			})
	})
}

func FuzzParseFetched(f *testing.F) {
	f.Add([]byte{}, int16(11))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}, int16(13))
	f.Add([]byte("\xbe\xda\xf9\x90\x06"), int16(28)) // 1.6 billion tags are announced: a processor was busy for 12 s
	f.Fuzz(func(_ *testing.T, answer []byte, version int16) {
		response := kmsg.NewPtrFetchResponse()
		response.SetVersion(4 + int16(uint16(version)%10))
		if _, err := readResponse(response, answer); err == nil {
			_, _ = fetchedOf(response, TopicPartition{"t", 0}, TopicID{})
		}
	})
}
