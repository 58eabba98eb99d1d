package post_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain/reference"
	clickhousestore "github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
)

// faults stand before everything that a projector asks. They let the n-th call of a landing fail, before it is done or
// after, when its answer is lost.
type faults struct {
	mu    sync.Mutex
	calls []string // what was asked, in order
	at    int      // which call fails; 0 is none
	err   error
	after bool // it is done, and the answer is lost
	crash func()
}

// meet notes a call and does it, or fails it.
func (f *faults) meet(what string, do func() error) error {
	f.mu.Lock()
	f.calls = append(f.calls, what)
	fails := len(f.calls) == f.at
	f.mu.Unlock()
	if !fails {
		return do()
	}
	if f.crash != nil {
		f.crash()
	}
	if f.after {
		if err := do(); err != nil {
			return err
		}
	}
	return f.err
}

// shape is a statement without what differs from run to run.
func shape(query string) string {
	words := strings.Fields(query)
	return strings.Join(words[:min(len(words), 9)], " ")
}

type faultyConn struct {
	driver.Conn
	*faults
}

func (c faultyConn) Query(ctx context.Context, query string, args ...any) (rows driver.Rows, err error) {
	err = c.meet(shape(query), func() (err error) { rows, err = c.Conn.Query(ctx, query, args...); return err })
	return rows, err
}

func (c faultyConn) Select(ctx context.Context, into any, query string, args ...any) error {
	return c.meet(shape(query), func() error { return c.Conn.Select(ctx, into, query, args...) })
}

func (c faultyConn) Exec(ctx context.Context, query string, args ...any) error {
	return c.meet(shape(query), func() error { return c.Conn.Exec(ctx, query, args...) })
}

func (c faultyConn) PrepareBatch(ctx context.Context, query string, o ...driver.PrepareBatchOption) (driver.Batch,
	error) {
	batch, err := c.Conn.PrepareBatch(ctx, query, o...)
	if err != nil {
		return nil, err
	}
	return faultySend{batch, c.faults, shape(query)}, nil
}

func (c faultyConn) QueryRow(ctx context.Context, query string, args ...any) driver.Row {
	var row driver.Row
	if err := c.meet(shape(query), func() error {
		row = c.Conn.QueryRow(ctx, query,
			args...)
		return row.Err()
	}); err != nil {
		return noRow{err}
	}
	return row
}

type noRow struct{ err error }

func (r noRow) Err() error           { return r.err }
func (r noRow) Scan(...any) error    { return r.err }
func (r noRow) ScanStruct(any) error { return r.err }

type faultySend struct {
	driver.Batch
	*faults
	what string
}

func (b faultySend) Send() error { return b.meet(b.what, b.Batch.Send) }

type faultyWriter struct {
	ledger.Writer
	*faults
	refuse func(rows []string) error // what ClickHouse says to these events
}

func (w faultyWriter) Batch() ledger.Batch { return &faultyBatch{Batch: w.Writer.Batch(), of: w} }

type faultyBatch struct {
	ledger.Batch
	of  faultyWriter
	ids []string
}

func (b *faultyBatch) Append(r *ledger.Row) {
	b.ids = append(b.ids, strings.Clone(r.Event.ID))
	b.Batch.Append(r)
}

func (b *faultyBatch) Reset() { b.ids = nil; b.Batch.Reset() }

func (b *faultyBatch) Insert(ctx context.Context) error {
	return b.of.meet("insert into the ledger", func() error {
		if b.of.refuse != nil {
			if err := b.of.refuse(b.ids); err != nil {
				return err
			}
		}
		return b.Batch.Insert(ctx)
	})
}

// faultyLog is a log in memory whose answers may fail.
type faultyLog struct {
	*bookstest.Log
	*faults
}

func (l faultyLog) Publish(topic string, m ...*message.Message) error {
	return l.meet("publish to "+topic, func() error { return l.Log.Publish(topic, m...) })
}

func (l faultyLog) End(ctx context.Context) (end int64, err error) {
	err = l.meet("ask for the end of books", func() (err error) { end, err = l.Log.End(ctx); return err })
	return end, err
}

func (l faultyLog) ReadTo(ctx context.Context, end int64, take func(post.BooksRecord) error) error {
	return l.meet("read books", func() error { return l.Log.ReadTo(ctx, end, take) })
}

// faultRun is some records that go through a projector while something fails. Runs are told apart by their orders.
type faultRun struct {
	t     *testing.T
	store *clickhousestore.Store
	name  string
	*faults
	refuse  func([]string) error
	records []reference.Record
}

// newRun makes the records of a run: an order, its void before it, a case with labour that a rate prices, a refund
// that two contents claim, and what is no event.
func newRun(t *testing.T, store *clickhousestore.Store, n int) *faultRun {
	name := fmt.Sprintf("run%04d", n)
	fill := func(e string) string { return strings.ReplaceAll(e, "RUN", name) }
	lines := `"lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"100","tax":"8","unit_cost":"60"}]`
	placed := fill(event("RUN-p", "order.placed", "2026-01-09T00:00:00Z", "RUN-a",
		`{"order_id":"RUN-a","store_id":"s1","currency":"USD",`+lines+`}`))
	of := func(order string) string {
		return `"order_id":"RUN-` + order + `","store_id":"s1","error_id":"RUN-e` + order + `"`
	}
	r := &faultRun{t: t, store: store, name: name, faults: &faults{}}
	r.records = bookstest.Sequence(
		event("rate", "rate.set", "2026-01-01T00:00:00Z", "",
			`{"rate":"labour_hour","key":"*","value":"30","currency":"USD",`+
				`"effective_from":"2026-01-01"}`),
		fill(event("RUN-v", "event.voided", "2026-01-11T00:00:00Z", "RUN-a", `{"order_id":"RUN-a","store_id":"s1",`+
			`"voids":{"source":"urn:till:1","id":"RUN-p"},"reason":"mistake","original":`+placed+`}`)),
		placed,
		fill(event("RUN-l", "labour.spent", "2026-01-10T00:00:00Z", "RUN-b", `{`+of("b")+
			`,"labour_id":"RUN-l","role":"agent","minutes":60,"currency":"USD"}`)),
		fill(event("RUN-r", "refund.issued", "2026-01-10T00:00:00Z", "RUN-c", `{`+of("c")+
			`,"refund_id":"RUN-r","currency":"USD","net":"5"}`)),
		fill(event("RUN-r2", "refund.issued", "2026-01-10T00:00:00Z", "RUN-d", `{`+of("d")+
			`,"refund_id":"RUN-r2","currency":"USD","net":"7"}`)),
		`{"no event":"`+name+`"}`)
	for i := range r.records {
		if r.records[i].Seq > 1 {
			r.records[i].Seq += int64(n) * 100
		}
		if strings.Contains(string(r.records[i].Event), "order.placed.v1\",\"time") {
			r.records[i].Stream = "orders"
		}
	}
	return r
}

// land lets a projector land the run's records, until they are acknowledged or it ends.
func (r *faultRun) land() (acknowledged bool) {
	r.t.Helper()
	l := faultyLog{&bookstest.Log{Records: r.records, Feed: make(chan *message.Message, len(r.records))}, r.faults}
	writer := r.store.Writer()
	defer writer.Close()
	p := bookstest.NewProjector(r.t, r.store, bookstest.With{Log: l.Log, Books: l, Letters: l,
		Writer: faultyWriter{writer, r.faults, r.refuse}, DB: faultyConn{r.store.DB, r.faults},
		Linger: 30 * time.Millisecond})
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	if r.crash != nil {
		r.crash = stop
	}
	messages := make([]*message.Message, len(r.records))
	for i, record := range r.records {
		messages[i] = l.Message(record)
		l.Feed <- messages[i]
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, 0) }()
	for _, m := range messages {
		select {
		case <-m.Acked():
		case err := <-ended:
			if err != nil {
				r.t.Fatalf("%s: the projector ended: %v", r.name, err)
			}
			return false
		}
	}
	if n := len(p.Stats().Waiting()); n > 0 {
		r.t.Errorf("%s: it is done, and waits for %d things", r.name, n)
	}
	stop()
	if err := <-ended; err != nil {
		r.t.Fatalf("%s: the projector ended: %v", r.name, err)
	}
	return true
}

// books are what the run has come to, without its name.
func (r *faultRun) books() string {
	r.t.Helper()
	var rows, rollUp, letters []string
	if err := r.store.DB.QueryRow(context.Background(), `
SELECT (SELECT arraySort(groupArray(replaceAll(
            toString((event_id, order_id, event_type, account, amount, standing, sold_by, refused)), $1, '')))
        FROM ledger FINAL
        WHERE startsWith(order_id, $1)),
       (SELECT arraySort(groupArray(replaceAll(toString((unit, account, element, selling_store, amount, lines)),
            $1, '')))
        FROM leakage_daily FINAL
        WHERE startsWith(unit, $1) AND lines > 0),
       (SELECT arraySort(groupArray(replaceAll(toString((reason, event_id, payload)), $1, '')))
        FROM dead_letters FINAL WHERE payload LIKE concat('%', $1, '%'))`,
		r.name).Scan(&rows, &rollUp, &letters); err != nil {
		r.t.Fatal(err)
	}
	return strings.Join(slices.Concat(rows, rollUp, letters), "\n")
}

// TestAwaitedOrderIsSettledWhereverItEnds: an order's refund was booked before its order.placed. Wherever the process
// ends that books the latter, the next one brings the refund and its roll-up what the order says.
func TestAwaitedOrderIsSettledWhereverItEnds(t *testing.T) {
	store := bookstest.Open(t)
	n := 5000
	land := func(at int) (books string, calls []string) {
		n++
		r := newRun(t, store, n)
		name := func(e string) string { return strings.ReplaceAll(e, "RUN", r.name) }
		first, seq := r.records[:1], r.records[1].Seq
		of := func(stream, e string) []reference.Record {
			records := bookstest.Sequence(name(e))
			records[0].Seq, records[0].Stream, seq = seq, stream, seq+1
			return slices.Concat(first, records)
		}
		refund := of("redeliveries", event("RUN-r", "refund.issued", "2026-01-10T00:00:00Z", "RUN-x",
			`{"order_id":"RUN-x","store_id":"s1","error_id":"RUN-ex","refund_id":"RUN-r","currency":"USD","net":"5"}`))
		placed := of("orders", event("RUN-p", "order.placed", "2026-01-09T00:00:00Z", "RUN-x",
			`{"order_id":"RUN-x","store_id":"s2",`+
				`"currency":"USD","lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"100","unit_cost":"60"}]}`))
		if r.records = refund; !r.land() {
			t.Fatal("the refund is not booked")
		}
		r.records, r.faults.calls = placed, nil
		if at > 0 {
			r.at, r.crash, r.err = at, func() {}, context.Canceled
		}
		if !r.land() {
			r.faults.at, r.faults.crash = 0, nil
			if !r.land() {
				t.Fatalf("the process ends at call %d, and the next one doesn't finish", at)
			}
		}
		return r.books(), r.faults.calls
	}
	want, calls := land(0)
	if strings.Count(want, "'s2'") < 2 {
		t.Fatalf("neither the refund nor its roll-up knows who sold: %s", want)
	}
	for i, call := range calls {
		if got, _ := land(i + 1); got != want {
			t.Errorf("the process ends at call %d (%s), and the books are\n%s\nand not\n%s", i+1, call, got, want)
		}
	}
}

// TestFaultAtEveryCall: whatever fails at whichever of all the calls that are made on an event's way, before it is
// done or after, and wherever the process ends: the same books, every record acknowledged, nothing lost and nothing
// twice.
func TestFaultAtEveryCall(t *testing.T) {
	store := bookstest.Open(t)
	n := 0
	next := func() *faultRun { n++; return newRun(t, store, n) }
	plain := next()
	if !plain.land() {
		t.Fatal("not even without faults")
	}
	want, calls := plain.books(), plain.calls
	if len(calls) < 15 || strings.Count(want, "\n") < 8 {
		t.Fatalf("%d calls, and the books are\n%s", len(calls), want)
	}
	said := func(code int32, name string) error {
		return &clickhouse.Exception{Code: code, Name: name, Message: name}
	}
	temporary := []error{io.ErrUnexpectedEOF, context.DeadlineExceeded, said(241, "MEMORY_LIMIT_EXCEEDED"),
		said(242, "TABLE_IS_READ_ONLY"), said(243, "NOT_ENOUGH_SPACE"), said(252, "TOO_MANY_PARTS"),
		said(516, "AUTHENTICATION_FAILED")}
	for i, call := range calls {
		t.Logf("call %d: %s", i+1, call)
		for k := range 3 { // all classes in turn, over the calls and the ways to fail
			if k != i%3 && !reference.AllStreams() {
				continue // of few streams, each call fails in one way
			}
			r := next()
			r.at, r.after, r.err = i+1, k == 1, temporary[(3*i+k)%len(temporary)]
			how := fmt.Sprintf("fails with %v", r.err)
			if k == 2 {
				how, r.crash, r.err = "is where the process ends", func() {}, context.Canceled
			}
			if !r.land() {
				if k != 2 {
					t.Fatalf("call %d (%s) %s, and the projector stops", i+1, call, how)
				}
				r.faults.at, r.faults.crash = 0, nil
				if !r.land() {
					t.Fatalf("call %d (%s) %s, and the next one doesn't finish", i+1, call, how)
				}
			}
			if got := r.books(); got != want {
				t.Fatalf("call %d (%s) %s, after it was done: %t; the books are\n%s\nand not\n%s", i+1, call, how, r.after, got,
					want)
			}
		}
	}
}

// TestWhatClickHouseNeverTakes: a row that ClickHouse refuses for good leads to one dead letter, and stops nothing; a
// batch that is too much for its memory is inserted in parts.
func TestWhatClickHouseNeverTakes(t *testing.T) {
	store := bookstest.Open(t)
	plain := newRun(t, store, 1)
	plain.land()
	want := plain.books()
	tooMuch := newRun(t, store, 2)
	tooMuch.refuse = func(rows []string) error {
		if len(rows) > 1 {
			return &ledger.StoreError{Code: 241, Err: errors.New("MEMORY_LIMIT_EXCEEDED")}
		}
		return nil
	}
	if !tooMuch.land() || tooMuch.books() != want {
		t.Errorf("in parts the books are\n%s\nand not\n%s", tooMuch.books(), want)
	}
	poison := newRun(t, store, 3)
	poison.refuse = func(rows []string) error {
		if slices.Contains(rows, poison.name+"-r") {
			return &ledger.StoreError{Code: 321, Err: errors.New("VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE")}
		}
		return nil
	}
	if !poison.land() {
		t.Fatal("a row that ClickHouse refuses stops the projector")
	}
	got := poison.books()
	if !strings.Contains(got, "('store_refuses',") || strings.Count(got, "store_refuses") != 1 ||
		strings.Contains(got, "('-r','-c'") ||
		!strings.Contains(got, "('-r2','-d'") || !strings.Contains(got, "('-l','-b'") {
		t.Errorf("the books are\n%s", got)
	}
}
