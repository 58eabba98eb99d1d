package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/rebuild"
	"github.com/makegood/makegood/projections/shadow"
)

// sharedText is text that several write to.
type sharedText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *sharedText) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *sharedText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// slowRebuilder is one that takes its time over every event, as over a long history. It says on complaints what goes
// wrong.
func slowRebuilder(t *testing.T, app *server.App, complaints *sharedText) *rebuild.Rebuilder {
	t.Helper()
	b, err := rebuild.New(rebuild.Config{
		DB: app.Store.DB, Ledger: app.Store.Reader(),
		Shadow: func(table string) rebuild.ShadowWriter { return app.Store.WriterTo(table) },
		Decode: func() ledger.DecodeStored {
			read := decode.Stored()
			return func(e *domain.Event, data []byte) (*domain.Event, error) {
				time.Sleep(400 * time.Millisecond)
				return read(e, data)
			}
		},
		Terms: app.TermsNow, ID: func() string { return strings.ToLower(rand.Text()[:12]) },
		Logger: slog.New(slog.NewTextHandler(complaints, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// computing waits until a rebuild is being computed, and has made its tables.
func computing(t *testing.T, app *server.App, c *client) *shadow.Rebuild {
	t.Helper()
	for {
		r, err := c.rebuild(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if r != nil && r.State == shadow.Computing && shadows(t, app) == 5 {
			return r
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func shadows(t *testing.T, app *server.App) (n uint64) {
	t.Helper()
	if err := app.Store.DB.QueryRow(t.Context(), "SELECT count() FROM system.tables WHERE database = currentDatabase() "+
		"AND name LIKE 'rebuilt_%'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// givenUp: a rebuild that was given up is discarded and stays so, for no fault, and nothing is left of it.
func givenUp(t *testing.T, app *server.App, c *client, id string, complaints *sharedText) {
	t.Helper()
	time.Sleep(1500 * time.Millisecond) // longer than it is between two looks at what has become of it
	r, err := c.rebuild(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if r.State != shadow.Discarded || r.Error != "" {
		t.Errorf("rebuild %s is %s: %s", id, r.State, r.Error)
	}
	if n := shadows(t, app); n != 0 {
		t.Errorf("%d tables of rebuild %s are left", n, id)
	}
	if text := complaints.String(); text != "" {
		t.Errorf("it complains: %s", text)
	}
}

// TestRebuildGivenUp: one who finds a rebuild under way is told which, whose and since when, and can throw it away,
// also where another process computes it; the work at it ends before its tables go.
func TestRebuildGivenUp(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	var complaints sharedText
	app.Rebuilder = slowRebuilder(t, app, &complaints)
	for _, e := range slices.Concat(goldenRates, goldenEvents) {
		mustPost(t, c, e)
	}
	mustCatchUp(t, c)
	begin := func() *shadow.Rebuild {
		t.Helper()
		if err := c.post(t.Context(), "/v1/rebuild", "application/json",
			strings.NewReader(`{"actor":"ann","reason":"rates came late","whole":true}`), nil); err != nil {
			t.Fatal(err)
		}
		return computing(t, app, c)
	}
	r := begin()
	since := fmt.Sprintf("%s since %s, begun by ann (computing)", r.ID, r.Started.UTC().Format(time.RFC3339))
	if code, text := said(t, c, "", "rebuild", "--yes"); code == 0 || !strings.Contains(text, since) ||
		!strings.Contains(text, "makegood rebuild --discard") {
		t.Errorf("who comes second is told\n%s", text)
	}
	if out := say(t, c, "", "rebuild", "--discard"); !strings.Contains(out,
		"rebuild "+r.ID+" is discarded, begun by ann at ") {
		t.Errorf("discard says\n%s", out)
	}
	givenUp(t, app, c, r.ID, &complaints)
	if code, text := said(t, c, "", "rebuild", "--discard"); code == 0 ||
		!strings.Contains(text, "no rebuild is under way: nothing was changed") {
		t.Errorf("without one, discard says\n%s", text)
	}

	r = begin()
	if err := slowRebuilder(t, app, &complaints).Discard(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	givenUp(t, app, c, r.ID, &complaints)
}

// TestInterrupted: whoever ends a command by Ctrl-C, while it waits or asks, is told in plain words that nothing was
// changed.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	var complaints sharedText
	app.Rebuilder = slowRebuilder(t, app, &complaints)
	for _, e := range slices.Concat(goldenRates, goldenEvents) {
		mustPost(t, c, e)
	}
	mustCatchUp(t, c)
	interrupt := func(when func(*sharedText), args ...string) string {
		t.Helper()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var text sharedText
		done := make(chan int, 1)
		go func() {
			done <- run(ctx, append(args, "--to", c.base), terminal.Streams{In: silent{ctx}, Out: &text, Err: &text})
		}()
		when(&text)
		stop()
		select {
		case status := <-done:
			if status == 0 || strings.Contains(text.String(), "context canceled") {
				t.Errorf("%v, interrupted: exit status %d\n%s", args, status, text.String())
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%v does not end when it is interrupted:\n%s", args, text.String())
		}
		return text.String()
	}
	var r *shadow.Rebuild
	text := interrupt(func(*sharedText) { r = computing(t, app, c) }, "rebuild", "--whole", "--yes", "--actor", "ann")
	if !strings.Contains(text, "makegood: interrupted: nothing was changed, and rebuild "+r.ID+" is discarded\n") {
		t.Errorf("interrupted, rebuild says\n%s", text)
	}
	givenUp(t, app, c, r.ID, &complaints)
	for _, args := range [][]string{{"close", "2026-01"}, {"rebuild"}, {"void", "urn:till:1", "7", "--reason", "x"}} {
		if text := interrupt(func(said *sharedText) { atItsQuestion(t, said) }, args...); !strings.Contains(text,
			"makegood: nothing was changed\n") {
			t.Errorf("%v, interrupted at its question, says\n%s", args, text)
		}
	}
	if got := audited(t, c, nil); len(got) != len(goldenRates) {
		t.Errorf("on record: %q", got)
	}
}

// atItsQuestion waits until a command has asked, which is the last that it says.
func atItsQuestion(t *testing.T, said *sharedText) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !strings.HasSuffix(said.String(), ": ") {
		if time.Now().After(deadline) {
			t.Fatalf("it never asks: %s", said.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// silent is a terminal at which nobody types.
type silent struct{ ctx context.Context }

func (s silent) Read([]byte) (int, error) {
	<-s.ctx.Done()
	time.Sleep(time.Minute)
	return 0, context.Canceled
}
