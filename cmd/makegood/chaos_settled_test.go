//go:build chaos

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/report"
)

// booksTail reads the books stream for the terms.
type booksTail struct{ *kafka.Tail }

func (b booksTail) ReadTo(ctx context.Context, end int64, take func(post.BooksRecord) error) error {
	return b.Tail.ReadTo(ctx, end, func(r kafka.Record) error {
		metadata := message.Metadata{}
		for _, h := range r.Headers {
			metadata[h.Key] = string(h.Value)
		}
		return take(post.BooksRecord{Offset: r.Offset, Time: r.Time, Metadata: metadata, Value: r.Value})
	})
}

// terms are those of all that the log holds: with them no unit may come out otherwise when it is settled once more. So
// a row that some fault left stale is found, and told from what the reference reads otherwise.
func (f *fleet) terms(ctx context.Context, t *testing.T) *post.Known {
	tail, err := kafka.NewTail(kafka.TailConfig{Config: kafka.Config{Brokers: []string{f.brokerPath.addr()}},
		Topic: "makegood.books"})
	if err != nil {
		t.Fatal(err)
	}
	defer tail.Close()
	known, err := post.ReadTerms(ctx, booksTail{tail}, decode.Log(), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// checkBuckets: no bucket of the roll-up differs from the rows that it sums up.
func checkBuckets(ctx context.Context, t *testing.T, store *clickhouse.Store, seed uint64) {
	var buckets []string
	if err := store.DB.QueryRow(ctx, fmt.Sprintf(`
SELECT groupArray(concat(unit, ' ', error_id, ' ', account, ' ', element, ': ', arrayStringConcat(sums, ' and ')))
FROM (
    SELECT %[1]s, groupArray(concat(which, ' ', toString(amount), ' ', founded, ' ', kind)) AS sums FROM (
        SELECT 'has' AS which, %[1]s, %[2]s, toDecimal128(amount, 4) AS amount, toUInt64(lines) AS lines
        FROM leakage_daily FINAL WHERE lines != 0
        UNION ALL
        SELECT 'wants' AS which, %[1]s, %[2]s, toDecimal128(amount, 4) AS amount, toUInt64(lines) AS lines
        FROM (%[3]s) WHERE lines != 0)
    GROUP BY %[1]s HAVING count() != 2 OR uniqExact(%[2]s, amount, lines) != 1 LIMIT 10)`,
		ledger.LeakageKey, ledger.LeakageFacts, ledger.FailureLines("1"))).Scan(&buckets); err != nil {
		t.Fatal(err)
	}
	for _, b := range buckets {
		t.Errorf("seed %d: the roll-up is stale: %s", seed, b)
	}
}

// amounts are sums of lines, by what a report shows of them.
type amounts struct{ net, gross, hidden, recoveries, customer domain.Amount }

func (a *amounts) add(l *domain.Line) {
	switch {
	case l.Element.IsCost():
		a.net += l.Amount
		a.gross += l.Amount
		if l.Basis.IsHidden() {
			a.hidden += l.Amount
		}
	case l.Element.IsRecovery():
		a.net += l.Amount
		a.recoveries -= l.Amount
	case l.Step == domain.Change && l.Account.ProfitAndLoss():
		a.customer -= l.Amount
	}
}

// checkReports holds reports of random spans, views and currencies against the sum of the ledger's rows. What a fix
// cost is in the report or stands apart of it, by its case: both together are all lines with an element. Each case that
// is in the report has all its lines there, rows sum up to totals, and a report as of a moment to come, which is
// computed without the roll-up, says the same.
func checkReports(ctx context.Context, t *testing.T, store *clickhouse.Store, rows []ledger.Stored, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 7))
	units := unitsOf(rows)
	keys := report.LeakageKeys()
	for n := range 25 {
		random.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		from := time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, random.IntN(100))
		q := report.LeakageQuery{From: from, To: from.AddDate(0, 0, 1+random.IntN(120)),
			GroupBy:  append([]string{}, keys[:random.IntN(4)]...),
			View:     []string{"economic", "booked", "cash"}[random.IntN(3)],
			PeriodBy: []string{"occurred", "posting"}[random.IntN(2)],
			Currency: []string{"USD", "EUR"}[random.IntN(2)]}
		if n%2 == 0 {
			q.GroupBy = []string{"case"}
		}
		got := readFigures(ctx, t, store, q)
		later := q
		later.AsOf.Time = time.Now().AddDate(10, 0, 0)
		other := readFigures(ctx, t, store, later)
		if g, o := fmt.Sprintln(got.Rows, got.Totals, got.Apart), fmt.Sprintln(other.Rows, other.Totals,
			other.Apart); g != o {
			t.Errorf("seed %d: report %+v differs from that which is computed without the roll-up:\n%s\n%s", seed, q, g, o)
		}
		var all amounts
		byCase := map[string]*amounts{}
		for i := range rows {
			for k := range rows[i].Lines {
				if l := &rows[i].Lines[k]; counts(&q, &rows[i], l) {
					all.add(l)
					if byCase[l.Case] == nil {
						byCase[l.Case] = &amounts{}
					}
					byCase[l.Case].add(l)
				}
			}
		}
		total := amountsOf(t, got.Totals)
		apart := amount(t, got.Apart[domain.KindChangedMind]) + amount(t, got.Apart["unfounded"])
		if customer := amount(t, got.Apart["customer_changes"]); total.net+apart != all.net || customer != all.customer {
			t.Errorf("seed %d: report %+v says net %s, apart %s, customers' changes %s; rows sum up to %s and %s", seed, q,
				total.net, apart, customer, all.net, all.customer)
		}
		var sum amounts
		for _, r := range got.Rows {
			is := amountsOf(t, r.LeakageFigures)
			sum.net, sum.gross = sum.net+is.net, sum.gross+is.gross
			sum.hidden, sum.recoveries = sum.hidden+is.hidden, sum.recoveries+is.recoveries
			name, byThat := r.Key["case"]
			if !byThat || len(q.GroupBy) != 1 || name != "" && len(units[name]) > 1 {
				continue
			}
			want := byCase[name]
			if want == nil {
				want = &amounts{}
			}
			is.customer = want.customer // which stands apart
			if is != *want {
				t.Errorf("seed %d: report %+v says %v of case %q, its lines sum up to %v", seed, q, is, name, *want)
			}
		}
		if sum != total {
			t.Errorf("seed %d: the rows of report %+v sum up to %v, its totals are %v", seed, q, sum, total)
		}
	}
}

// unitsOf are the units of each case: what one is in a unit, it need not be in another.
func unitsOf(rows []ledger.Stored) map[string]map[string]bool {
	units := map[string]map[string]bool{}
	for i := range rows {
		for k := range rows[i].Lines {
			name := rows[i].Lines[k].Case
			if units[name] == nil {
				units[name] = map[string]bool{}
			}
			units[name][rows[i].Unit()] = true
		}
	}
	return units
}

func readFigures(ctx context.Context, t *testing.T, store *clickhouse.Store, q report.LeakageQuery) *report.Leakage {
	t.Helper()
	got, err := report.ReadLeakage(ctx, store.DB, q, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// counts tells whether a line is in what a report is asked for.
func counts(q *report.LeakageQuery, r *ledger.Stored, l *domain.Line) bool {
	day := r.Day
	if first := r.Posting.First(); q.PeriodBy == "posting" && first.After(day) {
		day = first
	}
	inView := q.View == "economic" || q.View == "booked" && !l.Basis.IsHidden() || l.Basis == domain.Cash
	return inView && l.Currency == q.Currency && !day.Before(q.From) && day.Before(q.To)
}

func amountsOf(t *testing.T, f report.LeakageFigures) amounts {
	t.Helper()
	return amounts{net: amount(t, f.Net), gross: amount(t, f.Gross), hidden: amount(t, f.Hidden),
		recoveries: amount(t, f.Recoveries)}
}

func amount(t *testing.T, text string) domain.Amount {
	t.Helper()
	a, err := domain.ParseAmount(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// checkStories holds what is told of orders against the sum of their rows.
func checkStories(ctx context.Context, t *testing.T, store *clickhouse.Store, rows []ledger.Stored, seed uint64) {
	of := map[string][]*ledger.Stored{}
	var orders []string
	for i := range rows {
		id := rows[i].Event.OrderID
		if id != "" && of[id] == nil {
			orders = append(orders, id)
		}
		of[id] = append(of[id], &rows[i])
	}
	for i, id := range orders {
		if i%7 != 0 {
			continue // each is some milliseconds
		}
		got, err := report.ReadOrder(ctx, store.DB, id, report.AsOf{})
		if err != nil {
			t.Fatalf("order %s: %v", id, err)
		}
		var contribution domain.Amount
		var all amounts
		for _, r := range of[id] {
			for k := range r.Lines {
				if l := &r.Lines[k]; l.Currency == got.Currency {
					all.add(l)
					if l.Account.ProfitAndLoss() {
						contribution -= l.Amount
					}
				}
			}
		}
		cost := amount(t, got.Net) + amount(t, got.ChangedMind) + amount(t, got.Unfounded)
		if len(got.Events) != len(of[id]) || amount(t, got.Contribution) != contribution || cost != all.net ||
			amount(t, got.CustomerChanges) != all.customer ||
			amount(t, got.PerfectContribution)+all.customer-cost != contribution {
			t.Errorf("seed %d: order %s tells of %d events, contribution %s of %s, %s for fixes, %s by customers' changes; its "+
				"%d rows sum up to %s, %s and %s", seed, id, len(got.Events), got.Contribution, got.PerfectContribution, cost,
				got.CustomerChanges, len(of[id]), contribution, all.net, all.customer)
		}
	}
}
