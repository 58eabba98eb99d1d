package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
)

var (
	historyFile = flag.String("history", "", "the file of a failing history that TestReplay books again")
	streamSeed  = flag.Int64("seed", 1, "the seed of a test's first random stream; 0 draws one by the clock")
	streamCount = flag.Int("streams", 0, "how many random streams a test has; 0 leaves that to it")
)

// streamSeeds are the seeds of so many random streams: the same each time, so that a change is held against what passed
// before it. -seed 0 gives others each time. They are in the names of the tests.
func streamSeeds(t *testing.T, full, short int) []int64 {
	t.Helper()
	n, first := full, *streamSeed
	if testing.Short() {
		n = short
	}
	if *streamCount > 0 {
		n = *streamCount
	}
	if first == 0 {
		first = time.Now().UnixNano() / 1000 % 1_000_000_000
	}
	t.Logf("the streams' seeds begin with -seed %d", first)
	seeds := make([]int64, n)
	for i := range seeds {
		seeds[i] = first + int64(i)
	}
	return seeds
}

// settledAlone is the journal that settling makes of records: the same as the books', without a log and ClickHouse, so
// quick enough to be asked again and again. The records are in the order of the log.
func settledAlone(records []reference.Record) (string, error) {
	l, read := &memoryLog{records: records}, decode.Log()
	known, err := post.ReadTerms(context.Background(), l, read, time.UTC)
	if err != nil {
		return "", err
	}
	rows := make([]ledger.Stored, 0, len(records))
	seen := map[domain.Identity]bool{}
	for _, r := range records {
		m := l.message(r)
		d, err := read(m.Metadata, m.Payload)
		if err != nil {
			return "", fmt.Errorf("record %d: %w", r.Seq, err)
		}
		row := storedRow(d, r)
		if seen[row.Identity()] {
			continue
		}
		seen[row.Identity()] = true
		row.Place(known.Terms.Periods)
		rows = append(rows, row)
	}
	settler := post.Settler{New: decode.Stored, Rebuilds: known.Rebuilds}
	var lines []string
	for _, unit := range post.Components(rows, known.Decisions) {
		changed, refused, not := settler.Settle(known.Terms, unit)
		if len(refused)+len(not) > 0 {
			return "", fmt.Errorf("%d events are refused, and not posted: %v", len(refused), not)
		}
		settled := map[*ledger.Row]bool{}
		for _, r := range unit {
			settled[&r.Row] = true
			lines = append(lines, journalLines(&r.Row)...)
		}
		for _, r := range changed {
			if !settled[r] { // what a rebuild posts
				lines = append(lines, journalLines(r)...)
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n"), nil
}

// storedRow is the row that the ledger would give back.
func storedRow(d *domain.Envelope, r reference.Record) ledger.Stored {
	e := d.Event
	for _, text := range []*string{&e.Source, &e.ID, &e.OrderID, &e.ErrorID, &e.StoreID, &e.Currency} {
		*text = strings.Clone(*text)
	}
	s := ledger.Stored{Row: ledger.Row{Event: &e, Content: d.Content, Data: slices.Clone(d.Data), Position: position(r),
		Rules: domain.PostingRules()}}
	switch data := e.Data.(type) {
	case *domain.FactDecided:
		e.OrderID, e.ErrorID = strings.Clone(data.OrderID), strings.Clone(data.ErrorID)
	case *domain.EventVoided:
		s.VoidsType = e.Effective().String()
		s.Voids = ledger.Ref{Order: e.OrderID, Source: strings.Clone(data.Source), ID: strings.Clone(data.ID)}
	}
	e.Data = nil
	return s
}

// journalLines writes the lines of a row as the reference's Journal does.
func journalLines(r *ledger.Row) (lines []string) {
	e := r.Event
	order, errorID := e.OrderID, e.ErrorID
	if e.Type == domain.TypeBooksRebuilt {
		order, errorID = "", ""
	}
	for _, l := range r.Lines {
		lines = append(lines, strings.Join([]string{e.Source, e.ID, e.Type.String(), order, errorID, e.StoreID,
			e.Time.UTC().Format(time.RFC3339), r.Origin.String(), r.Posting.String(), l.Currency, fmt.Sprint(uint16(l.Account)),
			l.Element.String(), l.Basis.String(), l.Amount.String(), l.Case, l.Step.String(), l.Store}, "\t"))
	}
	return lines
}

// apart is how two sets of books of the same records differ; sort is empty where they don't.
type apart struct{ sort, told string }

// settlesApart compares what settling makes of records with the reference.
func settlesApart(records []reference.Record) apart {
	if len(records) == 0 {
		return apart{}
	}
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		return apart{"reference", err.Error()}
	}
	got, err := settledAlone(records)
	if err != nil {
		return apart{"settling", err.Error()}
	}
	if w := strings.TrimSpace(want.Journal()); got != w {
		return apart{"journal", difference(got, w)}
	}
	return apart{}
}

// TestSettlingAgainstReference: what settling makes of long streams, unit by unit as projectors divide them, is what
// the reference makes of them, to the last decimal.
func TestSettlingAgainstReference(t *testing.T) {
	for _, seed := range streamSeeds(t, 4, 1) {
		options := reference.Everything
		if seed%2 == 0 {
			options = reference.Options{Orders: 120, Periods: true, Duplicates: true, Conflicts: true, SecondVoids: true,
				StockFixes: true}
		}
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			records := withoutVoidedConflicts(t, reference.Generate(seed, options))
			defer keepHistory(t, fmt.Sprintf("settling-%d", seed), records)
			if a := settlesApart(records); a.sort != "" {
				t.Fatalf("%s:\n%s", a.sort, a.told)
			}
		})
	}
}

// keepHistory keeps the history of a test that failed, cut down to what is needed to fail: by settling alone, which is
// quick, else by booking it again, for a minute at most. It is to be deferred.
func keepHistory(t *testing.T, name string, records []reference.Record) {
	t.Helper()
	if !t.Failed() {
		return
	}
	deadline := time.Now().Add(time.Minute)
	fails := func(part []reference.Record) bool { return time.Now().Before(deadline) && booksApart(t, part) }
	if a := settlesApart(records); a.sort != "" {
		t.Logf("settling alone makes other books than the reference:\n%s", a.told)
		fails = func(part []reference.Record) bool { return settlesApart(part).sort == a.sort }
	} else if !fails(records) {
		fails = func([]reference.Record) bool { return false } // it takes more than the records to fail
	}
	keepShrunk(t, name, records, fails)
}

// keepShrunk keeps as little of a history as still fails.
func keepShrunk(t *testing.T, name string, records []reference.Record, fails func([]reference.Record) bool) {
	t.Helper()
	kept := reference.Shrink(records, fails)
	path, err := reference.KeepHistory(name, kept)
	if err != nil {
		t.Errorf("the history isn't kept: %v", err)
		return
	}
	t.Logf("%d of %d records are kept: go test ./domain/reference/against ./cmd/makegood -run '^TestReplay$' -history %s",
		len(kept), len(records), path)
}

// attempt is a booking whose failure is an answer.
type attempt struct {
	testing.TB
	name     string
	failed   bool
	cleanups []func()
}

func (a *attempt) Helper()          {}
func (a *attempt) Name() string     { return a.name }
func (a *attempt) Error(...any)     { a.failed = true }
func (a *attempt) Cleanup(f func()) { a.cleanups = append(a.cleanups, f) }
func (a *attempt) Fatal(...any)     { a.failed = true; runtime.Goexit() }
func (a *attempt) Fatalf(string, ...any) {
	a.Fatal()
}

// booksApart reports whether projectors make other books of records than the reference.
func booksApart(t *testing.T, records []reference.Record) bool {
	if len(records) == 0 {
		return false
	}
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		return false
	}
	a := &attempt{TB: t, name: fmt.Sprintf("%s again %d", t.Name(), time.Now().UnixNano())}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for _, f := range slices.Backward(a.cleanups) {
				f()
			}
		}()
		store := openStore(a)
		book(a, store, records, rand.New(rand.NewPCG(1, 1)))
		a.failed = a.failed || journal(a, store) != strings.TrimSpace(want.Journal())
	}()
	<-done
	return a.failed
}

// TestReplay books a history that was kept, by settling alone and several times by projectors, in other orders, and
// holds journal, reports and orders against the reference.
func TestReplay(t *testing.T) {
	if *historyFile == "" {
		return // nothing is asked
	}
	records, err := reference.ReadHistory(*historyFile)
	if err != nil {
		t.Fatal(err)
	}
	if a := settlesApart(records); a.sort != "" {
		t.Fatalf("settling alone, %s:\n%s", a.sort, a.told)
	}
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("order %d", seed), func(t *testing.T) {
			store, random := openStore(t), rand.New(rand.NewPCG(seed, 1))
			book(t, store, records, random)
			compareBooks(t, store, want, random)
		})
	}
}

// TestFailingHistoriesAreKept: of a history that fails, what is kept is what it takes to fail, and can be read again.
func TestFailingHistoriesAreKept(t *testing.T) {
	t.Setenv(reference.HistoriesVariable, t.TempDir())
	records := withoutVoidedConflicts(t, reference.Generate(1, reference.Everything))
	if a := settlesApart(records); a.sort != "" {
		t.Fatal(a)
	}
	refund := slices.IndexFunc(records, func(r reference.Record) bool {
		return strings.Contains(string(r.Event), "makegood.refund.issued.v1")
	})
	wanted := records[refund]
	keepShrunk(t, "kept", records, func(part []reference.Record) bool {
		return settlesApart(part).sort == "" &&
			slices.ContainsFunc(part, func(r reference.Record) bool { return r.Seq == wanted.Seq })
	})
	kept, err := reference.ReadHistory(os.Getenv(reference.HistoriesVariable) + "/kept.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) != 1 || kept[0].Seq != wanted.Seq || string(kept[0].Event) != string(wanted.Event) ||
		!kept[0].RecordedAt.Equal(wanted.RecordedAt) || kept[0].Stream != wanted.Stream {
		t.Errorf("%d records are kept: %+v", len(kept), kept)
	}
}
