package bookstest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/report"
)

// CompareBooks holds the journal, reports and orders against the reference's.
func CompareBooks(t *testing.T, store *clickhouse.Store, want *reference.Books, random *rand.Rand) {
	t.Helper()
	ComparePart(t, store, want, "1", want.OrderIDs())
	if n, err := report.Unbalanced(t.Context(), store.DB); err != nil || n != 0 {
		t.Fatalf("%d events don't balance (%v)", n, err)
	}
	compareReports(t, store, want, random)
}

// ComparePart holds the journal of the rows of the ledger for which a condition in SQL holds, whole units, and what is
// told of some orders against the reference's books of that part.
func ComparePart(t *testing.T, store *clickhouse.Store, want *reference.Books, where string, orders []string) {
	t.Helper()
	if got, want := journalOf(t, store, where), strings.TrimSpace(want.Journal()); got != want {
		dir := t.ArtifactDir()
		for name, text := range map[string]string{"got": got, "want": want} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		t.Fatalf("the journals differ:\n%s", Difference(got, want))
	}
	compareOrders(t, store, want, orders)
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
			fmt.Fprintln(&w, r.Key, Figures(r))
		}
		fmt.Fprintln(&w, Figures(expected.Totals), expected.Apart)
		if g.String() != w.String() {
			t.Errorf("report %+v differs:\n%s", q, Difference(g.String(), w.String()))
		}
		if random.IntN(3) == 0 {
			compareOutline(t, store, want, report.OutlineQuery{LeakageQuery: q, ByMonth: random.IntN(2) == 0,
				Earlier: q.From.AddDate(0, 0, -random.IntN(60))})
		}
	}
}

// compareOutline holds an outline against the reports of the reference that it is made of.
func compareOutline(t *testing.T, store *clickhouse.Store, want *reference.Books, q report.OutlineQuery) {
	t.Helper()
	got, err := report.ReadOutline(t.Context(), store.DB, q, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	all := q.LeakageQuery
	all.Currency = ""
	currencies, err := report.ReadCurrencies(t.Context(), store.DB, all)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Currencies, currencies) {
		t.Errorf("outline %+v is of %v, not %v", q, got.Currencies, currencies)
	}
	key := map[bool]string{true: "month", false: "day"}[q.ByMonth]
	for _, currency := range []string{"USD", "EUR"} {
		of := got.Of(currency)
		var g, w strings.Builder
		expected := func(from, to time.Time, by ...string) *reference.Report {
			all, err := want.Leakage(from.Format(time.DateOnly), to.Format(time.DateOnly), by, q.View, q.PeriodBy, currency)
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		sums := func(r reference.Row) report.LeakageFigures {
			f := Figures(r)
			f.Cases, f.Orders = 0, 0
			return f
		}
		total := expected(q.From, q.To)
		fmt.Fprintln(&g, of.Total, of.Any, of.Apart)
		fmt.Fprintln(&w, sums(total.Totals), total.Totals.Cases+total.Totals.Orders > 0, total.Apart)
		if q.Earlier.Before(q.From) {
			earlier := expected(q.Earlier, q.From).Totals
			fmt.Fprintln(&g, of.Earlier, of.AnyEarlier)
			fmt.Fprintln(&w, sums(earlier), earlier.Cases+earlier.Orders > 0)
		}
		for by, rows := range map[string][]report.LeakageRow{key: of.ByTime, "element": of.ByElement} {
			for _, r := range rows {
				fmt.Fprintln(&g, r.Key, r.LeakageFigures)
			}
			for _, r := range expected(q.From, q.To, by).Rows {
				fmt.Fprintln(&w, r.Key, sums(r))
			}
			if g.String() != w.String() {
				t.Errorf("outline %+v in %s differs:\n%s", q, currency, Difference(g.String(), w.String()))
			}
			g.Reset()
			w.Reset()
		}
	}
}

// Figures are those of a row of the reference, as a report has them.
func Figures(r reference.Row) report.LeakageFigures {
	return report.LeakageFigures{Gross: r.Gross, Net: r.Net, Booked: r.Booked, Hidden: r.Hidden, Recoveries: r.Recoveries,
		Cases: uint64(r.Cases), Orders: uint64(r.Orders)}
}

func compareOrders(t *testing.T, store *clickhouse.Store, want *reference.Books, orders []string) {
	t.Helper()
	for _, id := range orders {
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

// HoldSettled holds rows of the ledger against what comes out where they are settled once more: the same. A row that
// stays otherwise is stale, or says what the ledger doesn't keep, and would be written again for ever.
func HoldSettled(t *testing.T, known *post.Known, rows []ledger.Stored) {
	t.Helper()
	settler := post.Settler{New: decode.Stored, Rebuilds: known.Rebuilds}
	units, stale := post.Components(rows, known.Decisions), 0
	for _, unit := range units {
		if len(unit) == 1 && unit[0].PostsAlone() && !unit[0].Settled {
			continue // it needs no other event, and was posted without
		}
		was := map[*ledger.Row]ledger.Row{}
		for _, r := range unit {
			was[&r.Row] = r.Row
		}
		changed, refused, not := settler.Settle(known.Terms, unit)
		for _, r := range changed {
			before := was[r]
			stale++
			t.Errorf("event %s of %s (%s, order %q, case %q, terms %d) is stale:\n has %s\nwant %s", r.Event.ID, r.Event.Source,
				r.Event.Type, r.Event.OrderID, r.Event.ErrorID, r.Terms, booked(&before), booked(r))
		}
		for _, r := range refused {
			t.Errorf("event %s of %s should have left the books", r.Event.ID, r.Event.Source)
		}
		for _, n := range not {
			t.Error(n)
		}
	}
	t.Logf("%d units of %d rows are settled once more, %d rows come out otherwise", len(units), len(rows), stale)
}

// booked is what a row says to the books.
func booked(r *ledger.Row) string {
	return fmt.Sprintf("%v of %v, epoch %d, posted %v, facts %+v, flags %+v, sold by %q, lines %+v", r.Standing, r.Of,
		r.Epoch, r.Posting, r.Facts, r.Flags, r.SoldBy, r.Lines)
}

// Clean says what the books' own checks find.
func Clean(t *testing.T, store *clickhouse.Store) {
	t.Helper()
	r, err := audit.Reconcile(t.Context(), store.DB, decode.Log(), audit.Against{Now: time.Now(), Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range r.Differences {
		if i < 10 {
			t.Errorf("%s: %s, expected %s, found %s, events %v", d.Check, d.What, d.Expected, d.Actual, d.Events)
		}
	}
}

// Service is the summary in the reference's words.
func Service(m *report.Summary) reference.Service {
	s := reference.Service{"cash": m.CashAndProfit.Cash, "profit": m.CashAndProfit.Profit,
		"avoidable unmarked": m.Unmarked.Numerator}
	text := func(value *string) string {
		if value == nil {
			return "-"
		}
		return *value
	}
	for name, r := range map[string]report.Ratio{
		"right_first_time": m.RightFirstTime, "perfect_order": m.PerfectOrder, "on_time": m.OnTime, "in_full": m.InFull,
		"silent_failures": m.SilentFailures, "with_a_time_promised": m.Promised, "avoidable_share": m.AvoidableShare,
		"hidden_share": m.HiddenShare, "leakage_share_of_net_sales": m.LeakageShareOfNetSales, "cost_per_case": m.CostPerCase,
		"perfect_contribution": m.PerfectContribution, "orders_to_earn_back": m.OrdersToEarnBack,
		"fix_promise_kept": m.FixPromiseKept, "paf prevention": m.PAF.Prevention,
		"paf appraisal": m.PAF.Appraisal, "paf internal": m.PAF.Internal, "paf external": m.PAF.External,
	} {
		s[name] = r.Numerator + " / " + r.Denominator + " = " + text(r.Value)
	}
	for _, p := range m.PAF.Periods {
		s["paf prevention "+p.Period], s["paf appraisal "+p.Period] = p.Prevention, p.Appraisal
		s["paf internal "+p.Period], s["paf external "+p.Period] = p.Internal, p.External
	}
	for _, r := range m.ReturningCustomers {
		for name, share := range map[string]report.Share{"with": r.WithError, "without": r.WithoutError} {
			interval := "-"
			if share.N > 0 {
				interval = *share.Low + " " + *share.High
			}
			s[fmt.Sprintf("returning %d %s", r.Days, name)] = fmt.Sprintf("%d of %d %s", share.Returned, share.N, interval)
		}
	}
	return s
}
