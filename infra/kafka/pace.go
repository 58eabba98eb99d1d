package kafka

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// pace keeps the partitions of a subscription in step. While there is a backlog, their records are handed over by
// their times, some hundred at a time, so that what was written together comes together, whatever its topic. It
// promises nothing: producers' clocks may be wrong, and a partition that gives no sign isn't waited for. One that
// doesn't move for paceWait, or for paceFull where the consumer holds all that it may hold of it, is left behind until
// it says something. None waits for more than paceMost in all: however many old records others have, its new ones are
// handed over between them.
type pace struct {
	mu sync.Mutex
	of []*step
}

const (
	// How many records a partition hands over before it looks at the others again: the most, and the fewest, where they
	// are later than those of others.
	paceRecords = 256
	paceLater   = 32
	paceWait    = 100 * time.Millisecond
	paceFull    = 2 * time.Second
	paceMost    = 5 * time.Second
	atEnd       = math.MaxInt64
)

// step is how far a partition is. A nil one is in no pace.
type step struct {
	pace *pace
	held func() bool   // whether the consumer holds all that it may hold
	head atomic.Int64  // time of the next record, ms; of the last where the next isn't there yet; atEnd: there is none
	turn chan struct{} // it may be its turn

	// How many more records it may hand over without a look at the others, the first of them of any time and the rest up
	// to the time until, ms. For the pump alone.
	lease int
	until int64

	// Under the pace's lock.
	silent  bool // it was waited for in vain, and has said nothing since: nobody waits for it
	waits   bool
	since   time.Time // when the one that it waits for was seen to move last
	behind  int64     // and where that was
	waiting time.Time // since when it has waited in all; zero: it doesn't
}

// join adds a partition. It is before all others until it knows better.
func (p *pace) join(held func() bool) *step {
	s := &step{pace: p, held: held, turn: make(chan struct{}, 1)}
	s.head.Store(math.MinInt64)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.of = append(p.of, s)
	return s
}

// may reports whether a record may be handed over, by its time in milliseconds. Where it may not, it is to be asked
// again when turn says so, or after paceWait.
func (s *step) may(at int64) bool {
	if s == nil || s.lease > paceRecords-paceLater || s.lease > 0 && at <= s.until {
		return true
	}
	s.lease = 0
	s.head.Store(at)
	s.pace.mu.Lock()
	defer s.pace.mu.Unlock()
	s.silent = false
	slowest := s.pace.slowest(s)
	for slowest != nil && at > slowest.head.Load() && s.waitedEnough(slowest) {
		slowest.silent, s.waits = true, false
		slowest = s.pace.slowest(s)
	}
	turn := slowest == nil || at <= slowest.head.Load()
	switch {
	case turn, !s.waiting.IsZero() && time.Since(s.waiting) >= paceMost:
		s.lease, s.waits, s.until, s.waiting = paceRecords, false, atEnd, time.Time{}
		if turn && slowest != nil {
			s.until = slowest.head.Load()
		}
	case s.waiting.IsZero():
		s.waiting = time.Now()
	}
	s.pace.wake()
	return s.lease == paceRecords
}

// waitedEnough notes that the partition waits for another one, and reports whether it has done so long enough.
func (s *step) waitedEnough(slowest *step) bool {
	now, head := time.Now(), slowest.head.Load()
	if !s.waits || s.behind != head {
		s.waits, s.since, s.behind = true, now, head
	}
	most := paceWait
	if slowest.held() {
		most = paceFull
	}
	return now.Sub(s.since) >= most
}

// handed notes that a record was handed over.
func (s *step) handed() {
	if s != nil && s.lease > 0 {
		s.lease--
	}
}

// ended notes that all records of the partition were handed over.
func (s *step) ended() {
	if s == nil || s.head.Swap(atEnd) == atEnd {
		return
	}
	s.pace.mu.Lock()
	defer s.pace.mu.Unlock()
	s.pace.wake()
}

// slowest is the partition with the earliest head, but for one and for those that are silent; nil where there is no
// other.
func (p *pace) slowest(but *step) (slowest *step) {
	for _, s := range p.of {
		if s != but && !s.silent && (slowest == nil || s.head.Load() < slowest.head.Load()) {
			slowest = s
		}
	}
	return slowest
}

// wake wakes the earliest of those that wait, where it is its turn.
func (p *pace) wake() {
	var first *step
	for _, s := range p.of {
		if s.waits && (first == nil || s.head.Load() < first.head.Load()) {
			first = s
		}
	}
	if first == nil {
		return
	}
	if other := p.slowest(first); other != nil && other.head.Load() < first.head.Load() {
		return
	}
	select {
	case first.turn <- struct{}{}:
	default:
	}
}

// turns tells when it may be the partition's turn.
func (s *step) turns() <-chan struct{} {
	if s == nil {
		return nil
	}
	return s.turn
}
