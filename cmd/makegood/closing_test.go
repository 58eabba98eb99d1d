package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	kafkago "github.com/segmentio/kafka-go"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/report"
)

// lateBooks is a books stream whose records beyond a limit have not arrived yet.
type lateBooks struct {
	*memoryLog
	limit int64
}

func (l lateBooks) End(context.Context) (int64, error) { return l.limit, nil }

func (l lateBooks) ReadTo(_ context.Context, end int64, take func(post.BooksRecord) error) error {
	for _, r := range l.records {
		if r.Stream == "books" && r.Seq < end {
			m := l.message(r)
			if err := take(post.BooksRecord{Offset: r.Seq, Time: r.RecordedAt, Metadata: m.Metadata,
				Value: m.Payload}); err != nil {
				return err
			}
		}
	}
	return nil
}

// bookKnowing books records with a projector that knows the books stream before limit alone.
func bookKnowing(t *testing.T, store *clickhouse.Store, records, part []reference.Record, limit int64) {
	t.Helper()
	writer := store.Writer()
	defer func() {
		if err := writer.Close(); err != nil {
			t.Error(err)
		}
	}()
	l := &memoryLog{records: records, feed: make(chan *message.Message, len(part))}
	topics := map[domain.Stream]string{}
	for s := domain.Orders; s <= domain.Books; s++ {
		topics[s] = s.String()
	}
	p, err := post.New(post.Config{
		Topics: topics, Letters: "deadletters", Ledger: store.Reader(), Stored: decode.Stored, Now: time.Now,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)), Linger: time.Millisecond,
		Key: func(*message.Message) string { return "" },
		Position: func(m *message.Message) (domain.Position, bool) {
			p, ok := m.Context().Value(place{}).(domain.Position)
			return p, ok
		},
	}, l, l, decode.Log(), post.NewTerms(lateBooks{l, limit}, decode.Log(), decode.Stored, time.UTC),
		writer, store.DB)
	if err != nil {
		t.Fatal(err)
	}
	var messages []*message.Message
	for _, r := range part {
		m := l.message(r)
		messages = append(messages, m)
		l.feed <- m
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, time.Minute) }()
	for _, m := range messages {
		select {
		case <-m.Acked():
		case err := <-ended:
			t.Fatalf("the projector ended: %v", err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if _, err := p.SettleConflicts(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func generated(t *testing.T, seed int64) []reference.Record {
	t.Helper()
	return withoutVoidedConflicts(t, reference.Generate(seed, reference.Everything))
}

func seeds(full, short int64) int64 {
	if testing.Short() {
		return short
	}
	return full
}

// TestBookedBeforeItsTermsCame: whatever was booked while a close or a rate that it follows was still on its way is in
// the end where its position says.
func TestBookedBeforeItsTermsCame(t *testing.T) {
	for _, seed := range streamSeeds(t, 5, 2) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			store := openStore(t)
			random := rand.New(rand.NewPCG(uint64(seed), 7))
			records := generated(t, seed)
			defer keepHistory(t, fmt.Sprintf("late-terms-%d", seed), records)
			want, err := reference.Run(records, time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			rest := slices.Clone(records)
			random.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
			// Nobody knows less of the books stream than those knew whose rows he reads: he reads it after them.
			limits := []int64{0, 0, 0}
			for i := range limits {
				limits[i] = records[random.IntN(len(records))].Seq
			}
			slices.Sort(limits)
			for _, limit := range limits {
				// What stands beyond the limit is booked as well, but for the books stream itself.
				var part, later []reference.Record
				for _, r := range rest {
					if (r.Stream != "books" || r.Seq < limit) && random.IntN(4) > 0 {
						part = append(part, r)
					} else {
						later = append(later, r)
					}
				}
				bookKnowing(t, store, records, part, limit)
				rest = later
			}
			bookKnowing(t, store, records, rest, records[len(records)-1].Seq+1)
			if got, want := journal(t, store), strings.TrimSpace(want.Journal()); got != want {
				t.Fatalf("seed %d: the journals differ:\n%s", seed, difference(got, want))
			}
		})
	}
}

// asOfClose makes questions as of a close see the rows as they stood then.
func asOfClose(t *testing.T, store *clickhouse.Store, records []reference.Record, c report.Close) (context.Context,
	report.AsOf) {
	t.Helper()
	return settledAsOf(t, store, records, report.AsOf{Close: &c}, post.Until{Close: &c.Mark})
}

// asOfTime makes questions as of a time see the rows as they stood then.
func asOfTime(t *testing.T, store *clickhouse.Store, records []reference.Record, at time.Time) (context.Context,
	report.AsOf) {
	t.Helper()
	return settledAsOf(t, store, records, report.AsOf{Time: at}, post.Until{Time: at})
}

func settledAsOf(t *testing.T, store *clickhouse.Store, records []reference.Record, asOf report.AsOf,
	until post.Until) (context.Context, report.AsOf) {
	t.Helper()
	l := &memoryLog{records: records}
	terms := post.NewTerms(lateBooks{l, records[len(records)-1].Seq + 1}, decode.Log(), decode.Stored, time.UTC)
	rows, err := terms.SettleAsOf(t.Context(), store.DB, until, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, asOf, err := asOf.Settled(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	return ctx, asOf
}

// closedReports are all reports of a closed month that are worth comparing, as the gateway would send them.
func closedReports(t *testing.T, store *clickhouse.Store, records []reference.Record, c report.Close) string {
	t.Helper()
	ctx, asOf := asOfClose(t, store, records, c)
	var reports []string
	add := func(answer any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		reports = append(reports, string(text))
	}
	first := c.Period.First()
	after := first.AddDate(0, 1, 0)
	for _, by := range []string{"occurred", "posting"} {
		add(report.ReadSummary(ctx, store.DB, report.SummaryQuery{From: first, To: after, Currency: "USD",
			PeriodBy: by, AsOf: asOf}, time.Now()))
		add(report.ReadJournal(ctx, store.DB, report.JournalQuery{From: first, To: after, PeriodBy: by,
			Every: "month", Detail: "aggregated", AsOf: asOf}))
		add(report.ReadJournal(ctx, store.DB, report.JournalQuery{From: first, To: after, PeriodBy: by, Every: "day",
			Detail: "events", AsOf: asOf}))
	}
	for _, of := range []report.StatementQuery{{Store: "s1"}, {Store: "s3"}, {Vendor: "v-acme"}, {Vendor: "v-córdoba"}} {
		of.Period, of.AsOf = c.Period, asOf
		add(report.ReadStatement(ctx, store.DB, of, time.Now()))
		of.PeriodBy = "occurred"
		add(report.ReadStatement(ctx, store.DB, of, time.Now()))
	}
	for by, groups := range map[string][]string{"occurred": {"day", "store", "kind", "element", "account", "basis"},
		"posting": {"root_cause", "avoidable", "employee", "vendor", "category"}} {
		add(report.ReadLeakage(ctx, store.DB, report.LeakageQuery{From: first, To: after, GroupBy: groups,
			View: "economic", PeriodBy: by, Currency: "USD", AsOf: asOf}, time.Now()))
	}
	var orders []string
	if err := store.DB.QueryRow(ctx, "SELECT groupArray(order_id) FROM (SELECT DISTINCT order_id FROM ledger FINAL WHERE "+
		"order_id != '' AND refused = '' AND "+c.StoodBefore()+" ORDER BY order_id LIMIT 40)").Scan(&orders); err != nil {
		t.Fatal(err)
	}
	for _, order := range orders {
		add(report.ReadOrder(ctx, store.DB, order, asOf))
	}
	slices.Sort(reports) // of maps, whose order is another each time
	return strings.Join(reports, "\n")
}

// standing are the places of the closes among records, which are in the order of the log, that close what was open.
func standing(t *testing.T, records []reference.Record) (closes []int) {
	t.Helper()
	terms, read, several := domain.NewTerms(time.UTC), decode.Log(), false
	for i, r := range records {
		if r.Stream != "books" {
			continue
		}
		e, err := read(message.Metadata{"content-type": "application/cloudevents+json"}, r.Event)
		if err != nil {
			t.Fatal(err)
		}
		terms.Apply(&e.Event, mark(r))
		if d, is := e.Event.Data.(*domain.PeriodClosed); is {
			if m, _ := terms.Periods.LastClose(d.Period); m.Offset == r.Seq {
				closes = append(closes, i)
			} else {
				several = true
			}
		}
	}
	if !several {
		t.Error("no month is closed twice")
	}
	return closes
}

// TestClosedMonthNeverChanges: the reports of a closed month, read as of its close, are byte for byte the same after
// everything that came later: late events, voids, reclassifications, rates, conflicts, reopenings.
func TestClosedMonthNeverChanges(t *testing.T) {
	for seed := range seeds(5, 1) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			store := openStore(t)
			random := rand.New(rand.NewPCG(uint64(seed), 11))
			// What rebuilds leave alone is TestRebuildsInAnyStream's: these may be told to change what is closed.
			records := slices.DeleteFunc(generated(t, seed), func(r reference.Record) bool {
				_, _,
					is := noted(t, r)
				return is
			})
			slices.SortFunc(records, func(a, b reference.Record) int { return int(a.Seq - b.Seq) })
			closes := standing(t, records)
			at := closes[random.IntN(len(closes))]
			terms := domain.NewTerms(time.UTC)
			read := decode.Log()
			closing, err := read(message.Metadata{"content-type": "application/cloudevents+json"}, records[at].Event)
			if err != nil {
				t.Fatal(err)
			}
			period := closing.Event.Data.(*domain.PeriodClosed).Period
			terms.Apply(&closing.Event, mark(records[at]))
			m, _ := terms.Periods.LastClose(period)
			c := report.Close{Period: period, Mark: m}

			// Some of what came after the close is in the books already when its report is read for the first time.
			before := min(at+1+random.IntN(40), len(records))
			bookKnowing(t, store, records[:before], records[:before], records[before-1].Seq+1)
			was := closedReports(t, store, records, c)
			rest := slices.Clone(records[before:])
			random.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
			bookKnowing(t, store, records, rest, records[len(records)-1].Seq+1)
			if is := closedReports(t, store, records, c); is != was {
				t.Fatalf("seed %d: the closed reports of %s changed:\n%s", seed, period, difference(is, was))
			}
			changes, err := report.ReadChanges(t.Context(), store.DB, c, nil, 1_000_000)
			if err != nil {
				t.Fatal(err)
			}
			for i := range changes.Changes {
				if changes.Changes[i].RecordedAt.Before(m.Time) {
					t.Errorf("seed %d: listed as later than the close, recorded before it: %+v", seed, changes.Changes[i])
				}
			}
			checkChanges(t, store, c, changes)
		})
	}
}

// checkChanges: what was posted in the month as of its close, and the changes that are posted in it, make what is
// posted in it now.
func checkChanges(t *testing.T, store *clickhouse.Store, c report.Close, changes *report.Changes) {
	t.Helper()
	net := func(asOf report.AsOf) domain.Amount {
		first := c.Period.First()
		r, err := report.ReadLeakage(t.Context(), store.DB, report.LeakageQuery{From: first, To: first.AddDate(0, 1, 0),
			View: "economic", PeriodBy: "posting", Currency: "USD", AsOf: asOf}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		var sum domain.Amount
		for _, text := range []string{r.Totals.Net, r.Apart["changed_mind"]} {
			a, err := domain.ParseAmount(text)
			if err != nil {
				t.Fatal(err)
			}
			sum += a
		}
		return sum
	}
	var late domain.Amount
	for i := range changes.Changes {
		if e := &changes.Changes[i]; e.Currency == "USD" && e.PostingPeriod == c.Period.String() {
			a, err := domain.ParseAmount(e.Net)
			if err != nil {
				t.Fatal(err)
			}
			late += a
		}
	}
	if was, is := net(report.AsOf{Close: &c}), net(report.AsOf{}); was+late != is {
		t.Errorf("%s: %s as of the close and %s later make %s, and %s is posted", c.Period, was, late, was+late, is)
	}
}

// TestCloseUnderFire closes a month while producers whose clocks are wrong write on every partition: what stood before
// the close in the log is in it, what came after is not, whatever the clocks say.
func TestCloseUnderFire(t *testing.T) {
	app, c := startTestApp(t, t.TempDir())
	writing, stop := context.WithCancel(t.Context())
	defer stop()
	producers := produce(writing, t, app)
	time.Sleep(500 * time.Millisecond)
	if status := run(t.Context(), []string{"close", "2026-01", "--yes", "--actor", "ann", "--reason", "month end", "--to",
		c.base}, terminal.Streams{In: strings.NewReader(""), Out: os.Stderr, Err: os.Stderr}); status != 0 {
		t.Fatalf("close: exit status %d", status)
	}
	answer := func(query string) string {
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
	const closed = "from=2026-01-01&to=2026-02-01&as_of=close:2026-01&group_by=store,element&currency=USD"
	was := answer(closed)
	time.Sleep(300 * time.Millisecond)
	stop()
	producers.Wait()
	sealedBy(t, c, "2026-01")
	if _, err := c.caughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	var before, all int64
	var closing domain.Mark
	app.Terms.Use(func(terms *domain.Terms) { closing, _ = terms.Periods.LastClose(2026 * 12) })
	for p, end := range closing.Ends {
		if p.Stream == domain.Redeliveries {
			before += end
		}
	}
	var now status
	if err := c.get(t.Context(), "/v1/status", nil, &now); err != nil {
		t.Fatal(err)
	}
	for _, topic := range now.Topics {
		if topic.Topic == "makegood.redeliveries" {
			all += topic.End
		}
	}
	if now.Events != uint64(all)+2 || before == 0 || before == all {
		t.Fatalf("%d before the close of %d in all, %d events", before, all, now.Events)
	}
	t.Logf("%d before the close of %d in all", before, all)
	if is := answer(closed); is != was {
		t.Errorf("the closed report changed:\n%s\n%s", was, is)
	}
	gross := func(n int64) string { return fmt.Sprintf(`"totals":{"gross":"%d.0000"`, n) }
	for query, want := range map[string]string{
		closed: gross(before),
		"from=2026-01-01&to=2026-02-01&period_by=posting&currency=USD":  gross(before),
		"from=2026-02-01&to=2026-03-01&period_by=posting&currency=USD":  gross(all - before),
		"from=2026-01-01&to=2026-02-01&period_by=occurred&currency=USD": gross(all),
	} {
		if got := answer(query); !strings.Contains(got, want) {
			t.Errorf("%s: %s, not %s", query, got, want)
		}
	}
	lateSince(t, c, all-before)
	closedForGood(t, app, c)
}

// closedForGood: closed is closed, and who did it is on record.
func closedForGood(t *testing.T, app *server.App, c *client) {
	t.Helper()
	if status := run(t.Context(), []string{"close", "2026-01", "--yes", "--to", c.base},
		terminal.Streams{In: strings.NewReader(""), Out: os.Stderr, Err: os.Stderr}); status == 0 {
		t.Error("a closed month could be closed again")
	}
	var payload string
	if err := app.Store.DB.QueryRow(t.Context(),
		`SELECT payload FROM ledger FINAL WHERE event_type = 'makegood.period.closed.v1'`).Scan(&payload); err != nil {
		t.Fatal(err)
	}
	if payload != `{"actor":"ann","period":"2026-01","reason":"month end"}` {
		t.Errorf("the close says %s", payload)
	}
	var p *problem
	if err := c.get(t.Context(), "/v1/reports/changes", url.Values{"since_close": {"2025-01"}}, nil); err == nil ||
		!errors.As(err, &p) || p.Status != http.StatusBadRequest {
		t.Errorf("changes since the close of an open month: %v", err)
	}
}

// lateSince: what came after the close is listed as later than it, and nothing else.
func lateSince(t *testing.T, c *client, late int64) {
	t.Helper()
	var changes report.Changes
	if err := c.get(t.Context(), "/v1/reports/changes", url.Values{"since_close": {"2026-01"}}, &changes); err != nil {
		t.Fatal(err)
	}
	if int64(len(changes.Changes)) != late {
		t.Errorf("%d changes listed of %d", len(changes.Changes), late)
	}
	for _, e := range changes.Changes {
		if !e.RecordedAt.After(changes.ClosedAt) || e.PostingPeriod != "2026-02" || e.OriginPeriod != "2026-01" ||
			e.Touches != "origin" {
			t.Fatalf("listed as late: %+v", e)
		}
	}
}

// produce writes refunds on every partition, by four producers whose clocks are years apart, until the context ends.
func produce(writing context.Context, t *testing.T, app *server.App) *sync.WaitGroup {
	t.Helper()
	var producers sync.WaitGroup
	for n := range 4 {
		producers.Go(func() {
			w := &kafkago.Writer{Addr: kafkago.TCP(app.Brokers...), Topic: "makegood.redeliveries", Balancer: &kafkago.Hash{},
				BatchTimeout: time.Millisecond, RequiredAcks: kafkago.RequireAll}
			defer func() { _ = w.Close() }()
			for i := 0; writing.Err() == nil; i++ {
				id := fmt.Sprintf("%d-%d", n, i)
				err := w.WriteMessages(writing, kafkago.Message{Key: []byte(id), Time: time.Now().AddDate(n-2, 0, 0),
					Headers: []kafkago.Header{{Key: "content-type", Value: []byte("application/cloudevents+json")}},
					Value: []byte(event(id, "refund.issued", "2026-01-15T00:00:00Z", id,
						fmt.Sprintf(`{"order_id":%q,"store_id":"s1","error_id":"e-%s","refund_id":"r","currency":"USD","net":1}`, id,
							id)))})
				if err != nil && writing.Err() == nil {
					t.Error(err)
					return
				}
				time.Sleep(2 * time.Millisecond) // others need the processor as well
			}
		})
	}
	return &producers
}
