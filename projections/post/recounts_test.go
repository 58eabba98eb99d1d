package post_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/projections/bookstest"
)

// heldRecounts is a connection of which the first write to leakage_daily, once its amounts are read or worked out,
// waits until it is let go.
type heldRecounts struct {
	driver.Conn
	held        *atomic.Bool
	read, write chan struct{}
}

func holdRecounts(t *testing.T, store *clickhouse.Store) heldRecounts {
	t.Helper()
	execAll(t, store, "CREATE TABLE held_recount AS leakage_daily")
	return heldRecounts{store.DB, &atomic.Bool{}, make(chan struct{}), make(chan struct{})}
}

const intoLeakage = "INSERT INTO leakage_daily "

func (c heldRecounts) hold() {
	c.read <- struct{}{}
	<-c.write
}

func (c heldRecounts) Exec(ctx context.Context, query string, args ...any) error {
	if !strings.HasPrefix(query, intoLeakage) || c.held.Swap(true) {
		return c.Conn.Exec(ctx, query, args...)
	}
	if err := c.Conn.Exec(ctx, "INSERT INTO held_recount "+query[len(intoLeakage):], args...); err != nil {
		return err
	}
	c.hold()
	return c.Conn.Exec(context.WithoutCancel(ctx), "INSERT INTO leakage_daily SELECT * FROM held_recount")
}

func (c heldRecounts) PrepareBatch(ctx context.Context, query string,
	options ...driver.PrepareBatchOption) (driver.Batch, error) {
	if strings.HasPrefix(query, intoLeakage) && !c.held.Swap(true) {
		c.hold()
	}
	return c.Conn.PrepareBatch(ctx, query, options...)
}

func execAll(t *testing.T, store *clickhouse.Store, queries ...string) {
	t.Helper()
	for _, query := range queries {
		if err := store.DB.Exec(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
}

// refundOf is a refund of a case; those of one case and day are one bucket of the roll-up.
func refundOf(id, order, net string) string {
	return event(id, "refund.issued", "2026-01-10T00:00:00Z", order, `{"order_id":"`+order+
		`","store_id":"s1","error_id":"e-`+order+`","refund_id":"`+id+`","currency":"USD","net":"`+net+`"}`)
}

// TestLeakageOfWhatARecountMissed: a recount reads an order, then another event of it lands whose leakage is worked out
// from the rows at hand, and only then does the recount write. What it has missed stays.
func TestLeakageOfWhatARecountMissed(t *testing.T) {
	store := bookstest.Open(t)
	records := bookstest.Sequence(refundOf("x", "o1", "5"), refundOf("y", "o1", "2"))
	a := startAtWork(t, store, records)
	a.book(records[0])
	held := holdRecounts(t, store)
	other := startWith(t, store, bookstest.With{Log: &bookstest.Log{Records: records}, DB: held})
	again := other.log.Message(records[0])
	other.log.Feed <- again
	<-held.read
	a.book(records[1])
	close(held.write)
	<-again.Acked()
	if got := leakage(t, store); got != "o1 7.0000" {
		t.Errorf("the leakage is %s", got)
	}
	bookstest.Clean(t, store)
}

// TestBucketsOfWhatARecountMissed: before a recount writes, what it has read is voided, from before it happened: so
// there is no line left, and whoever recounts then finds nothing to overwrite. In the end nothing stays of what the
// first one wrote, whether a statement read it or it was worked out from the rows at hand.
func TestBucketsOfWhatARecountMissed(t *testing.T) {
	refund := refundOf("x", "o1", "5")
	void := event("v", "event.voided", "2026-01-09T00:00:00Z", "o1", `{"order_id":"o1","store_id":"s1",`+
		`"error_id":"e-o1","voids":{"source":"urn:till:1","id":"x"},"reason":"mistake","original":`+refund+`}`)
	for name, byStatement := range map[string]bool{"by a statement": true, "from rows at hand": false} {
		t.Run(name, func(t *testing.T) {
			store, records := bookstest.Open(t), bookstest.Sequence(refund, void)
			if byStatement { // there already when it comes again, as where a process ended before it recounted
				startAtWork(t, store, records).book(records[0])
				execAll(t, store, "TRUNCATE TABLE leakage_daily")
			}
			held := holdRecounts(t, store)
			first := startWith(t, store, bookstest.With{Log: &bookstest.Log{Records: records}, DB: held})
			m := first.log.Message(records[0])
			first.log.Feed <- m
			<-held.read
			startAtWork(t, store, records).book(records[1])
			close(held.write)
			<-m.Acked()
			if got := leakage(t, store); got != "" {
				t.Errorf("the leakage is %s", got)
			}
			bookstest.Clean(t, store)
		})
	}
}

// TestRecountsBetweenTwoBlocks: a unit was recounted often while nothing came, then a recount reads it, an event of it
// lands, and the recount writes. It stands below the recount that knows the event.
func TestRecountsBetweenTwoBlocks(t *testing.T) {
	store := bookstest.Open(t)
	records := bookstest.Sequence(refundOf("x", "o1", "5"), refundOf("x", "o2", "5"), refundOf("y", "o1", "2"))
	a := startAtWork(t, store, records)
	a.book(records[0])
	a.book(records[1])
	settler := bookstest.NewProjector(t, store, bookstest.With{Log: &bookstest.Log{Records: records}})
	for range 6 {
		if _, err := settler.SettleConflicts(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	held := holdRecounts(t, store)
	last := bookstest.NewProjector(t, store, bookstest.With{Log: &bookstest.Log{Records: records}, DB: held})
	settled := make(chan error, 1)
	go func() {
		_, err := last.SettleConflicts(context.WithoutCancel(t.Context()))
		settled <- err
	}()
	<-held.read
	a.book(records[2])
	close(held.write)
	if err := <-settled; err != nil {
		t.Fatal(err)
	}
	if got := leakage(t, store); got != "o1 7.0000" {
		t.Errorf("the leakage is %s", got)
	}
}

// TestRememberedLeakageThatOthersRecounted: somebody else recounted an order and put an amount where this process never
// did. The next event of the order takes it away.
func TestRememberedLeakageThatOthersRecounted(t *testing.T) {
	store, records := bookstest.Open(t), troubled(1)
	a := startAtWork(t, store, records)
	for _, r := range records[:3] {
		a.book(r)
	}
	execAll(t, store, "INSERT INTO leakage_daily SELECT * REPLACE ('s9' AS store_id, version + 1 AS version) "+
		"FROM leakage_daily FINAL WHERE lines > 0 LIMIT 1")
	a.book(records[3])
	bookstest.Clean(t, store)
}
