package page

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestMemory: readers share one question; where a new answer takes too long the last one is shown, and none is waited
// for longer than the terms say; an error, or a panic, is one where nothing is known, and else leaves the last answer.
func TestMemory(t *testing.T) {
	m := newMemory(slog.New(slog.DiscardHandler), time.Now)
	defer m.close()
	var asked atomic.Int64
	var readers sync.WaitGroup
	for range 50 {
		readers.Go(func() {
			p, err := recall(t.Context(), m, "shared", terms{fresh: time.Hour, wait: time.Minute, first: time.Minute},
				func(context.Context) (int, error) { return int(asked.Add(1)), nil })
			if err != nil || !p.Known || p.Value != 1 || p.Old {
				t.Errorf("%+v %v", p, err)
			}
		})
	}
	readers.Wait()
	if asked.Load() != 1 {
		t.Errorf("50 readers asked %d times", asked.Load())
	}

	hanging := make(chan struct{})
	slow := func(context.Context) (int, error) {
		<-hanging
		return 2, nil
	}
	hurry := terms{wait: time.Millisecond, first: time.Millisecond}
	if p, err := recall(t.Context(), m, "shared", hurry, slow); err != nil || !p.Known || p.Value != 1 {
		t.Errorf("while a new answer takes long: %+v %v", p, err)
	}
	if p, err := recall(t.Context(), m, "unknown", hurry, slow); err != nil || p.Known {
		t.Errorf("while the first answer takes long: %+v %v", p, err)
	}
	close(hanging)
	if p, err := recall(t.Context(), m, "unknown", terms{wait: time.Minute, first: time.Minute}, slow); err != nil ||
		p.Value != 2 {
		t.Errorf("once it is there: %+v %v", p, err)
	}

	patient := terms{wait: time.Minute, first: time.Minute}
	broken := errors.New("broken")
	if _, err := recall(t.Context(), m, "broken", patient, func(context.Context) (int, error) {
		return 0, broken
	}); !errors.Is(err, broken) {
		t.Errorf("what can't be read says %v", err)
	}
	if _, err := recall(t.Context(), m, "panic", patient, func(context.Context) (int, error) {
		panic("no")
	}); err == nil {
		t.Error("a panic is no error")
	}
	if p, err := recall(t.Context(), m, "unknown", patient, func(context.Context) (int, error) {
		return 0, broken
	}); err != nil || p.Value != 2 {
		t.Errorf("after an answer an error gives %+v %v", p, err)
	}
}

// TestMemoryForgets: it has a bound, whatever is asked.
func TestMemoryForgets(t *testing.T) {
	m := newMemory(slog.New(slog.DiscardHandler), time.Now)
	defer m.close()
	for i := range 3 * mostKept {
		if _, err := recall(t.Context(), m, string(rune(i+1000)), terms{fresh: time.Hour, first: time.Minute},
			func(context.Context) (int, error) { return i, nil }); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.kept) > mostKept {
		t.Errorf("%d answers are kept", len(m.kept))
	}
}

// TestMemoryBoundsWhatWaits: however many questions readers leave behind, few are asked at once, a bounded number waits
// for a place, and of those the ones that nobody wanted for a while are not asked any more.
func TestMemoryBoundsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(slog.New(slog.DiscardHandler), time.Now)
		defer m.close()
		hanging := make(chan struct{})
		var asked atomic.Int64
		want := func(key string, wait time.Duration) part[int] {
			p, err := recall(t.Context(), m, key, terms{fresh: time.Hour, wait: wait, first: wait},
				func(context.Context) (int, error) {
					asked.Add(1)
					<-hanging
					return 1, nil
				})
			if err != nil {
				t.Error(err)
			}
			return p
		}
		const most = mostAtOnce + mostWaiting
		for i := range 3 * most {
			if p := want(fmt.Sprint(i), time.Millisecond); p.Known {
				t.Fatalf("question %d is known: %+v", i, p)
			}
		}
		if len(m.kept) != most || len(m.waiting) != mostWaiting || asked.Load() != mostAtOnce {
			t.Errorf("%d are kept, %d wait and %d are asked", len(m.kept), len(m.waiting), asked.Load())
		}
		var readers sync.WaitGroup
		readers.Go(func() {
			if p := want(fmt.Sprint(mostAtOnce), time.Hour); !p.Known {
				t.Error("who waits for an answer gets none")
			}
		})
		time.Sleep(wantedFor)
		want(fmt.Sprint(mostAtOnce+1), time.Millisecond)
		time.Sleep(wantedFor - time.Second)
		want("new", time.Millisecond) // finds a place where those were that nobody wants
		if len(m.waiting) != 3 || len(m.kept) != mostAtOnce+3 {
			t.Errorf("%d are kept, %d wait", len(m.kept), len(m.waiting))
		}
		close(hanging)
		readers.Wait()
		synctest.Wait()
		if asked.Load() != mostAtOnce+3 || m.running != 0 || len(m.waiting) != 0 {
			t.Errorf("%d are asked, %d are being asked, %d wait", asked.Load(), m.running, len(m.waiting))
		}
	})
}

// TestMemoryIsFair: a reader whose tabs took all places leaves room for another one, whose question is the next to be
// asked.
func TestMemoryIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(slog.New(slog.DiscardHandler), time.Now)
		defer m.close()
		goOn := make(chan struct{})
		var asked []string // one at a time, since the places are given back one at a time
		want := func(who, key string) {
			if _, err := recall(t.Context(), m, key, terms{fresh: time.Hour, who: who},
				func(context.Context) (int, error) {
					m.mu.Lock()
					asked = append(asked, key)
					m.mu.Unlock()
					<-goOn
					return 1, nil
				}); err != nil {
				t.Error(err)
			}
		}
		for i := range mostAtOnce + 2*mostWaiting {
			want("many", fmt.Sprint("many ", i))
		}
		for i := range 3 {
			want("few", fmt.Sprint("few ", i))
		}
		want("few", "many 30") // waits for the other one
		if of := waitingOf(m); len(m.waiting) != mostWaiting || of["few"] != 4 {
			t.Errorf("%d wait: %v", len(m.waiting), of)
		}
		for i := range mostWaiting {
			want("few", fmt.Sprint("few ", i))
		}
		if of := waitingOf(m); len(m.waiting) != mostWaiting || of["few"] != mostWaiting/2 {
			t.Errorf("%d wait: %v", len(m.waiting), of)
		}
		synctest.Wait()
		goOn <- struct{}{}
		goOn <- struct{}{}
		synctest.Wait()
		for _, key := range []string{"many 30", "few 0"} {
			if !slices.Contains(asked[mostAtOnce:], key) {
				t.Errorf("after the first %d, %v are asked", mostAtOnce, asked[mostAtOnce:])
			}
		}
		close(goOn)
		synctest.Wait()
		if len(asked) != mostAtOnce+mostWaiting || m.running != 0 || len(m.runningOf) != 0 {
			t.Errorf("%d were asked; %d are being asked, for %v", len(asked), m.running, m.runningOf)
		}
	})
}

// waitingOf are how many wait by who wants them.
func waitingOf(m *memory) map[string]int {
	of := map[string]int{}
	for _, k := range m.waiting {
		of[k.who]++
	}
	return of
}

// TestMemoryCloses: who waits for a question that has no place yet is told when the page closes.
func TestMemoryCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(slog.New(slog.DiscardHandler), time.Now)
		var readers sync.WaitGroup
		for i := range mostAtOnce + 1 {
			readers.Go(func() {
				_, err := recall(t.Context(), m, fmt.Sprint(i), terms{first: time.Hour},
					func(ctx context.Context) (int, error) {
						<-ctx.Done()
						return 0, ctx.Err()
					})
				if !errors.Is(err, context.Canceled) {
					t.Errorf("question %d: %v", i, err)
				}
			})
		}
		synctest.Wait()
		m.close()
		readers.Wait()
	})
}

// TestMemoryEndsWhatNobodyWaitsFor: what is asked at once is bounded by the requests that wait for it. It goes on while
// one of them does, and ends with the last; who comes later asks again.
func TestMemoryEndsWhatNobodyWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(slog.New(slog.DiscardHandler), time.Now)
		defer m.close()
		var asked, ended atomic.Int64
		want := func(ctx context.Context) error {
			_, err := recall(ctx, m, "core", terms{first: time.Hour, atOnce: true}, func(ctx context.Context) (int, error) {
				asked.Add(1)
				<-ctx.Done()
				ended.Add(1)
				return 0, ctx.Err()
			})
			return err
		}
		var readers sync.WaitGroup
		var leave [2]context.CancelFunc
		for i := range leave {
			var ctx context.Context
			ctx, leave[i] = context.WithCancel(t.Context())
			readers.Go(func() {
				if err := want(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("reader %d: %v", i, err)
				}
			})
		}
		synctest.Wait()
		leave[0]()
		synctest.Wait()
		if asked.Load() != 1 || ended.Load() != 0 {
			t.Errorf("with one of two readers gone %d were asked, %d ended", asked.Load(), ended.Load())
		}
		leave[1]()
		readers.Wait()
		synctest.Wait()
		if ended.Load() != 1 || len(m.kept) != 0 {
			t.Errorf("with both gone %d ended, %d are kept", ended.Load(), len(m.kept))
		}
		if err := want(t.Context()); !errors.Is(err, context.DeadlineExceeded) || asked.Load() != 2 {
			t.Errorf("who comes later asks again: %v, %d asked", err, asked.Load())
		}
	})
}
