package page

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// memory keeps the last answers of the books, so that readers who look at the same page share one, and a page is shown
// with the last known figure where a new one takes too long. It asks each question once, however many readers wait for
// it. Of the questions that a page can do without it asks a few at a time, those of different readers in turn.
type memory struct {
	logger *slog.Logger
	now    func() time.Time // for people
	ctx    context.Context  // of what is asked: a reader who goes away doesn't end it for the others; ends with close
	stop   context.CancelFunc

	mu        sync.Mutex
	kept      map[string]*kept
	running   int            // of what a page can do without
	runningOf map[string]int // of those, by who wanted it
	waiting   []*kept        // for a place among those: of one reader in the order in which they get one
	asking    sync.WaitGroup
}

// kept is a question with its last answer.
type kept struct {
	key     string
	value   any           // nil: none yet
	at      time.Time     // when it was asked, for people
	since   time.Time     // the same, to see how old it is
	took    time.Duration // to answer
	used    time.Time     // when somebody wanted it
	readers int           // who wait for it now
	done    chan struct{} // closed when the one that is being asked is answered; nil: none is
	begin   func()        // asks it, once it has a place
	leave   func()        // ends the one that is being asked; nil: it goes on when nobody waits
	soon    bool          // it gets a place before others of the same reader
	who     string        // wanted it: a place is counted as that reader's
	err     error         // of the last one
}

const (
	mostKept   = 1000
	mostAtOnce = 4 // questions that a page can do without
	// mostWaiting bounds how many more wait. What comes then isn't known, and is asked once somebody wants it again.
	mostWaiting = 64
	// wantedFor is how long a question waits that nobody wants any more. A page that lacks an answer asks again after
	// 10 s at the latest.
	wantedFor  = 30 * time.Second
	longest    = time.Minute      // for a question that a page can't do without
	longestOff = 10 * time.Minute // for one that it can do without: meanwhile it shows the last answer
	// atRest: an answer is fresh for that many times what it took, so that asking takes a tenth of the time.
	atRest      = 10
	freshCounts = 2 * time.Second  // an answer from the roll-up is taken as it is for so long
	freshLong   = 15 * time.Second // an answer from the ledger
	freshThen   = 5 * time.Minute  // an answer as of a moment, which no event changes
	worthSaying = 20 * time.Second // a reader is told of a greater age
	// patience is how long a page waits for what it can do without, and for newer answers: what comes later, the page
	// fetches by itself.
	patience = 300 * time.Millisecond
	// patienceOnPaper is how long paper waits for all that it shows: less than the minute after which proxies give up.
	patienceOnPaper = 45 * time.Second
)

func newMemory(logger *slog.Logger, now func() time.Time) *memory {
	m := &memory{logger: logger, now: now, kept: map[string]*kept{}, runningOf: map[string]int{}}
	m.ctx, m.stop = context.WithCancel(context.Background())
	return m
}

// close ends what is being asked, and waits for it. Nothing is asked after it.
func (m *memory) close() {
	m.mu.Lock()
	m.stop()
	for _, k := range m.waiting {
		k.end(m.ctx.Err())
	}
	m.waiting = nil
	m.mu.Unlock()
	m.asking.Wait()
}

// part is an answer as it is known. At is when it was asked; Old says that a newer one wasn't there in time, and that
// it is older than a reader would think.
type part[T any] struct {
	Value T
	At    time.Time
	Known bool
	Old   bool
	// Failed: nothing is known, and asking failed; the log says why.
	Failed bool
}

// terms say how long an answer is taken as it is, and how long to wait for a newer one: where one is known, and where
// none is. What a page can't do without is asked at once: it needs no place among the few that are asked at a time. Of
// the others, those that are wanted soon get a place first. Who wants it shares the places with the other readers.
type terms struct {
	fresh, wait, first time.Duration
	atOnce, soon       bool
	who                string
}

// recall gives the answer to a question: not Known, where there is none in time. An error of asking is returned only
// where nothing is known.
func recall[T any](ctx context.Context, m *memory, key string, t terms,
	ask func(context.Context) (T, error)) (p part[T], err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.kept[key]
	if k == nil {
		m.forget()
		k = &kept{key: key}
		m.kept[key] = k
	}
	k.used = time.Now()
	if k.value != nil && time.Since(k.since) < max(t.fresh, atRest*k.took) {
		return partOf[T](k, t), nil
	}
	switch {
	case k.done == nil && m.ctx.Err() == nil:
		m.ask(k, t, func(ctx context.Context) (any, error) { return ask(ctx) })
	case m.runningOf[t.who] < m.runningOf[k.who] && slices.Contains(m.waiting, k):
		k.who = t.who
	}
	switch {
	case k.done != nil:
		if err := m.wait(ctx, k, t); err != nil {
			return p, err
		}
	case k.value == nil: // it isn't asked: too much waits, or the memory is closed
		delete(m.kept, key)
		return p, m.ctx.Err()
	}
	if k.value == nil {
		return p, k.err
	}
	return partOf[T](k, t), nil
}

func partOf[T any](k *kept, t terms) part[T] {
	value, _ := k.value.(T)
	return part[T]{Value: value, At: k.at, Known: true,
		Old: time.Since(k.since) > max(worthSaying, t.fresh, (atRest+1)*k.took)}
}

// wait waits for what is being asked, as long as the terms say. m is locked before and after, but not meanwhile.
func (m *memory) wait(ctx context.Context, k *kept, t terms) (gone error) {
	done, wait := k.done, t.first
	if k.value != nil {
		wait = t.wait
	}
	k.readers++
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		k.readers--
		k.used = time.Now()
		if gone != nil && k.readers == 0 && k.done == done && k.leave != nil {
			m.abandon(k)
		}
	}()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// abandon ends a question that nobody waits for any more. Who comes later asks again. m is locked.
func (m *memory) abandon(k *kept) {
	k.leave()
	if k.value == nil {
		delete(m.kept, k.key)
	}
}

// ask asks in the background: at once where the terms say so, else once there is a place. Where too many wait for one,
// none of them of a reader who has more, it isn't asked. m is locked.
func (m *memory) ask(k *kept, t terms, ask func(context.Context) (any, error)) {
	hasPlace := t.atOnce || m.running < mostAtOnce
	if !hasPlace {
		m.dropUnwanted()
		if len(m.waiting) == mostWaiting && !m.makeRoom(t.who) {
			return
		}
	}
	k.who = t.who
	k.done, k.soon, k.begin = make(chan struct{}), t.soon, func() {
		most := longest
		if !t.atOnce {
			most = longestOff
			m.running++
			m.runningOf[k.who]++
		}
		ctx, cancel := context.WithTimeout(m.ctx, most)
		if t.atOnce {
			k.leave = cancel
		}
		m.asking.Go(func() {
			defer cancel()
			m.answer(ctx, k, t.atOnce, ask)
		})
	}
	if hasPlace {
		k.begin()
		return
	}
	at := len(m.waiting)
	if k.soon {
		if later := slices.IndexFunc(m.waiting, func(o *kept) bool { return !o.soon }); later >= 0 {
			at = later
		}
	}
	m.waiting = slices.Insert(m.waiting, at, k)
}

// answer asks, and keeps the answer.
func (m *memory) answer(ctx context.Context, k *kept, atOnce bool, ask func(context.Context) (any, error)) {
	at, since := m.now(), time.Now()
	value, err := guarded(ctx, ask)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		k.value, k.at, k.since, k.took = value, at, since, time.Since(since)
	} else if !errors.Is(ctx.Err(), context.Canceled) {
		m.logger.Warn("a part of a page could not be read", "part", k.key, "error", err)
	}
	k.end(err)
	if !atOnce {
		m.running--
		if m.runningOf[k.who]--; m.runningOf[k.who] == 0 {
			delete(m.runningOf, k.who)
		}
		m.next()
	}
}

// end ends the question that is being asked, for those who wait for it. Its memory is locked.
func (k *kept) end(err error) {
	close(k.done)
	k.done, k.begin, k.leave, k.err = nil, nil, nil, err
}

// next gives a place that is free to what waits for it, of the reader for whom the fewest questions are being asked. m
// is locked.
func (m *memory) next() {
	m.dropUnwanted()
	if len(m.waiting) == 0 { // as after close
		return
	}
	at := 0
	for i, k := range m.waiting {
		if m.runningOf[k.who] < m.runningOf[m.waiting[at].who] {
			at = i
		}
	}
	k := m.waiting[at]
	m.waiting = slices.Delete(m.waiting, at, at+1)
	k.begin()
}

// makeRoom drops the last of what waits for the reader with the most, if one more of who is then still no more than
// what is left of that reader's. So many tabs of one reader leave places for the others. m is locked.
func (m *memory) makeRoom(who string) bool {
	of := map[string]int{}
	most := who
	for _, k := range m.waiting {
		if of[k.who]++; of[k.who] > of[most] {
			most = k.who
		}
	}
	if of[most] <= of[who]+1 {
		return false
	}
	for i, k := range slices.Backward(m.waiting) {
		if k.who == most {
			m.waiting = slices.Delete(m.waiting, i, i+1)
			m.drop(k)
			break
		}
	}
	return true
}

// drop ends a question that got no place. m is locked.
func (m *memory) drop(k *kept) {
	k.end(nil)
	if k.value == nil {
		delete(m.kept, k.key)
	}
}

// dropUnwanted drops what waits and nobody wanted for a while. m is locked.
func (m *memory) dropUnwanted() {
	m.waiting = slices.DeleteFunc(m.waiting, func(k *kept) bool {
		unwanted := k.readers == 0 && time.Since(k.used) > wantedFor
		if unwanted {
			m.drop(k)
		}
		return unwanted
	})
}

// guarded is ask, whose panic is its error: no request is there to take it.
func guarded(ctx context.Context, ask func(context.Context) (any, error)) (value any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return ask(ctx)
}

// clear forgets what nobody is asking.
func (m *memory) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, k := range m.kept {
		if k.done == nil {
			delete(m.kept, key)
		}
	}
}

// forget makes room for one more: what nobody wanted for the longest time goes. m is locked.
func (m *memory) forget() {
	if len(m.kept) < mostKept {
		return
	}
	keys := make([]string, 0, len(m.kept))
	for key, k := range m.kept {
		if k.done == nil {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b string) int { return m.kept[a].used.Compare(m.kept[b].used) })
	for _, key := range keys[:min(len(keys), mostKept/4)] {
		delete(m.kept, key)
	}
}
