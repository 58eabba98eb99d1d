package post_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/bookstest"
)

// TestSettlingAgainstReference: what settling makes of long streams, unit by unit as projectors divide them, is what
// the reference makes of them, to the last decimal.
func TestSettlingAgainstReference(t *testing.T) {
	t.Parallel()
	for _, seed := range bookstest.Seeds(t, 4, 1) {
		options := reference.Everything
		if seed%2 == 0 {
			options = reference.Options{Orders: 120, Periods: true, Duplicates: true, Conflicts: true, SecondVoids: true,
				StockFixes: true}
		}
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			records := bookstest.WithoutVoidedConflicts(t, reference.Generate(seed, options))
			defer bookstest.KeepHistory(t, fmt.Sprintf("settling-%d", seed), records)
			if a := bookstest.SettlesApart(records); a.Sort != "" {
				t.Fatalf("%s:\n%s", a.Sort, a.Told)
			}
		})
	}
}

// TestReplay books a history that was kept, by settling alone and several times by projectors, in other orders, and
// holds journal, reports and orders against the reference.
func TestReplay(t *testing.T) {
	records, is := bookstest.History(t)
	if !is {
		return // nothing is asked
	}
	if a := bookstest.SettlesApart(records); a.Sort != "" {
		t.Fatalf("settling alone, %s:\n%s", a.Sort, a.Told)
	}
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("order %d", seed), func(t *testing.T) {
			store, random := bookstest.Open(t), rand.New(rand.NewPCG(seed, 1))
			bookstest.Book(t, store, records, random)
			bookstest.CompareBooks(t, store, want, random)
		})
	}
}

// TestFailingHistoriesAreKept: of a history that fails, what is kept is what it takes to fail, and can be read again.
func TestFailingHistoriesAreKept(t *testing.T) {
	t.Setenv(reference.HistoriesVariable, t.TempDir())
	records := bookstest.WithoutVoidedConflicts(t, reference.Generate(1, reference.Everything))
	if a := bookstest.SettlesApart(records); a.Sort != "" {
		t.Fatal(a)
	}
	refund := slices.IndexFunc(records, func(r reference.Record) bool {
		return strings.Contains(string(r.Event), "makegood.refund.issued.v1")
	})
	wanted := records[refund]
	bookstest.KeepShrunk(t, "kept", records, func(part []reference.Record) bool {
		return bookstest.SettlesApart(part).Sort == "" &&
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
