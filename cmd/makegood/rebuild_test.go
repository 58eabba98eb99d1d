package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/rebuild"
	"github.com/makegood/makegood/projections/report"
	"github.com/makegood/makegood/projections/shadow"
)

// shadowOf computes a rebuild with what the books stream holds before limit, of what the others hold before ends, and
// notes that it is to be swapped in.
func shadowOf(t *testing.T, store *clickhouse.Store, records []reference.Record, limit, ends int64, id string,
	closedPeriods bool) *shadow.Rebuild {
	t.Helper()
	l := &memoryLog{records: records}
	b, err := rebuild.New(rebuild.Config{
		DB: store.DB, Ledger: store.Reader(),
		Shadow: func(table string) rebuild.ShadowWriter { return store.WriterTo(table) },
		Decode: server.NewStored, ID: func() string { return id }, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Terms: func(ctx context.Context) (*post.Known, domain.Mark, error) {
			known, err := post.ReadTerms(ctx, lateBooks{l, limit}, server.NewDecode(), time.UTC)
			if err != nil {
				return nil, domain.Mark{}, err
			}
			m := mark(reference.Record{Seq: ends})
			m.Time, m.Offset = time.Now(), known.End
			return known, m, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	compute := func(whole bool) *shadow.Rebuild {
		if _, err := b.Start(t.Context(), rebuild.Order{Actor: "ann", Reason: "test", ClosedPeriods: closedPeriods,
			Whole: whole}); err != nil {
			t.Fatal(err)
		}
		for {
			r, err := shadow.Read(t.Context(), store.DB, id)
			if err != nil {
				t.Fatal(err)
			}
			switch r.State {
			case shadow.Computing:
				time.Sleep(5 * time.Millisecond)
			case shadow.Ready:
				return r
			default:
				t.Fatalf("the rebuild was %s: %s", r.State, r.Error)
			}
		}
	}
	// What passes over nothing comes to the same, where all rates are known that the ledger was posted with. It takes its
	// time, so that not every one is looked at.
	var whole *shadow.Rebuild
	if limit == ends && limit%2 == 0 {
		to := id
		id += "whole"
		whole = compute(true)
		id = to
	}
	r := compute(false)
	if whole == nil {
	} else if is, want := changesOf(t, r), changesOf(t, whole); is != want {
		t.Errorf("passing over %d of %d rows it changes\n%s\nand else\n%s", r.PassedOver, whole.Done, is, want)
	}
	if whole != nil && (whole.PassedOver > 0 || r.PassedOver == 0 || r.Done+r.PassedOver < whole.Done) {
		t.Errorf("%d rows read and %d passed over, of %d read and %d passed over", r.Done, r.PassedOver, whole.Done,
			whole.PassedOver)
	}
	if r, err = b.Swap(t.Context(), id, ""); err != nil {
		t.Fatal(err)
	}
	return r
}

// changesOf is what a rebuild would change, as text.
func changesOf(t *testing.T, r *shadow.Rebuild) string {
	t.Helper()
	for i := range r.Report.Left {
		named := r.Report.Left[i].Named // in the order in which two workers met them
		slices.SortFunc(named, func(a, b shadow.NamedEvent) int {
			return strings.Compare(a.Source+" "+a.ID,
				b.Source+" "+b.ID)
		})
	}
	text, err := json.MarshalIndent(r.Report, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// noted is a rebuild's record as the stream has it.
func noted(t *testing.T, r reference.Record) (id string, closedPeriods, is bool) {
	t.Helper()
	var e struct {
		Type string
		Data struct {
			ID            string `json:"rebuild_id"`
			ClosedPeriods bool   `json:"closed_periods"`
		}
	}
	if err := json.Unmarshal(r.Event, &e); err != nil {
		t.Fatal(err)
	}
	return e.Data.ID, e.Data.ClosedPeriods, e.Type == domain.TypeBooksRebuilt.String()
}

// clean says what the books' own checks find.
func clean(t *testing.T, store *clickhouse.Store) {
	t.Helper()
	r, err := audit.Reconcile(t.Context(), store.DB, server.NewDecode(), audit.Against{Now: time.Now(), Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range r.Differences {
		if i < 10 {
			t.Errorf("%s: %s, expected %s, found %s, events %v", d.Check, d.What, d.Expected, d.Actual, d.Events)
		}
	}
}

// TestRebuildsInAnyStream: streams with closes, late events, voids, reclassifications, new rates and rebuilds, booked
// in pieces and in any order, each rebuild computed in time, too early, while events that it covers are still on their
// way, or never: the journal is that of a second set of books, the reports of a month that a rebuild found closed are
// byte for byte what they were, and a ClickHouse that reads the same log from its beginning has the same journal.
func TestRebuildsInAnyStream(t *testing.T) {
	for _, seed := range streamSeeds(t, 5, 2) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			rebuildsInAStream(t, seed)
		})
	}
}

func rebuildsInAStream(t *testing.T, seed int64) {
	store := openStore(t)
	random := rand.New(rand.NewPCG(uint64(seed), 21))
	records := generated(t, seed)
	slices.SortFunc(records, func(a, b reference.Record) int { return int(a.Seq - b.Seq) })
	defer keepHistory(t, fmt.Sprintf("rebuilds-%d", seed), records)
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	last := records[len(records)-1].Seq + 1
	quoted := newQuotes(t, records, random)

	var waiting []reference.Record // not booked yet
	swapped := map[string]bool{}
	for i, r := range records {
		id, closedPeriods, is := noted(t, r)
		if is && !swapped[id] {
			swapped[id] = true
			// Some of what stands before the rebuild is still on its way when it is computed.
			tenths := 8
			if slices.ContainsFunc(waiting, func(r reference.Record) bool { _, _, is := noted(t, r); return is }) {
				tenths = 10 // one rebuild at a time
			}
			if part := draw(random, &waiting, tenths); len(part) > 0 {
				bookKnowing(t, store, records, part, r.Seq)
			}
			switch random.IntN(5) {
			case 0: // nobody computed it: a foreign record
			case 1: // what it was computed with is not all there is
				shadowOf(t, store, records, max(r.Seq-int64(random.IntN(200)), 0), r.Seq, id, closedPeriods)
			case 2:
				shadowOf(t, store, records, r.Seq, r.Seq, id, closedPeriods)
			default:
				shadowOf(t, store, records, r.Seq, r.Seq, id, closedPeriods)
				// What arrived shortly before the snapshot is posted anew to be on the safe side. Here the shadow is on its own.
				if err := store.DB.Exec(t.Context(),
					`INSERT INTO rebuilds SELECT * REPLACE (snapshot + INTERVAL 15 SECOND AS snapshot, version + 1 AS version) `+
						`FROM rebuilds FINAL WHERE id = ?`, id); err != nil {
					t.Fatal(err)
				}
			}
			// The record lands with or before others of both sides, booked by who knows of it or does not yet.
			waiting = append(waiting, r)
			for _, limit := range []int64{r.Seq, r.Seq + 1} {
				part := draw(random, &waiting, 5)
				if limit == r.Seq { // nobody can book the record who can't know of it
					part = slices.DeleteFunc(part, func(p reference.Record) bool { return p.Seq == r.Seq && p.Stream == "books" })
					if !slices.ContainsFunc(waiting, func(p reference.Record) bool { return p.Seq == r.Seq }) {
						waiting = append(waiting, r)
					}
				}
				if len(part) > 0 {
					bookKnowing(t, store, records, part, limit)
				}
			}
			continue
		}
		waiting = append(waiting, r)
		if quoted.due(i) {
			bookKnowing(t, store, records, waiting, r.Seq+1)
			waiting = nil
			quoted.quote(t, store)
		}
	}
	bookKnowing(t, store, records, waiting, last)
	if got, want := journal(t, store), strings.TrimSpace(want.Journal()); got != want {
		t.Fatalf("seed %d: the journals differ:\n%s", seed, difference(got, want))
	}
	quoted.check(t, store, seed)
	clean(t, store)
	var unpriced uint64
	if err := store.DB.QueryRow(t.Context(), "SELECT count() FROM unpriced FINAL WHERE notEmpty(missing)").Scan(
		&unpriced); err != nil || unpriced != uint64(len(want.Unpriced)) {
		t.Errorf("seed %d: %d events are unpriced (%v), not %d", seed, unpriced, err, len(want.Unpriced))
	}
	var left []string
	if err := store.DB.QueryRow(t.Context(), "SELECT groupArray(name) FROM system.tables WHERE database = "+
		"currentDatabase() AND startsWith(name, 'rebuilt_')").Scan(&left); err != nil || len(left) > 0 {
		t.Errorf("seed %d: tables are left behind: %v (%v)", seed, left, err)
	}
	t.Run("read anew", func(t *testing.T) {
		fresh := openStore(t)
		rest := slices.Clone(records)
		random.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
		bookKnowing(t, fresh, records, rest, last)
		if got, want := journal(t, fresh), strings.TrimSpace(want.Journal()); got != want {
			t.Fatalf("seed %d: the journals differ:\n%s", seed, difference(got, want))
		}
	})
}

// draw takes so many tenths of the records at random.
func draw(random *rand.Rand, from *[]reference.Record, tenths int) (part []reference.Record) {
	var rest []reference.Record
	for _, r := range *from {
		if random.IntN(10) < tenths {
			part = append(part, r)
		} else {
			rest = append(rest, r)
		}
	}
	random.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
	*from = rest
	return part
}

// quotes are the reports of closed months as they were when somebody quoted them.
type quotes struct {
	at    int // index of a record after some close
	close report.Close
	text  string
	holds bool // no rebuild since may change it

	records []reference.Record
}

// newQuotes picks a close.
func newQuotes(t *testing.T, records []reference.Record, random *rand.Rand) *quotes {
	t.Helper()
	decode := server.NewDecode()
	read := func(r reference.Record) *domain.Event {
		e, err := decode(message.Metadata{"content-type": "application/cloudevents+json"}, r.Event)
		if err != nil {
			t.Fatal(err)
		}
		return &e.Event
	}
	closes := standing(t, records)
	q := &quotes{at: closes[random.IntN(len(closes))], holds: true, records: records}
	closing := records[q.at]
	q.close = report.Close{Period: read(closing).Data.(*domain.PeriodClosed).Period, Mark: mark(closing)}
	q.at = min(q.at+1+random.IntN(40), len(records)-1)
	terms := domain.NewTerms(time.UTC)
	for _, r := range records {
		if r.Stream != "books" {
			continue
		}
		e := read(r)
		terms.Apply(e, mark(r))
		d, is := e.Data.(*domain.BooksRebuilt)
		if is && r.Seq > closing.Seq && (d.ClosedPeriods || !terms.Periods.IsClosed(q.close.Period)) {
			q.holds = false
		}
	}
	return q
}

func (q *quotes) due(i int) bool { return i == q.at }

func (q *quotes) quote(t *testing.T, store *clickhouse.Store) {
	q.text = closedReports(t, store, q.records, q.close)
}

func (q *quotes) check(t *testing.T, store *clickhouse.Store, seed int64) {
	t.Helper()
	if q.text == "" || !q.holds {
		return
	}
	if is := closedReports(t, store, q.records, q.close); is != q.text {
		t.Errorf("seed %d: the closed reports of %s changed:\n%s", seed, q.close.Period, difference(is, q.text))
	}
}

// makegood runs it and wants it to end well.
func makegood(t *testing.T, args ...string) string {
	t.Helper()
	var out, said bytes.Buffer
	if status := run(t.Context(), args, terminal.Streams{In: strings.NewReader(""), Out: &out, Err: &said}); status != 0 {
		t.Fatalf("makegood %s: exit status %d\n%s%s", strings.Join(args, " "), status, &out, &said)
	}
	return out.String()
}

// TestRebuildPricesWhatHadNoRate: the truck, told before anybody had set a rate. A rebuild makes of it what it would
// have been, in an open month; a closed one it leaves as it is, unless told otherwise.
func TestRebuildPricesWhatHadNoRate(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	for _, e := range goldenEvents {
		mustPost(t, c, e)
	}
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out := makegood(t, "rebuild", "--yes", "--to", c.base); !strings.Contains(out, "nothing was changed") {
		t.Errorf("with nothing to change it says\n%s", out)
	}
	makegood(t, "close", "2026-01", "--yes", "--actor", "ann", "--to", c.base)
	const closed = "from=2026-01-01&to=2026-02-01&as_of=close:2026-01&group_by=store,element,account&currency=USD"
	ask := func(query string) string {
		t.Helper()
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := c.get(t.Context(), "/v1/reports/leakage", values, &text); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	was := ask(closed)
	for _, e := range goldenRates {
		mustPost(t, c, e)
	}
	late := strings.NewReplacer(`"5"`, `"5b"`, `"labour_id":"`, `"labour_id":"b`, `"minutes":18`,
		`"minutes":60,"role2":"x"`, `"role":"agent"`,
		`"role":"driver"`).Replace(goldenEvents[4])
	mustPost(t, c, late) // posted to February, and nobody has said what a driver costs
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustPost(t, c, event("r6", "rate.set", "2026-01-01T00:00:00Z", "",
		`{"rate":"labour_hour","key":"driver","value":"40","currency":"USD","effective_from":"2026-01-01"}`))

	out := makegood(t, "rebuild", "--dry-run", "--to", c.base)
	for _, want := range []string{"1 events come out otherwise; without a price for some line: 5 before, 4 after",
		"2026-02  5300 recovery_labour     s1       USD  0.0000   40.0000   40.0000",
		"2026-01: 4 events would come out otherwise and stay as a close has seen them", "a dry run"} {
		if !strings.Contains(out, want) {
			t.Errorf("the dry run doesn't say %q but\n%s", want, out)
		}
	}
	now, err := c.caughtUp(t.Context())
	if err != nil || now.Unpriced != 5 {
		t.Fatalf("after a dry run %d events are unpriced (%v)", now.Unpriced, err)
	}
	makegood(t, "rebuild", "--yes", "--actor", "ann", "--reason", "rates came late", "--to", c.base)
	if now, err = c.caughtUp(t.Context()); err != nil || now.Unpriced != 4 {
		t.Errorf("%d events are unpriced (%v), not the 4 of the closed month", now.Unpriced, err)
	}
	if is := ask(closed); is != was {
		t.Errorf("the closed report changed:\n%s\n%s", was, is)
	}
	makegood(t, "rebuild", "--yes", "--closed-periods", "--actor", "ann", "--reason", "the auditor wants it", "--to",
		c.base)
	if now, err = c.caughtUp(t.Context()); err != nil || now.Unpriced != 0 {
		t.Errorf("%d events are unpriced (%v)", now.Unpriced, err)
	}
	if is := ask(closed); is != was {
		t.Errorf("told to price closed months, the rebuild changes what the closed report says:\n%s\n%s", was, is)
	}
	var story report.Story
	if err := c.get(t.Context(), "/v1/orders/o1", nil, &story); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(story.PerfectContribution, " ", story.Gross, " ", story.Net, " ", story.Hidden, " ",
		story.Unpriced); got != "36.5700 128.3500 103.3500 110.3500 false" {
		t.Errorf("the order reads %s", got)
	}
	var said []string
	if err := app.Store.DB.QueryRow(t.Context(),
		`SELECT groupArray(payload) FROM (SELECT payload FROM ledger FINAL WHERE event_type = 'makegood.books.rebuilt.v1' `+
			`AND order_id = '' ORDER BY offset)`).Scan(&said); err != nil {
		t.Fatal(err)
	}
	if len(said) != 2 || !strings.Contains(said[0], `"reason":"rates came late"`) || !strings.Contains(said[0],
		`"events":1`) || !strings.Contains(said[1], `"closed_periods":true`) || !strings.Contains(said[1], `"actor":"ann"`) {
		t.Errorf("on record: %s", said)
	}
	if _, differences := reconcileWith(t, c, ""); differences != "" {
		t.Errorf("the books differ:\n%s", differences)
	}
	if out := makegood(t, "audit", "--to", c.base); !strings.Contains(out, "rates came late") ||
		!strings.Contains(out, ", 1 events") || !strings.Contains(out, "closed months as well") {
		t.Errorf("the audit says\n%s", out)
	}
	// Again it changes nothing, and there is nothing left of it.
	if out := makegood(t, "rebuild", "--yes", "--closed-periods", "--to", c.base); !strings.Contains(out,
		"nothing was changed") {
		t.Errorf("a rebuild right after a rebuild says\n%s", out)
	}
	var p *problem
	if err := c.post(t.Context(), "/v1/rebuild/nobody/swap", "", nil, nil); !errors.As(err, &p) ||
		p.Status != http.StatusNotFound {
		t.Errorf("the swap of no rebuild: %v", err)
	}
}

// TestRebuildMendsWhatIsKeptFromTheLedger: rows that a crash kept from the tables that are fed from the ledger.
func TestRebuildMendsWhatIsKeptFromTheLedger(t *testing.T) {
	t.Parallel()
	app, c := startTestApp(t, t.TempDir())
	for _, e := range slices.Concat(goldenRates, goldenEvents) {
		mustPost(t, c, e)
	}
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, crash := range []string{
		"ALTER TABLE failures DELETE WHERE event_id = '4' SETTINGS mutations_sync = 1",
		"ALTER TABLE leakage_daily DELETE WHERE account = 5300 SETTINGS mutations_sync = 1",
		"ALTER TABLE leakage_daily UPDATE amount = amount + 1 WHERE account = 5110 SETTINGS mutations_sync = 1",
	} {
		if err := app.Store.DB.Exec(t.Context(), crash); err != nil {
			t.Fatal(err)
		}
	}
	if _, differences := reconcileWith(t, c, ""); differences == "" {
		t.Fatal("the crash was not made as it should be")
	}
	if out := makegood(t, "rebuild", "--yes", "--to", c.base); !strings.Contains(out,
		"did not agree with it and are mended") {
		t.Errorf("it says\n%s", out)
	}
	if _, differences := reconcileWith(t, c, ""); differences != "" {
		t.Errorf("the books differ still:\n%s", differences)
	}
}

// hourOf is an hour of somebody's labour on a case, and a case of its own.
func hourOf(id string) string {
	return event(id, "labour.spent", "2026-01-10T00:00:00Z", "o"+id,
		fmt.Sprintf(
			`{"order_id":"o%[1]s","store_id":"s1","error_id":"e%[1]s","labour_id":"l","role":"agent","minutes":60,`+
				`"currency":"USD"}`, id))
}

const agentRate = `{"rate":"labour_hour","key":"agent","value":"10","currency":"USD","effective_from":"2026-01-01"}`

// TestRebuildBesideTheStream: events go on coming while a rebuild computes and swaps, and readers go on reading. What
// came before the rate is priced by the rebuild, what came after by the rate, nothing twice, nothing not.
func TestRebuildBesideTheStream(t *testing.T) {
	_, c := startTestApp(t, t.TempDir())
	var sent atomic.Int64
	sending, stop := context.WithCancel(t.Context())
	defer stop()
	var others sync.WaitGroup
	for n := range 3 {
		others.Go(func() {
			mine := newClient(c.base)
			for i := 0; sending.Err() == nil; i++ {
				var batch []string
				for j := range 50 {
					batch = append(batch, hourOf(fmt.Sprintf("%d-%d-%d", n, i, j)))
				}
				if err := mine.post(t.Context(), "/v1/events", "application/cloudevents-batch+json",
					strings.NewReader("["+strings.Join(batch, ",")+"]"), nil); err != nil {
					t.Error(err)
					return
				}
				sent.Add(50)
				time.Sleep(time.Millisecond)
			}
		})
	}
	others.Go(func() {
		reader := newClient(c.base)
		for sending.Err() == nil {
			if err := reader.get(t.Context(), "/v1/reports/leakage", url.Values{"group_by": {"element"}}, nil); err != nil {
				t.Error(err)
				return
			}
		}
	})
	time.Sleep(700 * time.Millisecond)
	mustPost(t, c, event("r", "rate.set", "2026-01-01T00:00:00Z", "", agentRate))
	time.Sleep(200 * time.Millisecond)
	out := makegood(t, "rebuild", "--yes", "--to", c.base)
	time.Sleep(200 * time.Millisecond)
	stop()
	others.Wait()
	now, err := c.caughtUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if now.Unpriced != 0 || now.Events != uint64(sent.Load())+2 {
		t.Errorf("%+v of %d sent\n%s", now, sent.Load(), out)
	}
	var answer report.Leakage
	if err := c.get(t.Context(), "/v1/reports/leakage", nil, &answer); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%d.0000", 10*sent.Load()); answer.Totals.Gross != want ||
		answer.Totals.Cases != uint64(sent.Load()) {
		t.Errorf("gross %s in %d cases, not %s", answer.Totals.Gross, answer.Totals.Cases, want)
	}
	if _, differences := reconcileWith(t, c, ""); differences != "" {
		t.Errorf("the books differ:\n%s", differences)
	}
}

// TestRebuildKilled: a process that is killed while it computes leaves the books as they were, and the next rebuild
// takes over; one that is killed while it swaps finishes that when it is there again.
func TestRebuildKilled(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 9))
	dir, addr, kafkaAddr := t.TempDir(), freeAddress(t), freeAddress(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	c := newClient("http://" + addr)
	serve := func() *process {
		p := startProcess(t, "serve", "--data-dir", dir, "--http", addr, "--kafka-listen", kafkaAddr)
		waitReady(ctx, t, c, p)
		return p
	}
	p := serve()
	kill := func() {
		t.Helper()
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = p.cmd.Wait() // it was killed
		p = serve()
	}
	const events = 10_000
	for i := 0; i < events; i += 1000 {
		var batch []string
		for j := range 1000 {
			batch = append(batch, hourOf(fmt.Sprint(i+j)))
		}
		if err := c.post(ctx, "/v1/events", "application/cloudevents-batch+json",
			strings.NewReader("["+strings.Join(batch, ",")+"]"), nil); err != nil {
			t.Fatal(err)
		}
	}
	mustPost(t, c, event("r", "rate.set", "2026-01-01T00:00:00Z", "", agentRate))
	unpriced := func() uint64 {
		t.Helper()
		now, err := c.caughtUp(ctx)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, p.said)
		}
		return now.Unpriced
	}
	if n := unpriced(); n == 0 {
		t.Fatal("nothing is unpriced")
	}
	was := unpriced()
	start := func() string {
		t.Helper()
		for {
			var answer rebuildAnswer
			err := c.post(ctx, "/v1/rebuild", "application/json", strings.NewReader(`{"actor":"ann","reason":"test"}`), &answer)
			var busy *problem
			if errors.As(err, &busy) && busy.Status == http.StatusConflict { // nobody knows yet that its process is gone
				time.Sleep(200 * time.Millisecond)
				continue
			}
			if err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, p.said)
			}
			return answer.Rebuild.ID
		}
	}
	start()
	time.Sleep(time.Duration(random.IntN(150)) * time.Millisecond)
	kill()
	if n := unpriced(); n != was {
		t.Errorf("seed %d: killed while a rebuild was computed, %d events are unpriced and not %d", seed, n, was)
	}
	if _, differences := reconcileWith(t, c, ""); differences != "" {
		t.Errorf("seed %d: the books differ:\n%s", seed, differences)
	}
	id := start()
	if _, err := c.computed(ctx, id, terminal.Streams{Out: io.Discard, Err: io.Discard}); err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, p.said)
	}
	if n := unpriced(); n != was {
		t.Errorf("seed %d: a rebuild that is not swapped in leaves %d unpriced and not %d", seed, n, was)
	}
	if err := c.post(ctx, "/v1/rebuild/"+id+"/swap", "", nil, nil); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Duration(random.IntN(120)) * time.Millisecond)
	kill()
	if err := c.swapped(ctx, id); err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, p.said)
	}
	if n := unpriced(); n != 0 {
		t.Errorf("seed %d: killed while a rebuild was swapped in, %d events are unpriced", seed, n)
	}
	if _, differences := reconcileWith(t, c, ""); differences != "" {
		t.Errorf("seed %d: the books differ:\n%s", seed, differences)
	}
	var answer report.Leakage
	if err := c.get(ctx, "/v1/reports/leakage", nil, &answer); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%d.0000", 10*events); answer.Totals.Gross != want {
		t.Errorf("seed %d: gross %s, not %s", seed, answer.Totals.Gross, want)
	}
}
