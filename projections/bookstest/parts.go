package bookstest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/projections/report"
)

// Parts holds reports of all books against the sum of the reference's books of their parts. No order, case or identity
// is in two parts, and each part was given the whole books stream: so sums and counts add up. It is for books of which
// the reference can't make the whole at once.
type Parts struct {
	queries []report.LeakageQuery
	sums    []map[string]*figures // of each query, by key; totals and what stands apart have keys of their own
}

// figures are a row of a report, so that it can be added to another.
type figures struct {
	amounts       [5]domain.Amount // gross, net, booked, hidden, recoveries
	cases, orders uint64
}

// NewParts draws the reports. Orders and cases are no keys of theirs: they are too many.
func NewParts(random *rand.Rand) *Parts {
	p := &Parts{}
	keys := slices.DeleteFunc(report.LeakageKeys(), func(k string) bool { return k == "order" || k == "case" })
	for range 25 {
		random.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		from := time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, random.IntN(100))
		p.queries = append(p.queries, report.LeakageQuery{From: from, To: from.AddDate(0, 0, 1+random.IntN(120)),
			GroupBy:  slices.Clone(keys[:random.IntN(4)]),
			View:     []string{"economic", "booked", "cash"}[random.IntN(3)],
			PeriodBy: []string{"occurred", "posting"}[random.IntN(2)],
			Currency: []string{"USD", "EUR"}[random.IntN(2)]})
		p.sums = append(p.sums, map[string]*figures{})
	}
	return p
}

// Add counts the reference's books of one part in.
func (p *Parts) Add(t *testing.T, part *reference.Books) {
	t.Helper()
	for i, q := range p.queries {
		expected, err := part.Leakage(q.From.Format(time.DateOnly), q.To.Format(time.DateOnly), q.GroupBy, q.View,
			q.PeriodBy, q.Currency)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range expected.Rows {
			addFigures(t, p.sums[i], fmt.Sprint(r.Key), Figures(r))
		}
		addFigures(t, p.sums[i], "totals", Figures(expected.Totals))
		addApart(t, p.sums[i], expected.Apart)
	}
}

// Compare holds the reports against the sums.
func (p *Parts) Compare(t *testing.T, store *clickhouse.Store) {
	t.Helper()
	for i, q := range p.queries {
		got, err := report.ReadLeakage(t.Context(), store.DB, q, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		sums := map[string]*figures{}
		for _, r := range got.Rows {
			addFigures(t, sums, fmt.Sprint(r.Key), r.LeakageFigures)
		}
		addFigures(t, sums, "totals", got.Totals)
		addApart(t, sums, got.Apart)
		if g, w := figuresText(sums), figuresText(p.sums[i]); g != w {
			t.Errorf("report %+v differs from the sum of the parts:\n%s", q, Difference(g, w))
		}
	}
}

func addFigures(t *testing.T, to map[string]*figures, key string, f report.LeakageFigures) {
	t.Helper()
	if to[key] == nil {
		to[key] = &figures{}
	}
	for i, text := range []string{f.Gross, f.Net, f.Booked, f.Hidden, f.Recoveries} {
		a, err := domain.ParseAmount(text)
		if err != nil {
			t.Fatal(err)
		}
		to[key].amounts[i] += a
	}
	to[key].cases += f.Cases
	to[key].orders += f.Orders
}

func addApart(t *testing.T, to map[string]*figures, apart map[string]string) {
	t.Helper()
	for name, text := range apart {
		addFigures(t, to, "apart "+name, report.LeakageFigures{Net: text, Gross: "0", Booked: "0", Hidden: "0",
			Recoveries: "0"})
	}
}

// figuresText leaves out what is zero: rows of parts may sum up to nothing, which a report doesn't show.
func figuresText(sums map[string]*figures) string {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(sums)) {
		if *sums[key] != (figures{}) {
			fmt.Fprintln(&text, key, *sums[key])
		}
	}
	return text.String()
}
