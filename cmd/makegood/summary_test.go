package main

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
	"github.com/makegood/makegood/projections/report"
)

// TestSummaryAgainstReference: in any order of arrival, with duplicates, conflicts, voids and restarts, every number of
// the summary is the one that is counted event by event, with exact fractions, by code that shares nothing with it.
func TestSummaryAgainstReference(t *testing.T) {
	for seed := range seeds(6, 2) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			store := openStore(t)
			random := rand.New(rand.NewPCG(uint64(seed), 2))
			records := withoutVoidedConflicts(t, reference.GenerateService(seed, reference.Everything))
			book(t, store, records, random)
			for range 12 {
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
					ctx, q.AsOf = asOfTime(t, store, records, now)
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
				if g, w := serviceText(flat(got)), serviceText(want); g != w {
					t.Errorf("seed %d: the summary %+v differs:\n%s", seed, q, difference(g, w))
				}
			}
		})
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

// flat is the summary in the reference's words.
func flat(m *report.Summary) reference.Service {
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
