package post_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/bookstest"
)

// TestBookedBeforeItsTermsCame: whatever was booked while a close or a rate that it follows was still on its way is in
// the end where its position says.
func TestBookedBeforeItsTermsCame(t *testing.T) {
	t.Parallel()
	for _, seed := range bookstest.Seeds(t, 3, 1) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			store := bookstest.Open(t)
			random := rand.New(rand.NewPCG(uint64(seed), 7))
			records := bookstest.Generated(t, seed)
			defer bookstest.KeepHistory(t, fmt.Sprintf("late-terms-%d", seed), records)
			want, err := reference.Run(records, time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			rest := slices.Clone(records)
			random.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
			// Nobody knows less of the books stream than those knew whose rows he reads: he reads it after them.
			limits := []int64{0, 0, 0}
			for i := range limits {
				limits[i] = records[random.IntN(len(records))].Seq
			}
			slices.Sort(limits)
			for _, limit := range limits {
				// What stands beyond the limit is booked as well, but for the books stream itself.
				var part, later []reference.Record
				for _, r := range rest {
					if (r.Stream != "books" || r.Seq < limit) && random.IntN(4) > 0 {
						part = append(part, r)
					} else {
						later = append(later, r)
					}
				}
				bookstest.BookKnowing(t, store, records, part, limit)
				rest = later
			}
			bookstest.BookKnowing(t, store, records, rest, records[len(records)-1].Seq+1)
			if got, want := bookstest.Journal(t, store), strings.TrimSpace(want.Journal()); got != want {
				t.Fatalf("seed %d: the journals differ:\n%s", seed, bookstest.Difference(got, want))
			}
		})
	}
}
