package bookstest

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain/reference"
)

var (
	historyFile = flag.String("history", "", "the file of a failing history that TestReplay books again")
	streamSeed  = flag.Int64("seed", 1, "the seed of a test's first random stream; 0 draws one by the clock")
	streamCount = flag.Int("streams", 0, "how many random streams a test has; 0 leaves that to it")
)

// Seeds are the seeds of so many random streams: the same each time, so that a change is held against what passed
// before it. -seed 0 gives others each time. They are in the names of the tests. All are drawn where
// reference.AllStreams says so, else a few.
func Seeds(t *testing.T, all, few int) []int64 {
	t.Helper()
	n, first := few, *streamSeed
	if reference.AllStreams() {
		n = all
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

// History is the one that -history names: false where it names none.
func History(t testing.TB) (records []reference.Record, is bool) {
	t.Helper()
	if *historyFile == "" {
		return nil, false
	}
	records, err := reference.ReadHistory(*historyFile)
	if err != nil {
		t.Fatal(err)
	}
	return records, true
}

// KeepHistory keeps the history of a test that failed, cut down to what is needed to fail: by settling alone, which is
// quick, else by booking it again, for a minute at most. It is to be deferred.
func KeepHistory(t *testing.T, name string, records []reference.Record) {
	t.Helper()
	if !t.Failed() {
		return
	}
	deadline := time.Now().Add(time.Minute)
	fails := func(part []reference.Record) bool { return time.Now().Before(deadline) && booksApart(t, part) }
	if a := SettlesApart(records); a.Sort != "" {
		t.Logf("settling alone makes other books than the reference:\n%s", a.Told)
		fails = func(part []reference.Record) bool { return SettlesApart(part).Sort == a.Sort }
	} else if !fails(records) {
		fails = func([]reference.Record) bool { return false } // it takes more than the records to fail
	}
	KeepShrunk(t, name, records, fails)
}

// KeepShrunk keeps as little of a history as still fails.
func KeepShrunk(t *testing.T, name string, records []reference.Record, fails func([]reference.Record) bool) {
	t.Helper()
	kept := reference.Shrink(records, fails)
	path, err := reference.KeepHistory(name, kept)
	if err != nil {
		t.Errorf("the history isn't kept: %v", err)
		return
	}
	t.Logf("%d of %d records are kept: "+
		"go test ./domain/reference/against ./projections/post -run '^TestReplay$' -history %s",
		len(kept), len(records), path)
}

// attempt is a booking whose failure is an answer.
type attempt struct {
	testing.TB
	name     string
	failed   bool
	cleanups []func()
}

func (a *attempt) Helper() {}

func (a *attempt) Name() string { return a.name }

func (a *attempt) Error(...any) { a.failed = true }

func (a *attempt) Cleanup(f func()) { a.cleanups = append(a.cleanups, f) }

func (a *attempt) Fatal(...any) { a.failed = true; runtime.Goexit() }

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
		store := Open(a)
		Book(a, store, records, rand.New(rand.NewPCG(1, 1)))
		a.failed = a.failed || Journal(a, store) != strings.TrimSpace(want.Journal())
	}()
	<-done
	return a.failed
}
