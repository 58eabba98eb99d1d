package post_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/report"
	"github.com/makegood/makegood/projections/shadow"
)

// atWork is a projector that works until the test ends.
type atWork struct {
	t    *testing.T
	log  *bookstest.Log
	done chan error
}

func startAtWork(t *testing.T, store *clickhouse.Store, records []reference.Record) *atWork {
	return startWith(t, store, bookstest.With{Log: &bookstest.Log{Records: records}})
}

func startWith(t *testing.T, store *clickhouse.Store, with bookstest.With) *atWork {
	with.Log.Feed = make(chan *message.Message)
	a := &atWork{t, with.Log, make(chan error, 1)}
	p := bookstest.NewProjector(t, store, with)
	ctx, stop := context.WithCancel(context.Background())
	go func() { a.done <- p.Run(ctx, time.Minute) }()
	t.Cleanup(func() {
		stop()
		if err := <-a.done; err != nil {
			t.Error(err)
		}
	})
	return a
}

// book hands a record over and waits until it is booked.
func (a *atWork) book(r reference.Record) {
	a.t.Helper()
	m := a.log.Message(r)
	a.log.Feed <- m
	select {
	case <-m.Acked():
	case err := <-a.done:
		a.done <- err
		a.t.Fatalf("the projector ended: %v", err)
	}
}

func leakage(t *testing.T, store *clickhouse.Store) string {
	t.Helper()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	answer, err := report.ReadLeakage(t.Context(), store.DB, report.LeakageQuery{From: at, To: at.AddDate(1, 0, 0),
		GroupBy: []string{"order"}, View: "economic", PeriodBy: "occurred", Currency: "USD"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for _, r := range answer.Rows {
		text = append(text, fmt.Sprint(r.Key["order"], " ", r.Net))
	}
	return strings.Join(text, ", ")
}

// TestVoidIsSettledWhereverItsOriginalIsBooked: a void that one projector booked, of an event that another books after
// a rate has changed, takes it back whole, though neither of the two has met both.
func TestVoidIsSettledWhereverItsOriginalIsBooked(t *testing.T) {
	store := bookstest.Open(t)
	rate := func(id, value string) string {
		return event(id, "rate.set", "2026-01-01T00:00:00Z", "", `{"rate":"labour_hour","key":"*","value":"`+value+
			`","currency":"USD","effective_from":"2026-01-01"}`)
	}
	labour := event("l", "labour.spent", "2026-01-10T00:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","error_id":"e1","labour_id":"l","role":"agent","minutes":60,"currency":"USD"}`)
	void := event("v", "event.voided", "2026-01-11T00:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","error_id":"e1","voids":{"source":"urn:till:1","id":"l"},"reason":"mistake",`+
			`"original":`+labour+`}`)
	other := strings.NewReplacer(`"id":"l"`, `"id":"m"`, "o1", "o2", "e1", "e2").Replace(labour)
	records := bookstest.Sequence(rate("r1", "30"), void, rate("r2", "40"), labour, other)

	second := startAtWork(t, store, records)
	second.book(records[4])
	startAtWork(t, store, records).book(records[1])
	second.book(records[3])
	// The case of o1 is none any more: it would be shown if it came to something.
	if got := leakage(t, store); got != "o2 40.0000" {
		t.Errorf("the leakage is %s", got)
	}
	var said string
	if err := store.DB.QueryRow(t.Context(), `SELECT concat(arrayStringConcat(arraySort(groupArray(
    concat(event_id, ' ', toString(standing)))), ', '), ': ', toString(sum(arraySum(arrayMap((a, n) ->
        if(a = 5300, n, 0), account, amount))))) FROM ledger FINAL WHERE order_id = 'o1'`).Scan(&said); err != nil {
		t.Fatal(err)
	}
	if said != "l voided, v : 0" {
		t.Errorf("the ledger says %s", said)
	}
}

// TestSettlingKnowsWhatOthersKnew: a process that has just begun, and has read nothing of the books stream, leaves what
// others posted in the month where they posted it.
func TestSettlingKnowsWhatOthersKnew(t *testing.T) {
	store := bookstest.Open(t)
	refund := event("x", "refund.issued", "2026-01-10T00:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","error_id":"e1","refund_id":"r","currency":"USD","net":"5"}`)
	void := event("v", "event.voided", "2026-01-11T00:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","error_id":"e1","voids":{"source":"urn:till:1","id":"x"},"reason":"mistake",`+
			`"original":`+refund+`}`)
	records := bookstest.Sequence(event("c", "period.closed", "2026-02-01T00:00:00Z", "", `{"period":"2026-01"}`), void)
	startAtWork(t, store, records).book(records[1])
	startAtWork(t, store, records).book(records[1]) // once more, by a process that has just begun
	var period time.Time
	if err := store.DB.QueryRow(t.Context(), "SELECT posting_period FROM ledger FINAL WHERE event_id = 'v'").Scan(
		&period); err != nil {
		t.Fatal(err)
	}
	if got := period.Format("2006-01"); got != "2026-02" {
		t.Errorf("the void is posted in %s, which is closed", got)
	}
}

// TestVoidBeforeItsOriginalInAClosedMonth: a void changes nothing before its original is there. Where that comes after
// the close of its month, it is voided already and posts nothing either: in whatever order the two, the close and a
// rate between them are booked, and whatever a rebuild finds later.
func TestVoidBeforeItsOriginalInAClosedMonth(t *testing.T) {
	rate := func(id, value string) string {
		return event(id, "rate.set", "2026-01-01T00:00:00Z", "", `{"rate":"labour_hour","key":"*","value":"`+value+
			`","currency":"USD","effective_from":"2026-01-01"}`)
	}
	labour := event("l", "labour.spent", "2026-01-10T00:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","error_id":"e1","labour_id":"l","role":"agent","minutes":60,"currency":"USD"}`)
	void := event("v", "event.voided", "2026-01-11T00:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","error_id":"e1","voids":{"source":"urn:till:1","id":"l"},"reason":"mistake",`+
			`"original":`+labour+`}`)
	records := bookstest.Sequence(rate("r1", "30"), void, event("c", "period.closed", "2026-02-01T00:00:00Z", "",
		`{"period":"2026-01"}`), rate("r2", "40"), labour,
		event("b", "books.rebuilt", "2026-02-02T00:00:00Z", "", `{"rebuild_id":"","closed_periods":false,"actor":"ann"}`))
	january := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	period := domain.PeriodOf(january, time.UTC)
	closed := report.Close{Period: period, Mark: bookstest.Mark(records[2])}
	net := func(store *clickhouse.Store, by string, asOf report.AsOf) string {
		t.Helper()
		r, err := report.ReadLeakage(t.Context(), store.DB, report.LeakageQuery{From: january, To: january.AddDate(0, 2, 0),
			GroupBy: []string{"month"}, View: "economic", PeriodBy: by, Currency: "USD", AsOf: asOf}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, row := range r.Rows {
			text += row.Key["month"] + " " + row.Net + "; "
		}
		return text
	}
	const all = 5
	orders := [][]int{{0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}, {0, 4, 1, 2, 3}, {1, 4, 0, 3, 2}, {4, 1, 3, 2, 0}}
	for _, order := range orders {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			store := bookstest.Open(t)
			known := int64(1) // the books stream is there as far as its records were met, not farther
			for i, n := range order {
				if records[n].Stream == "books" {
					known = max(known, records[n].Seq+1)
				}
				bookstest.BookKnowing(t, store, records, records[n:n+1], known)
				if i+1 == all {
					bookstest.BookKnowing(t, store, records, records[5:6], records[5].Seq+1)
				}
			}
			if got := net(store, "posting", report.AsOf{Close: &closed}); got != "" {
				t.Errorf("the closed month holds %s", got)
			}
			if got := net(store, "posting", report.AsOf{}); got != "" {
				t.Errorf("by posting: %s", got)
			}
			if got := net(store, "occurred", report.AsOf{}); got != "" {
				t.Errorf("by occurrence: %s", got)
			}
		})
	}
}

// TestRollUpsKnowOfConflictsWhateverCrashes: a process that ends between taking an event out of the books and telling
// the roll-ups leaves that to the next check.
func TestRollUpsKnowOfConflictsWhateverCrashes(t *testing.T) {
	store := bookstest.Open(t)
	refund := func(order string) string {
		return event("x", "refund.issued", "2026-01-10T00:00:00Z", order,
			`{"order_id":"`+order+`","store_id":"s1","error_id":"e-`+order+`","refund_id":"r","currency":"USD","net":"5"}`)
	}
	records := bookstest.Sequence(refund("o1"), refund("o2"))
	a := startAtWork(t, store, records)
	a.book(records[0])
	a.book(records[1])
	settler := bookstest.NewProjector(t, store, bookstest.With{Log: &bookstest.Log{Records: records}})
	exec := func(query string) {
		t.Helper()
		if err := store.DB.Exec(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	exec(`CREATE TABLE before AS leakage_daily`)
	exec(`INSERT INTO before SELECT * FROM leakage_daily FINAL`)
	if n, err := settler.SettleConflicts(t.Context()); err != nil || n != 1 {
		t.Fatalf("%d conflicts were settled (%v), not 1", n, err)
	}
	// As it is where that process ended before it told the roll-ups, and before it noted how far it had come.
	exec(`TRUNCATE TABLE leakage_daily`)
	exec(`INSERT INTO leakage_daily SELECT * FROM before`)
	exec(`TRUNCATE TABLE checkpoints`)
	if got := leakage(t, store); got != "o1 5.0000, o2 5.0000" {
		t.Fatalf("the crash was not made as it should be: %s", got)
	}
	if _, err := settler.SettleConflicts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := leakage(t, store); got != "o1 5.0000" {
		t.Errorf("the leakage is %s", got)
	}
}

// TestClockPutBack: what was written while ClickHouse's clock ran a day ahead gives way to what is written after it was
// put right: roll-ups, settled conflicts and what is noted of a rebuild.
func TestClockPutBack(t *testing.T) {
	store := bookstest.Open(t)
	refund := func(id, order, net string) string {
		return event(id, "refund.issued", "2026-01-10T00:00:00Z", order,
			`{"order_id":"`+order+`","store_id":"s1","error_id":"e-`+order+`","refund_id":"`+id+`",`+
				`"currency":"USD","net":"`+net+`"}`)
	}
	records := bookstest.Sequence(refund("1", "o1", "5"), refund("2", "o2", "7"), refund("3", "o1", "2"),
		refund("2", "o3", "9"), event("p", "order.placed", "2026-01-09T00:00:00Z", "o1", `{"order_id":"o1","store_id":"s1",`+
			`"currency":"USD","lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"100","unit_cost":"60"}]}`))
	records[4].Stream = "orders"
	a := startAtWork(t, store, records)
	exec := func(query string) {
		t.Helper()
		if err := store.DB.Exec(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	ahead := func(table, columns string) {
		t.Helper()
		exec("CREATE TABLE " + table + "_now AS " + table)
		exec("INSERT INTO " + table + "_now SELECT * REPLACE (" + columns + ") FROM " + table)
		exec("TRUNCATE TABLE " + table)
		exec("INSERT INTO " + table + " SELECT * FROM " + table + "_now")
	}
	a.book(records[0])
	a.book(records[1])
	kept := shadow.Rebuild{ID: "r1", State: shadow.Computing}
	if err := shadow.Keep(t.Context(), store.DB, &kept); err != nil {
		t.Fatal(err)
	}
	const day = "86400000000000"
	ahead("leakage_daily", "version + "+day+" AS version")
	ahead("identities", "arrived_at + toIntervalDay(1) AS arrived_at")
	ahead("rebuilds", "updated + toIntervalDay(1) AS updated, version + "+day+" AS version")
	// What an older makegood noted there by that clock gives way too: o1 is waited for, and comes.
	ahead("unplaced_orders", "toUInt64(toUnixTimestamp64Nano(now64(9))) + "+day+" AS version")
	a.book(records[2])
	a.book(records[3])
	settler := bookstest.NewProjector(t, store, bookstest.With{Log: &bookstest.Log{Records: records}})
	if n, err := settler.SettleConflicts(t.Context()); err != nil || n != 1 {
		t.Errorf("%d conflicts were settled (%v), not 1", n, err)
	}
	if got := leakage(t, store); got != "o1 7.0000, o2 7.0000" {
		t.Errorf("the leakage is %s", got)
	}
	kept.State = shadow.Done
	if err := shadow.Keep(t.Context(), store.DB, &kept); err != nil {
		t.Fatal(err)
	}
	if r, err := shadow.Read(t.Context(), store.DB, "r1"); err != nil || r.State != shadow.Done {
		t.Errorf("the rebuild is %v (%v)", r, err)
	}
	a.book(records[4])
	var waited, came uint64
	if err := store.DB.QueryRow(t.Context(), "SELECT countIf(order_id = 'o2' AND NOT placed), "+
		"countIf(order_id = 'o1' AND placed) FROM unplaced_orders FINAL").Scan(&waited, &came); err != nil ||
		waited != 1 || came != 1 {
		t.Errorf("%d of the order that never came and %d of the one that did (%v)", waited, came, err)
	}
}

// halfWriter is a writer whose first insert reaches the ledger and none of the tables that are fed from it, as where
// ClickHouse is killed between the two.
type halfWriter struct {
	ledger.Writer
	t     *testing.T
	store *clickhouse.Store
	done  bool
}

func (w *halfWriter) Batch() ledger.Batch { return &halfBatch{w.Writer.Batch(), w} }

type halfBatch struct {
	ledger.Batch
	of *halfWriter
}

func (b *halfBatch) Insert(ctx context.Context) error {
	w := b.of
	if w.done {
		return b.Batch.Insert(ctx)
	}
	w.done = true
	feeds := []string{"failures_feed", "voids_feed", "identities_feed", "unpriced_feed"}
	for _, feed := range feeds {
		if err := w.store.DB.Exec(ctx, "DETACH TABLE "+feed); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := b.Batch.Insert(ctx); err != nil {
		w.t.Fatal(err)
	}
	for _, feed := range feeds {
		if err := w.store.DB.Exec(ctx, "ATTACH TABLE "+feed); err != nil {
			w.t.Fatal(err)
		}
	}
	return errors.New("the connection ended")
}

// TestWhatLeavesTheBooksLeavesEveryTable: a conflict's loser that has left the ledger when the connection ends also
// leaves what is fed from the ledger.
func TestWhatLeavesTheBooksLeavesEveryTable(t *testing.T) {
	store := bookstest.Open(t)
	refund := func(net string) string {
		return event("x", "refund.issued", "2026-01-10T00:00:00Z", "o1",
			`{"order_id":"o1","store_id":"s1","error_id":"e1","refund_id":"r","currency":"USD","net":"`+net+`"}`)
	}
	records := bookstest.Sequence(refund("5"), refund("7"))
	a := startAtWork(t, store, records)
	a.book(records[0])
	a.book(records[1])
	writer := store.Writer()
	defer writer.Close()
	settler := bookstest.NewProjector(t, store, bookstest.With{Log: &bookstest.Log{Records: records},
		Writer: &halfWriter{writer, t, store, false}})
	for range 2 {
		if _, err := settler.SettleConflicts(t.Context()); err != nil {
			t.Log(err)
		}
	}
	if got := leakage(t, store); got != "o1 5.0000" {
		t.Errorf("the leakage is %s", got)
	}
	var left uint64
	if err := store.DB.QueryRow(t.Context(), "SELECT count() FROM failures FINAL WHERE refused = ''").Scan(
		&left); err != nil || left != 1 {
		t.Errorf("%d events bear on failures (%v), not 1", left, err)
	}
}

// TestVoidWaitsForAnOriginalThatPostsAlone: an event that needs no other to be posted, and comes after its void, is
// voided all the same.
func TestVoidWaitsForAnOriginalThatPostsAlone(t *testing.T) {
	store := bookstest.Open(t)
	order := event("p", "order.placed", "2026-01-09T00:00:00Z", "o1", `{"order_id":"o1","store_id":"s1","currency":"USD",`+
		`"lines":[{"line_id":"1","sku":"a","quantity":"1","unit_price":"5"}]}`)
	promise := event("x", "order.promise_changed", "2026-01-10T00:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","promise":{"until":"2026-01-12T00:00:00Z"},"agreed_with_customer":true}`)
	void := event("v", "event.voided", "2026-01-11T00:00:00Z", "o1",
		`{"order_id":"o1","store_id":"s1","voids":{"source":"urn:till:1","id":"x"},"reason":"mistake",`+
			`"original":`+promise+`}`)
	records := bookstest.Sequence(order, void, promise)
	for i := range records {
		records[i].Stream = "orders"
		startAtWork(t, store, records).book(records[i])
	}
	var said string
	if err := store.DB.QueryRow(t.Context(), `SELECT arrayStringConcat(arraySort(groupArray(
    concat(event_id, ' ', toString(standing)))), ', ') FROM ledger FINAL`).Scan(&said); err != nil {
		t.Fatal(err)
	}
	if said != "p , v , x voided" { // an event that counts has no standing to tell
		t.Errorf("the ledger says %s", said)
	}
}

// TestVoidOfWhatWasSpentOnQuality: it takes its original back, whichever comes first, whatever else was spent
// meanwhile, and whatever spend_id its copy of the original has.
func TestVoidOfWhatWasSpentOnQuality(t *testing.T) {
	spent := func(id, spend string) string {
		return event(id, "quality.spent", "2026-01-10T00:00:00Z", "",
			`{"spend_id":"`+spend+`","category":"appraisal","currency":"JPY","amount":"250.72"}`)
	}
	void := func(id, of, original string) string {
		return event(id, "event.voided", "2026-01-11T00:00:00Z", "",
			`{"voids":{"source":"urn:till:1","id":"`+of+`"},"reason":"mistake","original":`+original+`}`)
	}
	original := spent("x", "q1")
	taken, other := void("v", "x", original), spent("y", "q2")
	for name, c := range map[string]struct {
		sent []string
		want string
	}{
		"void first":     {[]string{taken, original}, "v , x voided: 0"},
		"original first": {[]string{original, taken}, "v , x voided: 0"},
		"another last": {[]string{original, taken, other, void("w", "y", other)},
			"v , w , x voided, y voided: 0"},
		"another between": {[]string{taken, other, original, void("w", "y", other)},
			"v , w , x voided, y voided: 0"},
		"under another id":         {[]string{original, void("v", "x", spent("x", "q3"))}, "v , x voided: 0"},
		"under another id, first":  {[]string{void("v", "x", spent("x", "q3")), original}, "v , x voided: 0"},
		"a double of what is back": {[]string{original, taken, spent("z", "q1")}, "v , x voided, z : 250.72"},
		"a void that is taken back": {[]string{void("w", "v", taken), taken, other, original},
			"v voided, w , x , y : 501.44"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := bookstest.Open(t)
			records := bookstest.Sequence(c.sent...)
			for i := range records {
				records[i].Stream = "books"
			}
			for i := range records {
				startAtWork(t, store, records).book(records[i])
			}
			var said string
			if err := store.DB.QueryRow(t.Context(), `SELECT concat(arrayStringConcat(arraySort(groupArray(
    concat(event_id, ' ', toString(standing)))), ', '), ': ', toString(sum(arraySum(arrayMap((a, n) ->
        if(a = 6110, n, 0), account, amount))))) FROM ledger FINAL`).Scan(&said); err != nil {
				t.Fatal(err)
			}
			if said != c.want {
				t.Errorf("the ledger says %s, not %s", said, c.want)
			}
		})
	}
}
