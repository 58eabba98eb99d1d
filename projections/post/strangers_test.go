package post_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/projections/bookstest"
)

// readsBack counts how often events of the ledger are read back.
type readsBack struct {
	driver.Conn
	times atomic.Int64
}

func (c *readsBack) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	if strings.Contains(query, "FROM ledger FINAL WHERE order_id IN") {
		c.times.Add(1)
	}
	return c.Conn.Query(ctx, query, args...)
}

// TestStrangersAreHeldAgainstTheLedger: a projector that has looked for orders in vain, since what went wrong with them
// came before their order.placed, doesn't look for the next. Where that is wrong, as after a restart, the books are
// right all the same, and it looks again.
func TestStrangersAreHeldAgainstTheLedger(t *testing.T) {
	const orders, early, known, story = 24, 10, 12, 5 // orders, from which on they come early, and are known already
	store, records := bookstest.Open(t), troubled(orders)
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	of := func(order, event int) reference.Record { return records[order*story+event] }
	before := startAtWork(t, store, records)
	for order := known; order < orders; order++ {
		for event := range story - 1 {
			before.book(of(order, event))
		}
	}
	conn := &readsBack{Conn: store.DB}
	p := startWith(t, store, bookstest.With{Log: &bookstest.Log{Records: records}, DB: conn})
	reads := func(order, event int) int64 {
		t.Helper()
		was := conn.times.Load()
		p.book(of(order, event))
		return conn.times.Load() - was
	}
	for order := range early {
		if n := reads(order, 1); (n > 0) != (order < 8) {
			t.Errorf("the ledger was asked %d times for an order that nobody has placed, after %d others", n, order)
		}
	}
	if n := reads(known, story-1); n == 0 {
		t.Error("an order that the ledger knows was settled without what it knows")
	}
	if n := reads(known+1, story-1); n == 0 {
		t.Error("the ledger wasn't asked for an order, right after it knew the one before")
	}
	for order := known + 2; order < orders; order++ {
		p.book(of(order, story-1))
	}
	for order := range known {
		for event := range story {
			if event != 1 || order >= early {
				p.book(of(order, event))
			}
		}
	}
	bookstest.CompareBooks(t, store, want, rand.New(rand.NewPCG(1, 1)))
}
