package post_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/post"
)

// arrivingBooks is a books stream whose records from an offset on have not arrived yet, and arrive.
type arrivingBooks struct {
	*bookstest.Log
	end atomic.Int64
}

func (b *arrivingBooks) End(context.Context) (int64, error) { return b.end.Load(), nil }

func (b *arrivingBooks) ReadTo(ctx context.Context, end int64, take func(post.BooksRecord) error) error {
	return bookstest.LateBooks{Log: b.Log, Limit: end}.ReadTo(ctx, end, take)
}

// TestSettledAheadWithTermsThatCame: an order is landed before the rate arrives that it follows, and then something
// goes wrong with it. Its own lines are priced with the rate as well, as where the order is read back.
func TestSettledAheadWithTermsThatCame(t *testing.T) {
	first, second := wrongPart(1), wrongPart(2)
	rate := event("rate", "rate.set", "2026-01-01T00:00:00Z", "",
		`{"rate":"item_cost","key":"a","value":"60","currency":"USD","effective_from":"2026-01-01T00:00:00Z"}`)
	placed := strings.Replace(second[0], `,"unit_cost":"60"`, "", 1)
	records := bookstest.Sequence(first[0], first[1], rate, placed, second[1])
	for i, stream := range []string{"orders", "errors", "books", "orders", "errors"} {
		records[i].Stream = stream
	}
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	store, l := bookstest.Open(t), &bookstest.Log{Records: records}
	books := &arrivingBooks{Log: l}
	books.end.Store(records[2].Seq)
	a := startWith(t, store, bookstest.With{Log: l, Books: books})
	for _, n := range []int{0, 1, 3} {
		a.book(records[n])
	}
	books.end.Store(records[4].Seq + 1)
	a.book(records[4])
	if got, want := bookstest.Journal(t, store), strings.TrimSpace(want.Journal()); got != want {
		t.Errorf("the journals differ:\n%s", bookstest.Difference(got, want))
	}
}
