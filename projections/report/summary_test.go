package report_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/report"
)

// TestSummaryAgainstReference: in any order of arrival, with duplicates, conflicts, voids and restarts, every number of
// the summary is the one that is counted event by event, with exact fractions, by code that shares nothing with it.
func TestSummaryAgainstReference(t *testing.T) {
	t.Parallel()
	for _, of := range []struct {
		name      string
		seeds     []int64
		questions int
		stream    func(int64, reference.Options) []reference.Record
	}{
		{"service", bookstest.Seeds(t, 4, 1), 12, reference.GenerateService},
		{"everything", bookstest.Seeds(t, 2, 1), 6, reference.Generate}, // few of whose orders are delivered as promised
	} {
		for _, seed := range of.seeds {
			t.Run(fmt.Sprintf("%s, seed %d", of.name, seed), func(t *testing.T) {
				t.Parallel()
				store := bookstest.Open(t)
				random := rand.New(rand.NewPCG(uint64(seed), 2))
				records := bookstest.WithoutVoidedConflicts(t, of.stream(seed, bookstest.Everything()))
				bookstest.Book(t, store, records, random)
				for i := range of.questions {
					if i%3 != 0 && !reference.AllStreams() {
						continue // of few streams, fewer questions
					}
					compareSummary(t, store, records, seed, random)
				}
			})
		}
	}
}

// compareSummary holds the answer to a random question against the reference's.
func compareSummary(t *testing.T, store *clickhouse.Store, records []reference.Record, seed int64, random *rand.Rand) {
	t.Helper()
	from := time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, random.IntN(120))
	q := report.SummaryQuery{From: from, To: from.AddDate(0, 0, 1+random.IntN(120)),
		Currency: []string{"USD", "EUR"}[random.IntN(2)]}
	if random.IntN(3) == 0 {
		q.Store = fmt.Sprintf("s%d", 1+random.IntN(4))
	}
	if random.IntN(2) == 0 {
		q.PeriodBy = "posting"
	}
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, random.IntN(120))
	known, ctx := records, t.Context()
	if random.IntN(3) == 0 {
		now = from.AddDate(0, 0, random.IntN(150))
		ctx, q.AsOf = bookstest.AsOfTime(t, store, records, now)
		known = reference.AsOf(records, now)
	}
	got, err := report.ReadSummary(ctx, store.DB, q, now)
	if err != nil {
		t.Fatalf("seed %d: %+v: %v", seed, q, err)
	}
	compareParts(ctx, t, store, q, got, now)
	want, err := reference.Serve(known, time.UTC, reference.ServiceQuery{From: q.From.Format(time.DateOnly),
		To:    q.To.Format(time.DateOnly),
		Store: q.Store, Currency: q.Currency, ByPosting: q.PeriodBy == "posting", Known: now})
	if err != nil {
		t.Fatal(err)
	}
	if g, w := serviceText(bookstest.Service(got)), serviceText(want); g != w {
		t.Errorf("seed %d: the summary %+v differs:\n%s", seed, q, bookstest.Difference(g, w))
	}
}

// compareParts: what can be asked by itself is what the summary says.
func compareParts(ctx context.Context, t *testing.T, store *clickhouse.Store, q report.SummaryQuery,
	whole *report.Summary, now time.Time) {
	t.Helper()
	paf, err := report.ReadPAF(ctx, store.DB, q)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*paf, whole.PAF) {
		t.Fatalf("%+v:\n%+v alone, in the summary\n%+v", q, *paf, whole.PAF)
	}
	returning, err := report.ReadReturning(ctx, store.DB, q, now)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(returning, whole.ReturningCustomers) {
		t.Fatalf("%+v:\n%+v alone, in the summary\n%+v", q, returning, whole.ReturningCustomers)
	}
}

// serviceText writes the numbers one a line; what is nothing may be there or not.
func serviceText(s reference.Service) string {
	var lines []string
	for name, value := range s {
		if value == "0.0000" || strings.HasSuffix(value, "= -") && name == "orders_to_earn_back" {
			continue
		}
		lines = append(lines, name+": "+value)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
