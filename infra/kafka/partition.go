package kafka

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// Messages behind an unsettled one are looked at now and then: their
// acknowledgements can wait, but a refusal should not. A look at one costs up to
// 200 ns, for it has left the cache, and tens of thousands may be in flight:
// looking at all of those every 20 ms took a third of the projector's time, and
// every 4 µs a message still 7 %. So the more there are, the rarer: of 10,000, a
// refusal is seen after 0.2 s, the first one of a partition after 1 s.
const (
	sweepInterval   = 20 * time.Millisecond
	sweepPerMessage = 20 * time.Microsecond
	sweepRarely     = 5 // times as long where nothing was refused so far
)

// partition is one partition within one generation: what was fetched of it,
// what is in the consumer's hands, and how far it may be committed.
//
// One goroutine fetches, one pumps: it hands messages over in the order of the
// log and watches how they are settled. Only the pump touches the fields below
// the line, and after it has ended whoever waited for it.
type partition struct {
	sub    *subscription
	tp     TopicPartition
	slab   slab // the fetcher's
	chunks chan *chunk
	bytes  atomic.Int64  // fetched and not settled
	room   chan struct{} // bytes fell below the bound
	prefix atomic.Int64  // everything before this offset is done with; -1 is unknown
	step   *step         // nil where partitions aren't kept in step
	full   atomic.Bool   // MaxInFlight is reached

	// ---
	end      bool        // the log ended after what was fetched last
	refuses  bool        // the consumer has refused something
	queue    []*delivery // fetched, not yet handed over
	inFlight ring        // handed over (or to be so again), by offset
	refused  []*delivery // those of inFlight that wait to be handed over again, by offset
	resendAt time.Time   // when the first of them may be
}

func newPartition(sub *subscription, tp TopicPartition) *partition {
	p := &partition{sub: sub, tp: tp, chunks: make(chan *chunk, 1), room: make(chan struct{}, 1)}
	p.prefix.Store(-1)
	return p
}

// held reports whether the consumer holds all that it may hold of the partition.
func (p *partition) held() bool {
	return p.full.Load() || p.bytes.Load() >= int64(p.sub.cfg.MaxInFlightBytes)
}

// problem says what happened to this partition.
func (p *partition) problem(what Problem) {
	what.Topic, what.Partition = p.tp.Topic, p.tp.Partition
	p.sub.problem(what)
}

// run reads the partition from an offset on until ctx ends. When it returns,
// nothing is handed over any more; what is in flight remains in p.inFlight.
func (p *partition) run(ctx context.Context, from int64) {
	var fetching sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	fetching.Go(func() { p.fetchLoop(ctx, from) })
	p.pump(ctx)
	cancel()
	fetching.Wait()
}

// pump hands messages over and watches them.
func (p *partition) pump(ctx context.Context) {
	sweep := time.NewTimer(time.Hour)
	defer sweep.Stop()
	sweepSet := false
	patience := time.NewTimer(time.Hour)
	defer patience.Stop()
	for {
		p.advance()
		next := p.nextToHand()
		if next != nil && !next.waiting && !p.step.may(next.time) {
			next = nil
			patience.Reset(paceWait)
		}
		if next != nil && ctx.Err() == nil {
			// The short way, for a consumer that keeps up.
			select {
			case p.sub.out <- next.msg:
				p.handed(next)
				continue
			default:
			}
		}
		// Nothing goes without waiting: for room at the consumer's, for more
		// from the broker, for the oldest message to be settled, for time.
		var out chan<- *message.Message
		var msg *message.Message
		if next != nil {
			out, msg = p.sub.out, next.msg
		}
		var chunks <-chan *chunk
		if len(p.queue) == 0 {
			chunks = p.chunks
		}
		var acked, nacked <-chan struct{}
		if oldest := p.inFlight.first(); oldest != nil && !oldest.waiting {
			acked, nacked = oldest.msg.Acked(), oldest.msg.Nacked()
		}
		if !sweepSet {
			switch {
			case len(p.refused) > 0 && next == nil:
				sweep.Reset(min(sweepInterval, max(0, time.Until(p.resendAt))))
				sweepSet = true
			case p.inFlight.len() > 1:
				per := sweepPerMessage
				if !p.refuses {
					per *= sweepRarely
				}
				sweep.Reset(sweepInterval + time.Duration(p.inFlight.len())*per)
				sweepSet = true
			}
		}
		select {
		case <-ctx.Done():
			return
		case out <- msg:
			p.handed(next)
		case c := <-chunks:
			p.take(c)
		case <-p.step.turns():
		case <-patience.C:
		case <-acked:
		case <-nacked:
			p.sweep()
		case <-sweep.C:
			sweepSet = false
			p.sweep()
		}
	}
}

// nextToHand is what to hand over now, if there is anything. What was refused
// goes before what wasn't handed over yet.
func (p *partition) nextToHand() *delivery {
	if len(p.refused) > 0 {
		if time.Now().Before(p.resendAt) {
			return nil
		}
		return p.refused[0]
	}
	if len(p.queue) == 0 {
		select {
		case c := <-p.chunks:
			p.take(c)
		default:
		}
	}
	if len(p.queue) == 0 && p.end {
		p.step.ended()
	}
	if full := p.inFlight.len() >= p.sub.cfg.MaxInFlight; full || p.full.Load() {
		p.full.Store(full)
		if full {
			return nil
		}
	}
	if len(p.queue) == 0 {
		return nil
	}
	return p.queue[0]
}

// take queues a chunk. Offsets that it passed over belong to whatever is before
// them: they are done with when that is.
func (p *partition) take(c *chunk) {
	p.queue, p.end = c.deliveries, c.end
	switch {
	case len(p.queue) > 0:
		p.queue[len(p.queue)-1].next = c.next
	case p.inFlight.len() > 0:
		p.inFlight.last().next = c.next
	default:
		p.prefix.Store(c.next)
	}
}

// handed notes that a message is with the consumer.
func (p *partition) handed(d *delivery) {
	if d.waiting {
		d.waiting = false
		p.refused = p.refused[1:]
		return
	}
	p.queue[0] = nil
	p.queue = p.queue[1:]
	p.inFlight.push(d)
	p.step.handed()
}

// advance lets go of the oldest messages as far as they are acknowledged.
func (p *partition) advance() {
	freed := 0
	for d := p.inFlight.first(); d != nil && !d.waiting; d = p.inFlight.first() {
		acked, nacked := d.settled()
		if nacked {
			p.sweep()
			break
		}
		if !acked {
			break
		}
		p.prefix.Store(d.next)
		freed += int(d.size)
		p.inFlight.pop()
	}
	p.settledBytes(freed)
}

// sweep looks at everything in flight for refusals, and queues the same records
// to be handed over again, oldest first.
func (p *partition) sweep() {
	found := false
	for i := range p.inFlight.len() {
		d := p.inFlight.at(i)
		if d.waiting {
			continue
		}
		if _, nacked := d.settled(); nacked {
			p.inFlight.set(i, d.again())
			found = true
		}
	}
	if !found {
		return
	}
	p.refuses = true
	first := len(p.refused) == 0
	p.refused = p.refused[:0]
	for i := range p.inFlight.len() {
		if d := p.inFlight.at(i); d.waiting {
			p.refused = append(p.refused, d)
		}
	}
	if first {
		wait := backoff(int(p.refused[0].nacks), p.sub.cfg.NackDelay, p.sub.cfg.MaxNackDelay)
		p.resendAt = time.Now().Add(wait)
	}
}

// drain waits, until the deadline, for what the consumer holds, and then settles
// the rest itself: an Ack that comes later answers false. It reports how many
// messages that were.
func (p *partition) drain(deadline <-chan struct{}) (late int) {
	for i := range p.inFlight.len() {
		d := p.inFlight.at(i)
		if d.waiting || d.unseen {
			continue
		}
		select {
		case <-d.msg.Acked():
		case <-d.msg.Nacked():
		case <-deadline:
		}
	}
	done := true // so far, everything from the oldest on
	for i := range p.inFlight.len() {
		d := p.inFlight.at(i)
		if d.waiting || d.unseen {
			done = false
			continue
		}
		_, refused := d.settled()
		if refused {
			done = false
			continue
		}
		if d.msg.Nack() {
			late++
			done = false
			continue
		}
		if done {
			p.prefix.Store(d.next)
		}
	}
	return late
}

// ring is a queue of deliveries that can be looked into.
type ring struct {
	buf  []*delivery
	head int
	n    int
}

func (r *ring) len() int { return r.n }

func (r *ring) at(i int) *delivery { return r.buf[(r.head+i)&(len(r.buf)-1)] }

func (r *ring) set(i int, d *delivery) { r.buf[(r.head+i)&(len(r.buf)-1)] = d }

func (r *ring) first() *delivery {
	if r.n == 0 {
		return nil
	}
	return r.at(0)
}

func (r *ring) last() *delivery { return r.at(r.n - 1) }

func (r *ring) push(d *delivery) {
	if r.n == len(r.buf) {
		grown := make([]*delivery, max(16, 2*len(r.buf)))
		for i := range r.n {
			grown[i] = r.at(i)
		}
		r.buf, r.head = grown, 0
	}
	r.n++
	r.set(r.n-1, d)
}

func (r *ring) pop() {
	r.buf[r.head] = nil
	r.head = (r.head + 1) & (len(r.buf) - 1)
	r.n--
}
