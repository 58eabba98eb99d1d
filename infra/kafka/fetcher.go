package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// chunk is what one fetch brought, in order.
type chunk struct {
	deliveries []*delivery
	// next is the offset after everything in the fetch, records that are
	// nobody's included.
	next int64
	end  bool // the log ended there
}

// fetchLoop fetches the partition until ctx ends, and never more than there is
// room for.
func (p *partition) fetchLoop(ctx context.Context, from int64) {
	r := reader{cluster: p.sub.cluster, tp: p.tp, offset: from, limits: p.sub.limits(), problem: p.problem}
	if p.step != nil {
		r.limits.maxWait = 0 // the others wait to know where it begins
	}
	failures, ended := 0, false
	defer p.sub.moves(p.tp) // somebody else's from here on
	for ctx.Err() == nil {
		if !p.waitForRoom(ctx) {
			return
		}
		c := &chunk{}
		size := 0
		err := r.read(ctx, func(b *batch, raw *rawRecord) {
			d := p.slab.take()
			d.load(p.sub.ctx, p.tp, b, raw, &p.slab)
			c.deliveries = append(c.deliveries, d)
			size += raw.size
		})
		if err == nil {
			r.limits = p.sub.limits()
		}
		// Only the pump can tell the others that the partition is at its end: it may still have records to hand over.
		c.end = err == nil && r.offset >= r.highWater
		if c.next = r.offset; len(c.deliveries) > 0 || c.next != from || c.end && !ended {
			from, ended = c.next, c.end
			p.bytes.Add(int64(size))
			select {
			case p.chunks <- c:
			case <-ctx.Done():
				return
			}
		}
		if err == nil {
			if failures > 0 {
				p.sub.moves(p.tp)
			}
			failures = 0
			continue
		}
		if ctx.Err() != nil {
			return
		}
		failures++
		p.sub.retryWait(ctx, failures, err, func(what Problem) {
			what.From = r.offset
			p.sub.standsStill(p.tp, what)
			p.problem(what)
		})
		if _, remade := errors.AsType[*RemadeError](err); remade {
			<-ctx.Done() // no retry makes it the one that it was
			return
		}
	}
}

// waitForRoom waits until less is in flight than may be.
func (p *partition) waitForRoom(ctx context.Context) bool {
	for p.bytes.Load() >= int64(p.sub.cfg.MaxInFlightBytes) {
		select {
		case <-p.room:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// settledBytes gives room back.
func (p *partition) settledBytes(n int) {
	if n == 0 {
		return
	}
	most := int64(p.sub.cfg.MaxInFlightBytes)
	if now := p.bytes.Add(int64(-n)); now < most && now+int64(n) >= most {
		select {
		case p.room <- struct{}{}:
		default:
		}
	}
}

// reader reads one partition from an offset on and knows what to make of the
// answers that aren't records.
type reader struct {
	cluster *cluster
	tp      TopicPartition
	offset  int64 // of the next record; kafkago.FirstOffset is wherever the log begins
	limits  fetchLimits
	problem func(Problem)
	// highWater is the offset after the last record, as of the last answer.
	highWater int64
	truncated int // so often in a row the log seemed to end before offset
}

// truncationTries is how often the log must seem to end before our position
// until we believe it: a leader that has just been elected may not yet know all
// that its predecessor had acknowledged.
const truncationTries = 5

// read fetches once. Whatever isn't progress is an error, which may be retried.
func (r *reader) read(ctx context.Context, hand func(*batch, *rawRecord)) error {
	doubt := time.Now()
	if r.offset < 0 {
		first, err := r.cluster.logEdge(ctx, r.tp, kafkago.FirstOffset)
		if err != nil {
			return fmt.Errorf("looking for the beginning of %s: %w", r.tp, err)
		}
		r.offset = first
	}
	leader, err := r.cluster.findLeader(ctx, r.tp, doubt)
	if err != nil {
		return err
	}
	f, err := r.cluster.fetch(ctx, leader, r.tp, r.offset, r.limits)
	if err != nil {
		if ctx.Err() == nil {
			// A broker that can't be reached may have ceased to lead.
			_ = r.cluster.refresh(ctx, r.tp.Topic, doubt)
		}
		return err
	}
	switch f.code {
	case 0:
	case kafkago.OffsetOutOfRange:
		return r.outOfRange(ctx)
	default:
		if err := r.cluster.refresh(ctx, r.tp.Topic, doubt); err != nil {
			return fmt.Errorf("fetching %s: %w; %w", r.tp, f.code, err)
		}
		return fmt.Errorf("fetching %s: %w", r.tp, f.code)
	}
	r.truncated = 0
	r.highWater = f.highWater
	if f.logStart > r.offset {
		// The leader moved the beginning of the log past us between two fetches.
		r.lost(f.logStart)
	}
	next, err := readRecords(&f, r.offset, hand)
	r.offset = next
	if err != nil {
		return fmt.Errorf("reading %s: %w", r.tp, err)
	}
	return nil
}

// outOfRange finds out why there is no such offset, says so, and decides where
// to go on.
func (r *reader) outOfRange(ctx context.Context) error {
	first, err := r.cluster.logEdge(ctx, r.tp, kafkago.FirstOffset)
	if err != nil {
		return fmt.Errorf("looking for the beginning of %s: %w", r.tp, err)
	}
	if first > r.offset {
		r.lost(first)
		return nil
	}
	end, err := r.cluster.logEdge(ctx, r.tp, kafkago.LastOffset)
	if err != nil {
		return fmt.Errorf("looking for the end of %s: %w", r.tp, err)
	}
	if end >= r.offset {
		r.truncated = 0
		return nil // it is in range by now
	}
	if r.truncated++; r.truncated < truncationTries {
		return fmt.Errorf("%s ends at %d, before our position %d: %w", r.tp, end, r.offset, errTruncated)
	}
	r.truncated = 0
	r.problem(Problem{Kind: LogTruncated, Topic: r.tp.Topic, Partition: r.tp.Partition, From: end, To: r.offset,
		Err: errTruncated})
	r.offset = first
	return nil
}

var errTruncated = errors.New("the log is shorter than it was")

// lost says that what was before first is gone, and goes on there.
func (r *reader) lost(first int64) {
	r.problem(Problem{Kind: RecordsLost, Topic: r.tp.Topic, Partition: r.tp.Partition, From: r.offset, To: first})
	r.offset = first
}
