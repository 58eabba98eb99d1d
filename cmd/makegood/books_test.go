package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/embedded/enginetest"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/report"
	"github.com/makegood/makegood/projections/sql"
)

func TestMain(m *testing.M) {
	hostIfTold()
	if os.Getenv(asMakegood) != "" {
		main()
		return
	}
	os.Exit(enginetest.Run(m))
}

// openStore opens a database of its own for the test, with the schema and the views of today.
func openStore(t testing.TB) *clickhouse.Store {
	t.Helper()
	dsn := enginetest.Database(t)
	store, err := clickhouse.Open(t.Context(), clickhouse.Config{DSN: dsn, Logger: slog.New(slog.DiscardHandler)},
		ledger.Migrations())
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.CreateViews(t.Context(), store.DB); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.DB.Exec(context.Background(), "DROP DATABASE "+enginetest.Name(t)); err != nil {
			t.Error(err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// memoryLog is a log in memory with one partition a stream, whose offsets are the reference's sequence numbers. It is
// no stand-in for a broker: those tests are elsewhere. It is what lets a test choose in which order, how often and in
// which batches a projector meets the records.
type memoryLog struct {
	records []reference.Record
	feed    chan *message.Message
}

type place struct{}

func (l *memoryLog) message(r reference.Record) *message.Message {
	m := message.NewMessage("", message.Payload(r.Event))
	m.Metadata.Set("content-type", "application/cloudevents+json")
	if r.Stream == "books" {
		m.Metadata.Set(ledger.EndsHeader, ledger.FormatEnds(mark(r).Ends))
	}
	m.SetContext(context.WithValue(context.Background(), place{}, position(r)))
	return m
}

func (l *memoryLog) SubscribeTopics(context.Context, ...string) (<-chan *message.Message, error) {
	return l.feed, nil
}

func (l *memoryLog) Publish(string, ...*message.Message) error { return nil }
func (l *memoryLog) Close() error                              { return nil }

func (l *memoryLog) End(context.Context) (int64, error) {
	return l.records[len(l.records)-1].Seq + 1, nil
}

func (l *memoryLog) ReadTo(_ context.Context, end int64, take func(post.BooksRecord) error) error {
	for _, r := range l.records {
		if r.Stream == "books" {
			m := l.message(r)
			if err := take(post.BooksRecord{Offset: r.Seq, Time: r.RecordedAt, Metadata: m.Metadata,
				Value: m.Payload}); err != nil {
				return err
			}
		}
	}
	return nil
}

func newTestProjector(t testing.TB, store *clickhouse.Store, l *memoryLog, maxRows int) *post.Projector {
	t.Helper()
	writer := store.Writer()
	t.Cleanup(func() {
		if err := writer.Close(); err != nil {
			t.Error(err)
		}
	})
	return newTestProjectorBy(t, store, l, maxRows, writer)
}

func newTestProjectorBy(t testing.TB, store *clickhouse.Store, l *memoryLog, maxRows int,
	writer ledger.Writer) *post.Projector {
	t.Helper()
	topics := map[domain.Stream]string{}
	for s := domain.Orders; s <= domain.Books; s++ {
		topics[s] = s.String()
	}
	p, err := post.New(post.Config{
		Topics: topics, Letters: "deadletters", Ledger: store.Reader(), Stored: decode.Stored, Now: time.Now,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)), MaxRows: maxRows, Linger: time.Millisecond,
		Key: func(*message.Message) string { return "" },
		Position: func(m *message.Message) (domain.Position, bool) {
			p, ok := m.Context().Value(place{}).(domain.Position)
			return p, ok
		},
	}, l, l, decode.Log(), post.NewTerms(l, decode.Log(), decode.Stored, time.UTC), writer, store.DB)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// book lets projectors meet the records: shuffled, some twice, in batches of random size, and stopped and started anew
// at random points, when what wasn't acknowledged comes again.
func book(t testing.TB, store *clickhouse.Store, records []reference.Record, random *rand.Rand) {
	t.Helper()
	order := slices.Clone(records)
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	for len(order) > 0 {
		n := min(len(order), 1+random.IntN(len(records)))
		part := order[:n]
		order = order[n:]
		l := &memoryLog{records: records, feed: make(chan *message.Message, n)}
		var messages []*message.Message
		for _, r := range part {
			m := l.message(r)
			messages = append(messages, m)
			l.feed <- m
		}
		ctx, stop := context.WithCancel(t.Context())
		p := newTestProjector(t, store, l, 1+random.IntN(len(records)))
		ended := make(chan error, 1)
		go func() { ended <- p.Run(ctx, time.Minute) }()
		if random.IntN(3) == 0 {
			// Another process begins meanwhile, and looks at what arrived before it has read anything.
			if _, err := newTestProjector(t, store, &memoryLog{records: records}, 0).SettleConflicts(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if random.IntN(3) == 0 && len(order) > 0 {
			// Stop at any moment: what isn't acknowledged comes again.
			time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
			stop()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			for i, m := range messages {
				select {
				case <-m.Acked():
				default:
					order = append(order, part[i])
				}
			}
			continue
		}
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
	}
	l := &memoryLog{records: records}
	if _, err := newTestProjector(t, store, l, 0).SettleConflicts(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// journal reads the books back in the form of the reference's Journal.
func journal(t testing.TB, store *clickhouse.Store) string {
	t.Helper()
	rows, err := store.DB.Query(t.Context(), `
SELECT arrayStringConcat([source, event_id, event_type, if(event_type = 'makegood.books.rebuilt.v1', '', order_id),
    if(event_type = 'makegood.books.rebuilt.v1', '', error_id), store_id,
    formatDateTime(occurred_at, '%Y-%m-%dT%H:%i:%SZ', 'UTC'), formatDateTime(origin_period, '%Y-%m'),
    formatDateTime(posting_period, '%Y-%m'),
    l_currency, toString(a), toString(e), toString(b), toDecimalString(x, 4), l_case, toString(s), l_store], '\t')
FROM (SELECT *, `+sql.LineCase+` AS cases, `+sql.LineCurrency+` AS currencies, `+sql.LineStore+` AS stores
    FROM ledger FINAL)
ARRAY JOIN account AS a, element AS e, basis AS b, amount AS x, step AS s, cases AS l_case,
    currencies AS l_currency, stores AS l_store`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		all = append(all, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	sort.Strings(all)
	return strings.Join(all, "\n")
}

// TestBooksAgainstReference: any shuffle, any duplicates, any batch size, any point of restart give the journal and the
// reports that a second set of books gives, which was written from the contract alone.
func TestBooksAgainstReference(t *testing.T) {
	for _, seed := range streamSeeds(t, 5, 2) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			store := openStore(t)
			random := rand.New(rand.NewPCG(uint64(seed), 1))
			records := withoutVoidedConflicts(t, reference.Generate(seed, reference.Everything))
			defer keepHistory(t, fmt.Sprintf("books-%d", seed), records)
			want, err := reference.Run(records, time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			book(t, store, records, random)
			compareBooks(t, store, want, random)
			rows, err := ledger.Read(t.Context(), store.DB, "ledger FINAL WHERE refused = ''")
			if err != nil {
				t.Fatal(err)
			}
			known, err := post.ReadTerms(t.Context(), &memoryLog{records: records}, decode.Log(), time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			holdSettled(t, known, rows)
		})
	}
}

// compareBooks holds the journal, reports and orders against the reference's.
func compareBooks(t *testing.T, store *clickhouse.Store, want *reference.Books, random *rand.Rand) {
	t.Helper()
	if got, want := journal(t, store), strings.TrimSpace(want.Journal()); got != want {
		dir := t.ArtifactDir()
		for name, text := range map[string]string{"got": got, "want": want} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		t.Fatalf("the journals differ:\n%s", difference(got, want))
	}
	if n, err := report.Unbalanced(t.Context(), store.DB); err != nil || n != 0 {
		t.Fatalf("%d events don't balance (%v)", n, err)
	}
	compareReports(t, store, want, random)
	compareOrders(t, store, want)
}

// withoutVoidedConflicts leaves out the voids of events that are in a conflict: which of the two contents such a void
// carries is its sender's guess, and so the order that it is booked to.
func withoutVoidedConflicts(t *testing.T, records []reference.Record) []reference.Record {
	t.Helper()
	books, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(slices.Clone(records), func(r reference.Record) bool {
		var event struct {
			Data struct{ Voids reference.Identity }
		}
		if err := json.Unmarshal(r.Event, &event); err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(books.Conflicts, func(c reference.Refusal) bool { return c.Identity == event.Data.Voids })
	})
}

func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	in := func(all []string) map[string]int {
		m := map[string]int{}
		for _, l := range all {
			m[l]++
		}
		return m
	}
	gm, wm := in(g), in(w)
	var out []string
	for _, l := range g {
		if wm[l] < gm[l] {
			out = append(out, "+ "+l)
		}
	}
	for _, l := range w {
		if gm[l] < wm[l] {
			out = append(out, "- "+l)
		}
	}
	sort.Strings(out)
	return strings.Join(out[:min(len(out), 40)], "\n")
}

func compareReports(t *testing.T, store *clickhouse.Store, want *reference.Books, random *rand.Rand) {
	t.Helper()
	keys := report.LeakageKeys()
	for range 25 {
		random.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		from := time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, random.IntN(100))
		q := report.LeakageQuery{From: from, To: from.AddDate(0, 0, 1+random.IntN(120)),
			GroupBy:  slices.Clone(keys[:random.IntN(4)]),
			View:     []string{"economic", "booked", "cash"}[random.IntN(3)],
			PeriodBy: []string{"occurred", "posting"}[random.IntN(2)],
			Currency: []string{"USD", "EUR"}[random.IntN(2)]}
		if random.IntN(2) == 0 {
			q.AsOf.Time = time.Now().AddDate(10, 0, 0)
		}
		got, err := report.ReadLeakage(t.Context(), store.DB, q, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		expected, err := want.Leakage(q.From.Format(time.DateOnly), q.To.Format(time.DateOnly), q.GroupBy, q.View, q.PeriodBy,
			q.Currency)
		if err != nil {
			t.Fatal(err)
		}
		var g, w strings.Builder
		for _, r := range got.Rows {
			fmt.Fprintln(&g, r.Key, r.LeakageFigures)
		}
		fmt.Fprintln(&g, got.Totals, got.Apart)
		for _, r := range expected.Rows {
			fmt.Fprintln(&w, r.Key, figures(r))
		}
		fmt.Fprintln(&w, figures(expected.Totals), expected.Apart)
		if g.String() != w.String() {
			t.Errorf("report %+v differs:\n%s", q, difference(g.String(), w.String()))
		}
	}
}

func figures(r reference.Row) report.LeakageFigures {
	return report.LeakageFigures{Gross: r.Gross, Net: r.Net, Booked: r.Booked, Hidden: r.Hidden, Recoveries: r.Recoveries,
		Cases: uint64(r.Cases), Orders: uint64(r.Orders)}
}

func compareOrders(t *testing.T, store *clickhouse.Store, want *reference.Books) {
	t.Helper()
	for _, id := range want.OrderIDs() {
		got, err := report.ReadOrder(t.Context(), store.DB, id, report.AsOf{})
		if err != nil {
			t.Fatalf("order %s: %v", id, err)
		}
		w := want.Order(id)
		g := orderText(got.StoreID, got.Currency, got.Unpriced, report.StoryFigures{Currency: got.Currency,
			PerfectContribution: got.PerfectContribution, Contribution: got.Contribution, CustomerChanges: got.CustomerChanges,
			Gross: got.Gross, Net: got.Net, Hidden: got.Hidden, ChangedMind: got.ChangedMind, Unfounded: got.Unfounded})
		for _, f := range got.Others {
			g += fmt.Sprintln(f)
		}
		e := orderText(w.StoreID, w.Currency, w.Unpriced, storyFigures(w.Currency, &w.Figures))
		for i, f := range w.In {
			e += fmt.Sprintln(storyFigures(w.Others[i], f))
		}
		if g != e {
			t.Errorf("order %s:\n got %s\nwant %s", id, g, e)
		}
	}
}

func orderText(store, currency string, unpriced bool, f report.StoryFigures) string {
	return fmt.Sprintln(store, currency, unpriced, f)
}

func storyFigures(currency string, f *reference.Figures) report.StoryFigures {
	return report.StoryFigures{Currency: currency, PerfectContribution: f.Perfect.FloatString(4),
		Contribution: f.Contribution.FloatString(4), CustomerChanges: f.CustomerChanges.FloatString(4),
		Gross: f.Gross.FloatString(4), Net: f.Net.FloatString(4), Hidden: f.Hidden.FloatString(4),
		ChangedMind: f.ChangedMind.FloatString(4), Unfounded: f.Unfounded.FloatString(4)}
}
