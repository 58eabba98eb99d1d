package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/produce"
)

// lane is the way to one broker. It carries one request at a time: that is what
// keeps the order within a partition when something has to be retried, and what
// lets shares of many callers gather meanwhile.
type lane struct {
	broker int32
	mu     sync.Mutex
	queue  []*share
	ready  chan struct{} // the queue isn't empty
	buf    []byte        // the request; only the sender's
}

// dispatch gives shares to the lanes of their partitions' leaders. What one call sends to one broker enters its lane at
// once, so that it goes as one request.
func (p *Publisher) dispatch(shares ...*share) {
	if len(shares) == 1 { // nearly always
		if l := p.laneOf(shares[0]); l != nil {
			l.enter(shares)
		}
		return
	}
	byLane := map[*lane][]*share{}
	for _, s := range shares {
		if l := p.laneOf(s); l != nil {
			byLane[l] = append(byLane[l], s)
		}
	}
	for l, shares := range byLane {
		l.enter(shares)
	}
}

// laneOf is the lane for a share, or nil if its partition has no leader now: then it is sent again later.
func (p *Publisher) laneOf(s *share) *lane {
	leader, ok := p.cluster.leader(s.tp.Topic, s.tp.Partition)
	if !ok {
		p.again(s, fmt.Errorf("%s: %w", s.tp, kafkago.LeaderNotAvailable))
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lanes[leader]
	if l == nil {
		l = &lane{broker: leader, ready: make(chan struct{}, 1)}
		p.lanes[leader] = l
		p.senders.Go(func() { p.send(l) })
	}
	return l
}

func (l *lane) enter(shares []*share) {
	l.mu.Lock()
	l.queue = append(l.queue, shares...)
	l.mu.Unlock()
	l.wake()
}

func (l *lane) wake() {
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

// again dispatches a share once more after a failure that may pass, when some
// time has, or ends it when its call has no time left.
func (p *Publisher) again(s *share, err error) {
	if !errors.Is(err, kafkago.UnknownTopicOrPartition) {
		s.unknown = time.Time{}
	} else if s.unknown.IsZero() {
		s.unknown = time.Now()
	} else if time.Since(s.unknown) > unknownTopicPatience {
		s.failAll(err)
		return
	}
	s.attempts++
	wait := backoff(s.attempts, p.cfg.RetryDelay, p.cfg.MaxRetryDelay)
	go func() {
		doubt := time.Now()
		pause(s.call.ctx, wait)
		if s.call.ctx.Err() == nil {
			if refreshed := p.cluster.refresh(s.call.ctx, s.tp.Topic, doubt); refreshed != nil {
				if !retriable(refreshed) {
					s.failAll(refreshed)
					return
				}
				p.again(s, refreshed)
				return
			}
		}
		if cause := s.call.ctx.Err(); cause != nil {
			s.failAll(fmt.Errorf("%w (last failure: %w)", cause, err))
			return
		}
		p.dispatch(s)
	}()
}

// send writes what comes into a lane until the Publisher is closed, which is
// not before every call has returned.
func (p *Publisher) send(l *lane) {
	for {
		select {
		case <-l.ready:
		case <-p.closing.Done():
			return
		}
		for {
			req := p.compose(l)
			if req == nil {
				break
			}
			p.write(l, req)
		}
	}
}

// request is one produce request: a batch for each of some partitions.
type request struct {
	batches []*pendingBatch
	bytes   []byte
}

// pendingBatch is a batch on its way, made of parts of shares.
type pendingBatch struct {
	tp    TopicPartition
	parts []part
	bytes int // an upper bound
	full  bool
}

// part is the first n messages of a share.
type part struct {
	share *share
	n     int
}

// compose takes as much off a lane's queue as goes into one request, and packs
// it. Within a partition, first come, first served.
func (p *Publisher) compose(l *lane) *request {
	var batches []*pendingBatch
	byPartition := map[TopicPartition]*pendingBatch{}
	total := 0
	l.mu.Lock()
	kept := l.queue[:0]
	for _, s := range l.queue {
		b := byPartition[s.tp]
		switch {
		case s.call.ctx.Err() != nil:
			s.failAll(s.call.ctx.Err())
			continue
		case b == nil && (total == 0 || total < p.cfg.MaxRequestBytes):
			b = &pendingBatch{tp: s.tp}
		case b == nil || b.full || s.alone:
			if b != nil {
				b.full = true // or what comes later would overtake this
			}
			kept = append(kept, s)
			continue
		}
		before := b.bytes
		n := p.fit(b, s)
		if n == 0 {
			b.full = true
			if len(s.indexes) > 0 {
				kept = append(kept, s)
			} else {
				s.end() // all its messages were too large
			}
			continue
		}
		if len(b.parts) == 0 {
			byPartition[s.tp] = b
			batches = append(batches, b)
		}
		b.parts = append(b.parts, part{s, n})
		b.full = b.full || s.alone || n < len(s.indexes)
		total += b.bytes - before
	}
	clear(l.queue[len(kept):])
	l.queue = kept
	l.mu.Unlock()
	if len(batches) == 0 {
		return nil
	}
	return p.pack(l, batches)
}

// fit says how many messages of a share go into a batch, and fails those that
// go into none.
func (p *Publisher) fit(b *pendingBatch, s *share) int {
	n := 0
	for n < len(s.indexes) && (s.half == 0 || n < s.half) {
		size := recordBound(s.call.msgs[s.indexes[n]])
		if size+batchHeadLen > p.cfg.MaxBatchBytes {
			s.call.fail(s.indexes[n:n+1], fmt.Errorf("%w: up to %d bytes, more than MaxBatchBytes (%d)",
				kafkago.MessageSizeTooLarge, size, p.cfg.MaxBatchBytes))
			s.indexes = slices.Delete(s.indexes, n, n+1)
			continue
		}
		if b.bytes+size+batchHeadLen > p.cfg.MaxBatchBytes {
			break
		}
		b.bytes += size
		n++
	}
	return n
}

// pack encodes batches as one request, into the lane's buffer.
func (p *Publisher) pack(l *lane, batches []*pendingBatch) *request {
	slices.SortStableFunc(batches, func(a, b *pendingBatch) int {
		if a.tp.Topic != b.tp.Topic {
			if a.tp.Topic < b.tp.Topic {
				return -1
			}
			return 1
		}
		return a.tp.Partition - b.tp.Partition
	})
	be := binary.BigEndian
	now := time.Now()
	buf := appendRequestHead(l.buf[:0], protocol.Produce, 0, p.cfg.ClientID)
	buf = be.AppendUint16(buf, ^uint16(0)) // no transaction
	buf = be.AppendUint16(buf, ^uint16(0)) // all replicas in sync
	buf = be.AppendUint32(buf, uint32(p.cfg.RequestTimeout.Milliseconds()*9/10))
	buf = be.AppendUint32(buf, uint32(countTopics(batches)))
	for i := 0; i < len(batches); {
		topic := batches[i].tp.Topic
		n := 0
		for i+n < len(batches) && batches[i+n].tp.Topic == topic {
			n++
		}
		buf = appendKafkaString(buf, topic)
		buf = be.AppendUint32(buf, uint32(n))
		for _, b := range batches[i : i+n] {
			buf = be.AppendUint32(buf, uint32(b.tp.Partition))
			size := len(buf)
			buf = append(buf, 0, 0, 0, 0)
			var w batchWriter
			buf = w.begin(buf, p.cfg.Compression)
			for _, part := range b.parts {
				for _, index := range part.share.indexes[:part.n] {
					buf = w.add(buf, part.share.call.msgs[index], now)
				}
			}
			buf = w.end(buf)
			be.PutUint32(buf[size:], uint32(len(buf)-size-4))
		}
		i += n
	}
	buf = endRequest(buf)
	l.buf = buf
	return &request{batches: batches, bytes: buf}
}

func countTopics(batches []*pendingBatch) int {
	n := 0
	for i, b := range batches {
		if i == 0 || b.tp.Topic != batches[i-1].tp.Topic {
			n++
		}
	}
	return n
}

// write sends a request and settles what it carried.
func (p *Publisher) write(l *lane, req *request) {
	got, err := p.cluster.exchange(p.closing, l.broker, protocol.Produce,
		func(conn *protocol.Conn, version int16) (any, error) {
			if version < 3 || version > 8 {
				return nil, fmt.Errorf("the broker speaks version %d of produce; 3 to 8 are understood", version)
			}
			// Versions 3 to 8 differ in nothing but their number.
			binary.BigEndian.PutUint16(req.bytes[6:], uint16(version))
			if _, err := conn.Write(req.bytes); err != nil {
				return nil, err
			}
			_, answer, err := protocol.ReadResponse(conn, protocol.Produce, version)
			return answer, err
		})
	if err != nil {
		// The connection may still be reading from the buffer.
		l.buf = nil
		err = fmt.Errorf("writing to broker %d: %w", l.broker, err)
		for _, b := range req.batches {
			p.failed(b, err, nil)
		}
		return
	}
	answers := map[TopicPartition]*produce.ResponsePartition{}
	for _, t := range got.(*produce.Response).Topics {
		for i := range t.Partitions {
			answers[TopicPartition{t.Topic, int(t.Partitions[i].Partition)}] = &t.Partitions[i]
		}
	}
	for _, b := range req.batches {
		switch a := answers[b.tp]; {
		case a == nil:
			p.failed(b, fmt.Errorf("broker %d answered nothing for %s", l.broker, b.tp), nil)
		case a.ErrorCode == 0:
			p.written(l, b)
		default:
			err := fmt.Errorf("broker %d refused the batch for %s: %w", l.broker, b.tp, kafkago.Error(a.ErrorCode))
			if a.ErrorMessage != "" {
				err = fmt.Errorf("%w: %s", err, a.ErrorMessage)
			}
			p.failed(b, err, a.RecordErrors)
		}
	}
}

// written notes that a batch is with all replicas.
func (p *Publisher) written(l *lane, b *pendingBatch) {
	var rest []*share
	for _, part := range b.parts {
		s := part.share
		s.attempts = 0
		s.indexes = s.indexes[part.n:]
		if len(s.indexes) == 0 {
			s.end()
			continue
		}
		rest = append(rest, s)
	}
	if len(rest) > 0 {
		l.mu.Lock()
		l.queue = append(rest, l.queue...)
		l.mu.Unlock()
		l.wake()
	}
}

// failed decides what becomes of a batch that wasn't written: the same again,
// if the failure may pass; else the culprits are found and the others sent.
func (p *Publisher) failed(b *pendingBatch, err error, culprits []produce.ResponseError) {
	if retriable(err) && !errors.Is(err, context.Canceled) {
		for _, part := range b.parts {
			p.again(part.share, err)
		}
		return
	}
	if !aboutContent(err) {
		for _, part := range b.parts {
			part.share.failAll(err)
		}
		return
	}
	if len(culprits) > 0 {
		p.failCulprits(b, err, culprits)
		return
	}
	for _, part := range b.parts {
		s := part.share
		switch {
		case len(b.parts) > 1:
			s.alone = true // some other call's message may be to blame
			p.dispatch(s)
		case part.n > 1:
			s.half = part.n / 2
			p.dispatch(s)
		default:
			s.call.fail(s.indexes[:1], err)
			s.indexes = s.indexes[1:]
			if len(s.indexes) == 0 {
				s.end()
				continue
			}
			p.dispatch(s)
		}
	}
}

// aboutContent says whether a refusal is about a batch's messages, so that
// others may fare better.
func aboutContent(err error) bool {
	var code kafkago.Error
	if !errors.As(err, &code) {
		return false
	}
	switch code {
	case kafkago.MessageSizeTooLarge, kafkago.RecordListTooLarge, kafkago.InvalidTimestamp, kafkago.InvalidRecord,
		kafkago.UnsupportedForMessageFormat:
		return true
	default:
		return false
	}
}

// failCulprits fails the records that the broker named and sends the others.
func (p *Publisher) failCulprits(b *pendingBatch, err error, culprits []produce.ResponseError) {
	bad := map[int]string{}
	for _, c := range culprits {
		bad[int(c.BatchIndex)] = c.BatchIndexErrorMessage
	}
	at := 0
	for _, part := range b.parts {
		s := part.share
		var keep []int
		for i, index := range s.indexes {
			if reason, is := bad[at+i]; is && i < part.n {
				because := err
				if reason != "" {
					because = fmt.Errorf("%w: %s", err, reason)
				}
				s.call.fail([]int{index}, because)
				continue
			}
			keep = append(keep, index)
		}
		at += part.n
		if s.indexes = keep; len(keep) == 0 {
			s.end()
			continue
		}
		p.dispatch(s)
	}
}
