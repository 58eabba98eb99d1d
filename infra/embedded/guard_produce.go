package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go/compress"
	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	batchCRCAt        = 17 // where a record batch has its checksum, 4 bytes; what it is of follows
	batchAttributesAt = 21 // and its attributes, 2 bytes
	compressionBits   = 1<<3 - 1
	logAppendTime     = 1 << 3

	// maxUnpackedBytes bounds what a compressed batch may hold.
	maxUnpackedBytes = 64 << 20

	// maxTimeOff is how far from its arrival a record's time may be. What is
	// further off gets the time of its arrival.
	maxTimeOff = 5 * time.Minute
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// produceFault is why a produce request is refused.
type produceFault struct {
	code *kerr.Error
	text string
}

func (f *produceFault) Error() string { return f.text }

// judgeProduce holds a produce request against what its sender may write.
func (c *guardedConn) judgeProduce(r *request) error {
	req := r.body.(*kmsg.ProduceRequest)
	fault, changed := c.inspect(req)
	if fault != nil {
		c.guard.cfg.Logger.Warn("broker refuses records", "client", c.RemoteAddr(), "who", c.who.Name, "reason", fault)
		if req.Acks == 0 {
			return c.hangUp(recordsBarred, fault) // it doesn't wait for an answer
		}
		c.guard.refused[recordsBarred].Add(1)
		return c.answer(r, refuseProduce(req, fault))
	}
	if changed {
		c.whole = req.AppendTo(c.whole[:r.at])
		binary.BigEndian.PutUint32(c.whole, uint32(len(c.whole)-4))
	}
	c.pending = c.whole
	if req.Acks != 0 {
		c.handOn(1)
	}
	return nil
}

// inspect looks at the batches of a request. It changes those whose times are
// too far off.
func (c *guardedConn) inspect(req *kmsg.ProduceRequest) (fault *produceFault, changed bool) {
	if req.TransactionID != nil && !c.who.Own {
		return &produceFault{kerr.TransactionalIDAuthorizationFailed, noTransactions}, false
	}
	for _, t := range req.Topics {
		if t.Topic == "" {
			return &produceFault{kerr.UnsupportedVersion, "topics are named here, not numbered"}, false
		}
		if !c.who.mayWrite(t.Topic) || !c.who.Own && slices.Contains(c.guard.cfg.Private, t.Topic) {
			return &produceFault{kerr.TopicAuthorizationFailed,
				fmt.Sprintf("%s may not write to %s", c.who.Name, t.Topic)}, false
		}
		for i := range t.Partitions {
			p := &t.Partitions[i]
			if len(p.Records) < batchAttributesAt+2 {
				continue // kfake refuses it
			}
			if binary.BigEndian.Uint16(p.Records[batchAttributesAt:])&logAppendTime != 0 {
				return &produceFault{kerr.InvalidTimestamp, "a batch claims the log's own time"}, false
			}
			if c.who.Own {
				continue
			}
			for _, inspect := range []func([]byte, *Principal) ([]byte, *produceFault){
				c.guard.inspectBatch, c.guard.inspectProducer} {
				mended, fault := inspect(p.Records, c.who)
				if fault != nil {
					return fault, false
				}
				if mended != nil {
					p.Records, changed = mended, true
				}
			}
		}
	}
	return nil, changed
}

// inspectBatch refuses a batch with headers that are ours alone, or a record
// that its sender may not write. It returns another in its place where times
// in it are too far from now, or the log is to keep who sent a record. A batch
// that can't be read is left to kfake to refuse.
func (g *guard) inspectBatch(raw []byte, who *Principal) ([]byte, *produceFault) {
	var batch kmsg.RecordBatch
	if batch.ReadFrom(raw) != nil || batch.Magic != 2 || int(batch.Length) != len(raw)-12 ||
		batch.CRC != int32(crc32.Checksum(raw[batchAttributesAt:], castagnoli)) {
		return nil, nil
	}
	records, err := unpackRecords(&batch)
	if err != nil {
		return nil, &produceFault{kerr.InvalidRecord, err.Error()}
	}
	now := g.now().UnixMilli()
	off := int64(maxTimeOff / time.Millisecond)
	changed := tooFar(batch.FirstTimestamp, now, off) || tooFar(batch.MaxTimestamp, now, off)
	for i := range records {
		signed, fault := g.inspectRecord(&records[i], who)
		if fault != nil {
			return nil, fault
		}
		changed = changed || signed || tooFar(batch.FirstTimestamp+records[i].TimestampDelta64, now, off)
	}
	if !changed {
		return nil, nil
	}
	return clamp(&batch, records, now, off), nil
}

// inspectRecord refuses a record with headers that are ours alone, or that its
// sender may not write, and signs it where that is wanted.
func (g *guard) inspectRecord(r *kmsg.Record, who *Principal) (signed bool, _ *produceFault) {
	headers := make(map[string]string, len(r.Headers))
	for _, h := range r.Headers {
		if slices.ContainsFunc(g.cfg.OwnHeaders, func(own string) bool { return strings.EqualFold(own, h.Key) }) {
			return false, &produceFault{kerr.InvalidRecord, "the header " + h.Key + " is makegood's own"}
		}
		headers[h.Key] = string(h.Value)
	}
	if who.MaySend == nil {
		return false, nil
	}
	sign, err := who.MaySend(headers, r.Value)
	if err != nil {
		return false, &produceFault{kerr.TopicAuthorizationFailed, err.Error()}
	}
	if sign {
		r.Headers = append(r.Headers, kmsg.Header{Key: g.cfg.NameHeader, Value: []byte(who.Name)})
	}
	return sign, nil
}

// tooFar works for every number that somebody may send.
func tooFar(at, now, off int64) bool { return at < now-off || at > now+off }

// clamp writes the batch again, with the time of arrival where a record's own
// is too far from it.
func clamp(batch *kmsg.RecordBatch, records []kmsg.Record, now, off int64) []byte {
	latest := now - off
	packed := make([]byte, 0, len(batch.Records))
	for i := range records {
		r := &records[i]
		at := batch.FirstTimestamp + r.TimestampDelta64
		if tooFar(at, now, off) {
			at = now
		}
		latest = max(latest, at)
		r.TimestampDelta64 = at - now
		r.TimestampDelta = int32(at - now)
		r.Length = 0
		r.Length = int32(len(r.AppendTo(nil)) - 1) // a length of 0 takes one byte
		packed = r.AppendTo(packed)
	}
	batch.FirstTimestamp, batch.MaxTimestamp = now, latest
	batch.Attributes &^= compressionBits
	batch.Records = packed
	batch.Length = int32(len(batch.AppendTo(nil)) - 12)
	raw := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[batchCRCAt:], crc32.Checksum(raw[batchAttributesAt:], castagnoli))
	return raw
}

// unpackRecords reads the records of a batch, whatever packs them.
func unpackRecords(batch *kmsg.RecordBatch) ([]kmsg.Record, error) {
	packed := batch.Records
	if codec := compress.Compression(batch.Attributes & compressionBits).Codec(); codec != nil {
		reader := codec.NewReader(bytes.NewReader(packed))
		unpacked, err := io.ReadAll(io.LimitReader(reader, maxUnpackedBytes+1))
		if err = errors.Join(err, reader.Close()); err != nil {
			return nil, fmt.Errorf("unpacking a batch: %w", err)
		}
		if len(unpacked) > maxUnpackedBytes {
			return nil, fmt.Errorf("a batch unpacks to more than %d bytes", maxUnpackedBytes)
		}
		packed = unpacked
	}
	var records []kmsg.Record
	for len(packed) > 0 {
		r := kbin.Reader{Src: packed}
		length := int(r.Varint())
		end := len(packed) - len(r.Src) + length
		if !r.Ok() || length < 0 || end > len(packed) || len(records) == int(batch.NumRecords) {
			return nil, errors.New("a batch whose records can't be told apart")
		}
		var record kmsg.Record
		if err := record.UnsafeReadFrom(packed[:end]); err != nil {
			return nil, fmt.Errorf("a record that can't be read: %w", err)
		}
		records, packed = append(records, record), packed[end:]
	}
	if len(records) != int(batch.NumRecords) {
		return nil, errors.New("a batch with fewer records than it says")
	}
	return records, nil
}

// refuseProduce answers that nothing of a request was taken.
func refuseProduce(req *kmsg.ProduceRequest, fault *produceFault) kmsg.Response {
	answer := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		topic := kmsg.ProduceResponseTopic{Topic: t.Topic, TopicID: t.TopicID}
		for _, p := range t.Partitions {
			refused := kmsg.NewProduceResponseTopicPartition()
			refused.Partition, refused.ErrorCode, refused.ErrorMessage = p.Partition, fault.code.Code, &fault.text
			topic.Partitions = append(topic.Partitions, refused)
		}
		answer.Topics = append(answer.Topics, topic)
	}
	return answer
}
