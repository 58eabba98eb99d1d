package report_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/report"
)

// TestClosedMonthNeverChanges: the reports of a closed month, read as of its close, are byte for byte the same after
// everything that came later: late events, voids, reclassifications, rates, conflicts, reopenings.
func TestClosedMonthNeverChanges(t *testing.T) {
	t.Parallel()
	for _, seed := range bookstest.Seeds(t, 3, 1) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			store := bookstest.Open(t)
			random := rand.New(rand.NewPCG(uint64(seed), 11))
			// What rebuilds leave alone is TestRebuildsInAnyStream's: these may be told to change what is closed.
			records := slices.DeleteFunc(bookstest.Generated(t, seed), func(r reference.Record) bool {
				_, _,
					is := bookstest.Rebuilt(t, r)
				return is
			})
			slices.SortFunc(records, func(a, b reference.Record) int { return int(a.Seq - b.Seq) })
			closes := bookstest.Standing(t, records)
			at := closes[random.IntN(len(closes))]
			terms := domain.NewTerms(time.UTC)
			read := decode.Log()
			closing, err := read(message.Metadata{"content-type": "application/cloudevents+json"}, records[at].Event)
			if err != nil {
				t.Fatal(err)
			}
			period := closing.Event.Data.(*domain.PeriodClosed).Period
			terms.Apply(&closing.Event, bookstest.Mark(records[at]))
			m, _ := terms.Periods.LastClose(period)
			c := report.Close{Period: period, Mark: m}

			// Some of what came after the close is in the books already when its report is read for the first time.
			before := min(at+1+random.IntN(40), len(records))
			bookstest.BookKnowing(t, store, records[:before], records[:before], records[before-1].Seq+1)
			was := bookstest.ClosedReports(t, store, records, c)
			rest := slices.Clone(records[before:])
			random.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
			bookstest.BookKnowing(t, store, records, rest, records[len(records)-1].Seq+1)
			if is := bookstest.ClosedReports(t, store, records, c); is != was {
				t.Fatalf("seed %d: the closed reports of %s changed:\n%s", seed, period, bookstest.Difference(is, was))
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
