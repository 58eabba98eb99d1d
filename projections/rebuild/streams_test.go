package rebuild_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/bookstest"
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
	l := &bookstest.Log{Records: records}
	b, err := rebuild.New(rebuild.Config{
		DB: store.DB, Ledger: store.Reader(),
		Shadow: func(table string) rebuild.ShadowWriter { return store.WriterTo(table) },
		Decode: decode.Stored, ID: func() string { return id }, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Terms: func(ctx context.Context) (*post.Known, domain.Mark, error) {
			known, err := post.ReadTerms(ctx, bookstest.LateBooks{Log: l, Limit: limit}, decode.Log(), time.UTC)
			if err != nil {
				return nil, domain.Mark{}, err
			}
			m := bookstest.Mark(reference.Record{Seq: ends})
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

// TestRebuildsInAnyStream: streams with closes, late events, voids, reclassifications, new rates and rebuilds, booked
// in pieces and in any order, each rebuild computed in time, too early, while events that it covers are still on their
// way, or never: the journal is that of a second set of books, the reports of a month that a rebuild found closed are
// byte for byte what they were, and a ClickHouse that reads the same log from its beginning has the same journal.
func TestRebuildsInAnyStream(t *testing.T) {
	for _, seed := range bookstest.Seeds(t, 3, 1) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			rebuildsInAStream(t, seed)
		})
	}
}

func rebuildsInAStream(t *testing.T, seed int64) {
	store := bookstest.Open(t)
	random := rand.New(rand.NewPCG(uint64(seed), 21))
	records := bookstest.Generated(t, seed)
	slices.SortFunc(records, func(a, b reference.Record) int { return int(a.Seq - b.Seq) })
	defer bookstest.KeepHistory(t, fmt.Sprintf("rebuilds-%d", seed), records)
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	last := records[len(records)-1].Seq + 1
	quoted := newQuotes(t, records, random)

	b := &rebuiltBooks{T: t, store: store, records: records, random: random}
	swapped := map[string]bool{}
	for i, r := range records {
		if id, closedPeriods, is := bookstest.Rebuilt(t, r); is && !swapped[id] {
			swapped[id] = true
			b.rebuild(r, id, closedPeriods)
			continue
		}
		b.waiting = append(b.waiting, r)
		if quoted.due(i) {
			bookstest.BookKnowing(t, store, records, b.waiting, r.Seq+1)
			b.waiting = nil
			quoted.quote(t, store)
		}
	}
	bookstest.BookKnowing(t, store, records, b.waiting, last)
	if got, want := bookstest.Journal(t, store), strings.TrimSpace(want.Journal()); got != want {
		t.Fatalf("seed %d: the journals differ:\n%s", seed, bookstest.Difference(got, want))
	}
	quoted.check(t, store, seed)
	bookstest.Clean(t, store)
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
	t.Run("read again", func(t *testing.T) {
		fresh := bookstest.Open(t)
		rest := slices.Clone(records)
		random.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
		bookstest.BookKnowing(t, fresh, records, rest, last)
		if got, want := bookstest.Journal(t, fresh), strings.TrimSpace(want.Journal()); got != want {
			t.Fatalf("seed %d: the journals differ:\n%s", seed, bookstest.Difference(got, want))
		}
	})
}

// rebuiltBooks are books that are rebuilt while their events come in pieces.
type rebuiltBooks struct {
	*testing.T
	store   *clickhouse.Store
	records []reference.Record
	random  *rand.Rand
	waiting []reference.Record // not booked yet
}

// rebuild computes the rebuild that stands in the log as r, in time, too early or never, while some of what it covers
// is on its way, and books that it was swapped in.
func (b *rebuiltBooks) rebuild(r reference.Record, id string, closedPeriods bool) {
	b.Helper()
	// Some of what stands before the rebuild is still on its way when it is computed.
	tenths := 8
	if slices.ContainsFunc(b.waiting, func(r reference.Record) bool { _, _, is := bookstest.Rebuilt(b.T, r); return is }) {
		tenths = 10 // one rebuild at a time
	}
	if part := draw(b.random, &b.waiting, tenths); len(part) > 0 {
		bookstest.BookKnowing(b.T, b.store, b.records, part, r.Seq)
	}
	switch b.random.IntN(5) {
	case 0: // nobody computed it: a foreign record
	case 1: // what it was computed with is not all there is
		shadowOf(b.T, b.store, b.records, max(r.Seq-int64(b.random.IntN(200)), 0), r.Seq, id, closedPeriods)
	case 2:
		shadowOf(b.T, b.store, b.records, r.Seq, r.Seq, id, closedPeriods)
	default:
		shadowOf(b.T, b.store, b.records, r.Seq, r.Seq, id, closedPeriods)
		b.setClock(b.random.IntN(3) - 1)
	}
	// The record lands with or before others of both sides, booked by who knows of it or does not yet.
	b.waiting = append(b.waiting, r)
	for _, limit := range []int64{r.Seq, r.Seq + 1} {
		part := draw(b.random, &b.waiting, 5)
		if limit == r.Seq { // nobody can book the record who can't know of it
			part = slices.DeleteFunc(part, func(p reference.Record) bool { return p.Seq == r.Seq && p.Stream == "books" })
			if !slices.ContainsFunc(b.waiting, func(p reference.Record) bool { return p.Seq == r.Seq }) {
				b.waiting = append(b.waiting, r)
			}
		}
		if len(part) > 0 {
			bookstest.BookKnowing(b.T, b.store, b.records, part, limit)
		}
	}
}

// setClock has identities stamped as where ClickHouse's clock is so many hours off from now on.
func (b *rebuiltBooks) setClock(hours int) {
	b.Helper()
	var feed string
	if err := b.store.DB.QueryRow(b.Context(), "SELECT as_select FROM system.tables WHERE database = currentDatabase() "+
		"AND name = 'identities_feed'").Scan(&feed); err != nil {
		b.Fatal(err)
	}
	const stamp = "AS arrived_at"
	before, after, is := strings.Cut(feed, stamp)
	at := strings.LastIndex(before, "now64(3)")
	if !is || at < 0 {
		b.Fatalf("the feed of identities is %s", feed)
	}
	if err := b.store.DB.Exec(b.Context(), fmt.Sprintf("ALTER TABLE identities_feed MODIFY QUERY %snow64(3) + "+
		"toIntervalHour(%d) %s%s", before[:at], hours, stamp, after)); err != nil {
		b.Fatal(err)
	}
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
	decoded := decode.Log()
	read := func(r reference.Record) *domain.Event {
		e, err := decoded(message.Metadata{"content-type": "application/cloudevents+json"}, r.Event)
		if err != nil {
			t.Fatal(err)
		}
		return &e.Event
	}
	closes := bookstest.Standing(t, records)
	q := &quotes{at: closes[random.IntN(len(closes))], holds: true, records: records}
	closing := records[q.at]
	q.close = report.Close{Period: read(closing).Data.(*domain.PeriodClosed).Period, Mark: bookstest.Mark(closing)}
	q.at = min(q.at+1+random.IntN(40), len(records)-1)
	terms := domain.NewTerms(time.UTC)
	for _, r := range records {
		if r.Stream != "books" {
			continue
		}
		e := read(r)
		terms.Apply(e, bookstest.Mark(r))
		d, is := e.Data.(*domain.BooksRebuilt)
		if is && r.Seq > closing.Seq && (d.ClosedPeriods || !terms.Periods.IsClosed(q.close.Period)) {
			q.holds = false
		}
	}
	return q
}

func (q *quotes) due(i int) bool { return i == q.at }

func (q *quotes) quote(t *testing.T, store *clickhouse.Store) {
	q.text = bookstest.ClosedReports(t, store, q.records, q.close)
}

func (q *quotes) check(t *testing.T, store *clickhouse.Store, seed int64) {
	t.Helper()
	if q.text == "" || !q.holds {
		return
	}
	if is := bookstest.ClosedReports(t, store, q.records, q.close); is != q.text {
		t.Errorf("seed %d: the closed reports of %s changed:\n%s", seed, q.close.Period, bookstest.Difference(is, q.text))
	}
}
