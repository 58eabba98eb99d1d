package reference

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestShrink finds again the few records that make a history fail, wherever they stand among many.
func TestShrink(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 7))
	for round := range 50 {
		n := 1 + random.IntN(120)
		var records []Record
		for i := range n {
			records = append(records, Record{Seq: int64(i + 1)})
		}
		needed := map[int64]bool{}
		for range 1 + random.IntN(4) {
			needed[int64(1+random.IntN(n))] = true
		}
		asked := 0
		fails := func(some []Record) bool {
			asked++
			found := 0
			for _, r := range some {
				if needed[r.Seq] {
					found++
				}
			}
			return found == len(needed)
		}
		kept := Shrink(records, fails)
		if len(kept) != len(needed) || !fails(kept) {
			t.Fatalf("round %d: kept %v, needed %v", round, kept, needed)
		}
		if !slices.IsSortedFunc(kept, func(a, b Record) int { return int(a.Seq - b.Seq) }) || len(records) != n {
			t.Errorf("round %d: another order, or the history itself was changed", round)
		}
		if asked > 40*(n+10) {
			t.Errorf("round %d: asked %d times about %d records", round, asked, n)
		}
	}
}

// TestShrinkKeepsWhatFailsTogether has records that only fail as pairs, and histories that fail whatever is taken out.
func TestShrinkKeepsWhatFailsTogether(t *testing.T) {
	var records []Record
	for i := range 20 {
		records = append(records, Record{Seq: int64(i)})
	}
	even := func(some []Record) bool { return len(some)%2 == 0 && len(some) >= 6 }
	if kept := Shrink(records, even); !even(kept) || len(kept) > 8 {
		t.Errorf("kept %d", len(kept))
	}
	if kept := Shrink(records, func([]Record) bool { return true }); len(kept) != 0 {
		t.Errorf("nothing is needed, and %d are kept", len(kept))
	}
}

// TestHistoriesAreKept writes a history, reads it again and keeps the same books by it.
func TestHistoriesAreKept(t *testing.T) {
	t.Setenv(HistoriesVariable, t.TempDir())
	records := Generate(5, Options{Orders: 4, Periods: true})
	path, err := KeepHistory("of-a-test", records)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ReadHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := mustRun(t, records, west).Journal(); mustRun(t, again, west).Journal() != want || want == "" {
		t.Error("another history was read than was written")
	}
}
