package post_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
)

// TestBooksAgainstReference: any shuffle, any duplicates, any batch size, any point of restart give the journal and the
// reports that a second set of books gives, which was written from the contract alone.
func TestBooksAgainstReference(t *testing.T) {
	t.Parallel()
	for _, seed := range bookstest.Seeds(t, 4, 1) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			store := bookstest.Open(t)
			random := rand.New(rand.NewPCG(uint64(seed), 1))
			records := bookstest.Generated(t, seed)
			defer bookstest.KeepHistory(t, fmt.Sprintf("books-%d", seed), records)
			want, err := reference.Run(records, time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			bookstest.Book(t, store, records, random)
			bookstest.CompareBooks(t, store, want, random)
			rows, err := ledger.Read(t.Context(), store.DB, "ledger FINAL WHERE refused = ''")
			if err != nil {
				t.Fatal(err)
			}
			known, err := post.ReadTerms(t.Context(), &bookstest.Log{Records: records}, decode.Log(), time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			bookstest.HoldSettled(t, known, rows)
		})
	}
}
