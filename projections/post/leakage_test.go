package post_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/post"
)

// TestLeakageOfWhatComesAgain: events of a few orders come in batches of any size and order, some again and again, to
// projectors that remember them and to those that have just begun. After each batch leakage_daily has what the rows of
// the ledger come to, whether it was worked out from what was at hand or by a statement; so also where an earlier
// process knew less of an order and put amounts where none are any more.
func TestLeakageOfWhatComesAgain(t *testing.T) {
	t.Parallel()
	for _, seed := range bookstest.Seeds(t, 2, 1) {
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		store, records := bookstest.Open(t), troubled(4)
		want, err := reference.Run(records, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		l := &bookstest.Log{Records: records}
		var p *post.Projector
		rest := slices.Clone(records)
		random.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
		var told []reference.Record
		for len(rest) > 0 {
			n := min(len(rest), 1+random.IntN(6))
			batch := slices.Clone(rest[:n])
			rest = rest[n:]
			for range random.IntN(4) { // again
				if len(told) > 0 {
					batch = append(batch, told[random.IntN(len(told))])
				}
			}
			told = append(told, batch...)
			if p == nil || random.IntN(2) == 0 {
				p = bookstest.NewProjector(t, store, bookstest.With{Log: l, Linger: 50 * time.Millisecond})
			}
			messages := make([]*message.Message, len(batch))
			for i, r := range batch {
				messages[i] = l.Message(r)
			}
			bookstest.Feed(t, p, l, messages)
			if bookstest.Clean(t, store); t.Failed() {
				t.Fatalf("seed %d, after %d records", seed, len(told))
			}
		}
		bookstest.CompareBooks(t, store, want, random)
	}
}
