package post_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/projections/bookstest"
)

// bookTogether books the records with so many projectors at the same time: each event by one of them, in any order.
func bookTogether(t *testing.T, store *clickhouse.Store, records []reference.Record, projectors int,
	random *rand.Rand) {
	t.Helper()
	logs := make([]*bookstest.Log, projectors)
	for i := range logs {
		logs[i] = &bookstest.Log{Records: records, Feed: make(chan *message.Message, len(records))}
	}
	var messages []*message.Message
	for _, n := range random.Perm(len(records)) {
		l := logs[random.IntN(projectors)]
		m := l.Message(records[n])
		messages = append(messages, m)
		l.Feed <- m
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, projectors)
	for _, l := range logs {
		p := bookstest.NewProjector(t, store, bookstest.With{Log: l, MaxRows: 100 + random.IntN(200)})
		go func() { ended <- p.Run(ctx, time.Minute) }()
	}
	for _, m := range messages {
		select {
		case <-m.Acked():
		case err := <-ended:
			t.Fatalf("a projector ended: %v", err)
		}
	}
	stop()
	for range projectors {
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	last := bookstest.NewProjector(t, store, bookstest.With{Log: &bookstest.Log{Records: records}})
	if _, err := last.SettleConflicts(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestProjectorsSettleTogether: several projectors that book the events of the same orders at once, and so settle them
// at once, end with the books that one alone makes, and the reference.
func TestProjectorsSettleTogether(t *testing.T) {
	for _, seed := range bookstest.Seeds(t, 2, 1) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			records := bookstest.Generated(t, seed)
			defer bookstest.KeepHistory(t, fmt.Sprintf("together-%d", seed), records)
			want, err := reference.Run(records, time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			random := rand.New(rand.NewPCG(uint64(seed), 7))
			journals := map[int]string{}
			for _, projectors := range []int{1, 3} {
				t.Run(fmt.Sprintf("%d projectors", projectors), func(t *testing.T) {
					store := bookstest.Open(t)
					bookTogether(t, store, records, projectors, random)
					journals[projectors] = bookstest.Journal(t, store)
				})
			}
			if journals[1] != journals[3] {
				t.Errorf("seed %d: the journals differ:\n%s", seed, bookstest.Difference(journals[3], journals[1]))
			}
			if w := strings.TrimSpace(want.Journal()); journals[1] != w {
				t.Errorf("seed %d: the reference's journal differs:\n%s", seed, bookstest.Difference(journals[1], w))
			}
		})
	}
}
