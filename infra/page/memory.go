package page

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// memory keeps the last answers of the books, so that readers who look at the same page share one, and a page is shown
// with the last known figure where a new one takes too long. Of what a page can do without it asks a few questions at
// once, and each question once however many readers wait for it.
type memory struct {
	logger *slog.Logger
	now    func() time.Time // for people
	places chan struct{}
	ctx    context.Context // of what is asked: a reader who goes away doesn't end it for the others
	stop   context.CancelFunc

	mu     sync.Mutex
	kept   map[string]*kept
	asking sync.WaitGroup
	closed bool
}

// kept is a question with its last answer.
type kept struct {
	value any           // nil: none yet
	at    time.Time     // when it was asked, for people
	since time.Time     // the same, to see how old it is
	took  time.Duration // to answer
	used  time.Time     // when somebody wanted it
	done  chan struct{} // closed when the one that is being asked is answered; nil: none is
	err   error         // of the last one
}

const (
	mostKept   = 1000
	mostAtOnce = 4                // questions that a page can do without
	longest    = time.Minute      // a question may take that a page can't do without
	longestOff = 10 * time.Minute // and one that it can do without: it is shown as it was known last meanwhile
	// atRest: an answer is fresh for that many times what it took, so that asking takes a tenth of the time.
	atRest      = 10
	freshCounts = 2 * time.Second  // for how long what is read from the roll-up is taken as it is
	freshLong   = 15 * time.Second // the same of what reads the ledger
	freshThen   = 5 * time.Minute  // and of what is as of a moment, which no event changes
	worthSaying = 20 * time.Second // an age that a reader is told
	// patience is how long a page waits for what it can do without, and for newer answers: what comes later, the page
	// fetches by itself.
	patience = 300 * time.Millisecond
)

func newMemory(logger *slog.Logger, now func() time.Time) *memory {
	m := &memory{logger: logger, now: now, places: make(chan struct{}, mostAtOnce), kept: map[string]*kept{}}
	m.ctx, m.stop = context.WithCancel(context.Background())
	return m
}

// Close ends what is being asked, and waits for it.
func (m *memory) close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.stop()
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
// none is. What a page can't do without is asked at once: it doesn't wait for a place behind what it can do without.
type terms struct {
	fresh, wait, first time.Duration
	atOnce             bool
}

// recall gives the answer to a question. Without a known one in time it is not Known; its error is that of asking where
// nothing is known.
func recall[T any](ctx context.Context, m *memory, key string, t terms,
	ask func(context.Context) (T, error)) (p part[T], err error) {
	m.mu.Lock()
	k := m.kept[key]
	if k == nil {
		k = &kept{used: time.Now()}
		m.kept[key] = k
		m.forget()
	}
	k.used = time.Now()
	if k.value != nil && time.Since(k.since) < max(t.fresh, atRest*k.took) {
		defer m.mu.Unlock()
		return partOf[T](k, t), nil
	}
	if k.done == nil && !m.closed {
		m.ask(key, k, t.atOnce, func(ctx context.Context) (any, error) { return ask(ctx) })
	}
	done, wait := k.done, t.first
	if k.value != nil {
		wait = t.wait
	}
	m.mu.Unlock()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-ctx.Done():
		return p, ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
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

// ask asks in the background. m is locked.
func (m *memory) ask(key string, k *kept, atOnce bool, ask func(context.Context) (any, error)) {
	done := make(chan struct{})
	k.done = done
	m.asking.Go(func() {
		defer close(done)
		var value any
		var at, since time.Time
		err := m.place(atOnce)
		if err == nil {
			ctx, cancel := context.WithTimeout(m.ctx, map[bool]time.Duration{true: longest, false: longestOff}[atOnce])
			at, since = m.now(), time.Now()
			value, err = guarded(ctx, ask)
			cancel()
			if !atOnce {
				<-m.places
			}
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		k.done, k.err = nil, err
		if err == nil {
			k.value, k.at, k.since, k.took = value, at, since, time.Since(since)
		} else if m.ctx.Err() == nil {
			m.logger.Warn("a part of a page could not be read", "part", key, "error", err)
		}
	})
}

// place waits for a place among those that ask, where one is wanted.
func (m *memory) place(atOnce bool) error {
	if atOnce {
		return m.ctx.Err()
	}
	select {
	case m.places <- struct{}{}:
		return nil
	case <-m.ctx.Done():
		return m.ctx.Err()
	}
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

// forget makes room: what nobody wanted for the longest time goes. m is locked.
func (m *memory) forget() {
	if len(m.kept) <= mostKept {
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
