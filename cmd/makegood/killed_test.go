package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/report"
)

// TestKilledAtAnyMoment: a process that is killed again and again, and events that are sent again and again until they
// are acknowledged, give the books of an independent reference: nothing is lost, nothing counted twice.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	kills := 3
	if reference.AllStreams() {
		kills = 6
	}
	stream := newRandomStream(t, 300)
	random := rand.New(rand.NewPCG(stream.seed, 2))
	dir, addr, kafkaAddr := t.TempDir(), freeAddress(t), freeAddress(t)
	serve := func() *process {
		return startProcess(t, "serve", "--data-dir", dir, "--http", addr, "--kafka-listen", kafkaAddr)
	}
	defer bookstest.KeepHistory(t, fmt.Sprintf("killed-%d", stream.seed), stream.records)

	p := serve()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	sent := make(chan error, 1)
	c := newClient("http://" + addr)
	go func() { sent <- sendUntilAcknowledged(ctx, c, stream.records, stream.seed) }()
	for range kills {
		time.Sleep(time.Duration(200+random.IntN(1500)) * time.Millisecond)
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = p.cmd.Wait() // it was killed
		p = serve()
	}
	if err := <-sent; err != nil {
		t.Fatalf("seed %d: %v\n%s", stream.seed, err, p.said)
	}
	waitReady(ctx, t, c, p)
	stream.nothingLost(ctx, t, c)

	refusesAnother(ctx, t, dir, p)
	// Told to stop, it stops cleanly.
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("told to stop, it ended with %v and said\n%s", err, p.said)
	}
}

// sameLeakage holds the leakage by day, kind and element against the second set of books.
func sameLeakage(ctx context.Context, t *testing.T, c *client, want *reference.Books, seed uint64) {
	t.Helper()
	for _, currency := range []string{"USD", "EUR"} {
		var got report.Leakage
		if err := c.get(ctx, "/v1/reports/leakage", url.Values{"group_by": {"day,kind,element"}, "currency": {currency}},
			&got); err != nil {
			t.Fatal(err)
		}
		expected, err := want.Leakage("", "", []string{"day", "kind", "element"}, "economic", "occurred", currency)
		if err != nil {
			t.Fatal(err)
		}
		var g, w strings.Builder
		for _, r := range got.Rows {
			fmt.Fprintln(&g, r.Key, r.LeakageFigures)
		}
		for _, r := range expected.Rows {
			fmt.Fprintln(&w, r.Key, bookstest.Figures(r))
		}
		if g.String() != w.String() {
			t.Errorf("seed %d: the leakage in %s differs:\n%s", seed, currency, bookstest.Difference(g.String(), w.String()))
		}
	}
}

// refusesAnother: a second process on the same books is refused, and told by whom.
func refusesAnother(ctx context.Context, t *testing.T, dir string, p *process) {
	t.Helper()
	var second terminal.Streams
	var said bytes.Buffer
	second.Out, second.Err = io.Discard, &said
	if code := run(ctx, []string{"serve", "--data-dir", dir, "--http", "127.0.0.1:0"}, second); code == 0 ||
		!strings.Contains(said.String(), fmt.Sprint(p.cmd.Process.Pid)) {
		t.Errorf("a second serve ended with %d and said %s", code, said.String())
	}
}

// randomStream is a random stream, in the order in which it is sent, and the books that a reference makes of it.
type randomStream struct {
	seed    uint64
	records []reference.Record
	want    *reference.Books
}

func newRandomStream(t *testing.T, orders int) *randomStream {
	t.Helper()
	seed := bookstest.Seeds(t, 1, 1)[0]
	s := &randomStream{seed: uint64(seed),
		records: ratesFirst(reference.Generate(seed, reference.Options{Orders: orders}))}
	var err error
	if s.want, err = reference.Run(s.records, time.UTC); err != nil {
		t.Fatal(err)
	}
	return s
}

// send sends some of its records until all of those are acknowledged.
func (s *randomStream) send(ctx context.Context, t *testing.T, c *client, records []reference.Record) {
	t.Helper()
	if err := sendUntilAcknowledged(ctx, c, records, s.seed); err != nil {
		t.Fatalf("seed %d: %v", s.seed, err)
	}
}

// nothingLost waits until all is booked, and holds it against the reference.
func (s *randomStream) nothingLost(ctx context.Context, t *testing.T, c *client) {
	t.Helper()
	now, err := c.caughtUp(ctx)
	if err != nil || now.Events != uint64(len(s.want.Entries)) || now.DeadLetters != 0 || len(now.Gaps) != 0 {
		t.Errorf("seed %d: %d events of %d, %d dead letters, gaps %v: %v", s.seed, now.Events, len(s.want.Entries),
			now.DeadLetters, now.Gaps, err)
	}
	sameLeakage(ctx, t, c, s.want, s.seed)
}

// ratesFirst is the order in which records are sent, which is then the reference's: what is sent at once into several
// topics has no order to compare.
func ratesFirst(records []reference.Record) (ordered []reference.Record) {
	for _, books := range []bool{true, false} {
		for _, r := range records {
			if (r.Stream == "books") == books {
				r.Seq = int64(len(ordered))
				ordered = append(ordered, r)
			}
		}
	}
	return ordered
}

// sendUntilAcknowledged sends every record, in small batches, again and again until a gateway acknowledges it.
func sendUntilAcknowledged(ctx context.Context, c *client, records []reference.Record, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 3))
	for len(records) > 0 {
		n := min(len(records), 1+random.IntN(20))
		body := []byte{'['}
		for i, r := range records[:n] {
			if i > 0 {
				body = append(body, ',')
			}
			body = append(body, r.Event...)
		}
		for {
			err := c.post(ctx, "/v1/events", "application/cloudevents-batch+json", bytes.NewReader(append(body, ']')), nil)
			if err == nil {
				break
			}
			var p *problem
			if errors.As(err, &p) && p.Status != http.StatusServiceUnavailable {
				return fmt.Errorf("%w: %+v", err, p.Errors)
			}
			if ctx.Err() != nil {
				return err
			}
			time.Sleep(20 * time.Millisecond)
		}
		records = records[n:]
		time.Sleep(20 * time.Millisecond) // so that the kills fall between and into the batches
	}
	return nil
}
