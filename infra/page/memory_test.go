package page

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
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
