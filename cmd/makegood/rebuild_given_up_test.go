package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
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

// held is a reader of the ledger whose rows come to nobody before the reading is ended: a rebuild that reads of it is
// computed until somebody gives it up.
type held struct {
	ledger.Reader
	begun, ended chan struct{} // each gets one for each reading
}

const patience = 2 * time.Minute // with what takes a second on a machine that does nothing else

func (h held) ReadLedger(ctx context.Context, from string, workers ...func(*ledger.Row) error) error {
	late := make([]func(*ledger.Row) error, len(workers))
	for i, take := range workers {
		late[i] = func(r *ledger.Row) error {
			select {
			case <-ctx.Done():
				return take(r) // as one who takes long over a row, and looks up only then
			case <-time.After(patience):
				return errors.New("nobody gives the rebuild up")
			}
		}
	}
	h.begun <- struct{}{}
	err := h.Reader.ReadLedger(ctx, from, late...)
	h.ended <- struct{}{}
	return err
}

// endless is a rebuilder whose rebuilds are computed until somebody gives them up.
type endless struct {
	*rebuild.Rebuilder
	begun, ended chan struct{}
	complaints   *sharedText // what goes wrong
}

func newEndless(t *testing.T, app *server.App) endless {
	t.Helper()
	b := endless{begun: make(chan struct{}, 1), ended: make(chan struct{}, 1), complaints: new(sharedText)}
	var err error
	b.Rebuilder, err = rebuild.New(rebuild.Config{
		DB: app.Store.DB, Ledger: held{app.Store.Reader(), b.begun, b.ended},
		Shadow: func(table string) rebuild.ShadowWriter { return app.Store.WriterTo(table) },
		Decode: func() ledger.DecodeStored { return decode.Stored() },
		Terms:  app.TermsNow, ID: func() string { return strings.ToLower(rand.Text()[:12]) },
		Logger: slog.New(slog.NewTextHandler(b.complaints, &slog.HandlerOptions{Level: slog.LevelWarn})),
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

// computing waits until a rebuild is being computed, has made its tables and reads the ledger: one that is given up
// before doesn't read at all.
func (b endless) computing(t *testing.T, app *server.App, c *client) *shadow.Rebuild {
	t.Helper()
	select {
	case <-b.begun:
	case <-time.After(patience):
		t.Fatal("no rebuild reads the ledger")
	}
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

// givenUp: the work at a rebuild that was given up ends; it is discarded and stays so, for no fault, and nothing is
// left of it.
func (b endless) givenUp(t *testing.T, app *server.App, c *client, id string) {
	t.Helper()
	select {
	case <-b.ended:
	case <-time.After(patience):
		t.Fatalf("rebuild %s is still computed", id)
	}
	if err := b.Close(); err != nil { // waits until it has seen to what becomes of the rebuild
		t.Fatal(err)
	}
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
	if text := b.complaints.String(); text != "" {
		t.Errorf("it complains: %s", text)
	}
}

// TestRebuildGivenUp: one who finds a rebuild under way is told which, whose and since when, and can throw it away,
// also where another process computes it; the work at it ends before its tables go.
func TestRebuildGivenUp(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents) {
		mustPost(t, c, e)
	}
	mustCatchUp(t, c)
	begin := func() (endless, *shadow.Rebuild) {
		t.Helper()
		b := newEndless(t, app)
		app.Rebuilder = b.Rebuilder
		if err := c.post(t.Context(), "/v1/rebuild", "application/json",
			strings.NewReader(`{"actor":"ann","reason":"rates came late","whole":true}`), nil); err != nil {
			t.Fatal(err)
		}
		return b, b.computing(t, app, c)
	}
	b, r := begin()
	// As on a machine that is too busy to note how far it is: who computes it knows that it is under way.
	if err := app.Store.DB.Exec(t.Context(), "INSERT INTO rebuilds SELECT * REPLACE ("+
		"updated - INTERVAL 1 HOUR AS updated, version + 1 AS version) FROM rebuilds FINAL WHERE id = ?", r.ID); err != nil {
		t.Fatal(err)
	}
	since := fmt.Sprintf("%s since %s, begun by ann (computing)", r.ID, r.Started.UTC().Format(time.RFC3339))
	if code, text := said(t, c, "", "rebuild", "--yes"); code == 0 || !strings.Contains(text, since) ||
		!strings.Contains(text, "makegood rebuild --discard") {
		t.Errorf("who comes second is told\n%s", text)
	}
	if out := say(t, c, "", "rebuild", "--discard"); !strings.Contains(out,
		"rebuild "+r.ID+" is discarded, begun by ann at ") {
		t.Errorf("discard says\n%s", out)
	}
	b.givenUp(t, app, c, r.ID)
	if code, text := said(t, c, "", "rebuild", "--discard"); code == 0 ||
		!strings.Contains(text, "no rebuild is under way: nothing was changed") {
		t.Errorf("without one, discard says\n%s", text)
	}

	b, r = begin()
	if err := newEndless(t, app).Discard(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	b.givenUp(t, app, c, r.ID)
}

// TestInterrupted: whoever ends a command by Ctrl-C, while it waits or asks, is told in plain words that nothing was
// changed.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents) {
		mustPost(t, c, e)
	}
	mustCatchUp(t, c)
	b := newEndless(t, app)
	app.Rebuilder = b.Rebuilder
	interrupt := func(when func(*sharedText), args ...string) string {
		t.Helper()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var text sharedText
		done := make(chan int, 1)
		go func() {
			done <- run(ctx, append(args, "--to", c.base), terminal.Streams{In: silent{t.Context()}, Out: &text, Err: &text})
		}()
		when(&text)
		stop()
		select {
		case status := <-done:
			if status == 0 || strings.Contains(text.String(), "context canceled") {
				t.Errorf("%v, interrupted: exit status %d\n%s", args, status, text.String())
			}
		case <-time.After(patience):
			t.Fatalf("%v does not end when it is interrupted:\n%s", args, text.String())
		}
		return text.String()
	}
	var r *shadow.Rebuild
	text := interrupt(func(*sharedText) { r = b.computing(t, app, c) }, "rebuild", "--whole", "--yes", "--actor", "ann")
	if !strings.Contains(text, "makegood: interrupted: nothing was changed, and rebuild "+r.ID+" is discarded\n") {
		t.Errorf("interrupted, rebuild says\n%s", text)
	}
	b.givenUp(t, app, c, r.ID)
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
	deadline := time.Now().Add(patience)
	for !strings.HasSuffix(said.String(), ": ") {
		if time.Now().After(deadline) {
			t.Fatalf("it never asks: %s", said.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// silent is a terminal at which nobody types until the test ends, also after Ctrl-C.
type silent struct{ test context.Context } //nolint:containedctx // it says when the test ends

func (s silent) Read([]byte) (int, error) {
	<-s.test.Done()
	return 0, context.Canceled
}
