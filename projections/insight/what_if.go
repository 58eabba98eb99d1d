package insight

import (
	"cmp"
	"context"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// whatIf asks what would be saved if a cause, a store, a vendor or a kind of case were right first time. It reads the
// roll-up and the labour of a year.
var whatIf = Question{
	Name: "what-if",
	About: "What would be saved in a year if a cause, a store, a vendor or a kind of case were right first time, the " +
		"most first.",
	Params: []Param{{Name: "by", About: "What to tell apart; causes where nothing is said.",
		Of: []string{"cause", "store", "vendor", "kind"}}},
	Method: "Net leakage of the last 52 whole weeks, as a year of them: each case stands in one row, so rows sum to the " +
		"whole. The interval is that of the year to come, its own luck included; cash and what wages and fleet absorb " +
		"stand apart.",
	Heading: "What if it were right first time?",
	Columns: []Column{
		{Name: "by", Unit: Text, About: "What rows are told apart by: cause, store, vendor or kind."},
		{Name: "of", Unit: Text, About: "Which one; empty where none is known.", Of: ofBy},
		{Name: "year", Unit: Money, About: "Net leakage of a year.", Estimate: true},
		{Name: "cash", Unit: Money, About: "Of it, what money is paid for.", Estimate: true},
		{Name: "absorbed", Unit: Money, About: "Of it, what wages and fleet that are paid anyway absorb.", Estimate: true},
		{Name: "hours", Unit: Hours, About: "Hours of work of a year that would be free.", Estimate: true},
		{Name: "share", Unit: Share, About: "Of the net leakage of all."},
		{Name: "up_to_here", Unit: Share, About: "This row and those before it, of all (Pareto)."},
		{Name: "spent", Unit: Money, About: "Spent on preventing this cause in the last year."},
		{Name: "per_spend", Unit: Price, About: "Net leakage of a year over what was spent."},
		link("The cases, with what each cost in the weeks that the year is made of."),
	},
	Parts: []Part{{"whole", "All of it together.", []Column{
		{Name: "weeks", Unit: Count, About: "Weeks that are known."},
		{Name: "year", Unit: Money, About: "Net leakage of a year.", Estimate: true},
		{Name: "cash", Unit: Money, About: "Of it, what money is paid for.", Estimate: true},
		{Name: "hours", Unit: Hours, About: "Hours of work of a year.", Estimate: true},
		link("The cases, with what each cost in the weeks that the year is made of."),
	}}},
	Read: readWhatIf,
}

// whatIfBy are the columns of the roll-up that rows can be told apart by.
var whatIfBy = map[string]string{"cause": "root_cause", "vendor": "vendor_id", "kind": "kind",
	"store": "''"} // the store is told apart anyway

// ofBy is what a row of what-if is about.
func ofBy(r Row) string {
	by, _ := r["by"].(string)
	return by
}

func readWhatIf(ctx context.Context, db driver.Conn, q *Query) ([]Row, map[string][]Row, error) {
	by := cmp.Or(q.Of["by"], "cause")
	all, since, weeks, err := q.weeks(ctx, db, whatIfBy[by], 52)
	if err != nil {
		return nil, nil, err
	}
	spends := map[string]float64{}
	if by == "cause" {
		found, err := q.spent(ctx, db)
		if err != nil {
			return nil, nil, err
		}
		for _, s := range found {
			spends[s.Cause] += s.Year
		}
	}
	whole := series{net: make([]float64, weeks), cash: make([]float64, weeks), hours: make([]float64, weeks)}
	parts := map[string]*series{}
	for _, s := range all {
		if by == "store" {
			s.key = s.store
		}
		if parts[s.key] == nil {
			parts[s.key] = &series{"", s.key, make([]float64, weeks), make([]float64, weeks), make([]float64, weeks)}
		}
		for w := range weeks {
			for _, to := range []*series{parts[s.key], &whole} {
				to.net[w] += s.net[w]
				to.cash[w] += s.cash[w]
				to.hours[w] += s.hours[w]
			}
		}
	}
	sorted := make([]*series, 0, len(parts))
	for _, s := range parts {
		sorted = append(sorted, s)
	}
	slices.SortFunc(sorted, func(a, b *series) int {
		return cmp.Or(cmp.Compare(total(b.net), total(a.net)), cmp.Compare(a.key, b.key))
	})
	rows := make([]Row, 0, len(sorted))
	sum, so := total(whole.net), 0.0
	known := q.within(since, q.wholeDays())
	for _, s := range sorted {
		so += total(s.net)
		row := whatIfRow(s)
		row["by"], row["of"] = by, s.key
		row["link"] = known.listLink("what-if/cases", by, s.key)
		row["spent"], row["per_spend"], row["share"], row["up_to_here"] = nil, nil, nil, nil
		if sum > 0 {
			row["share"], row["up_to_here"] = *estimate.Text(total(s.net)/sum, 6), *estimate.Text(so/sum, 6)
		}
		if spent := spends[s.key]; spent > 0 && s.key != "" {
			row["spent"] = *estimate.Text(spent, 4)
			if year := estimate.Yearly(s.net, 0.95); year.Enough() {
				row["per_spend"] = *estimate.Text(year.Value/spent, 8)
			}
		}
		rows = append(rows, row)
	}
	together := whatIfRow(&whole)
	delete(together, "absorbed")
	together["weeks"], together["link"] = uint64(weeks), known.listLink("what-if/cases")
	return rows, map[string][]Row{"whole": {together}}, nil
}

func whatIfRow(s *series) Row {
	absorbed := make([]float64, len(s.net))
	for w := range s.net {
		absorbed[w] = s.net[w] - s.cash[w]
	}
	of := func(x []float64) *estimate.Estimate { return estimate.Yearly(x, 0.95).Estimate("weekly_mean", 2) }
	return Row{"year": of(s.net), "cash": of(s.cash), "absorbed": of(absorbed), "hours": of(s.hours)}
}

func total(x []float64) (sum float64) {
	for _, v := range x {
		sum += v
	}
	return sum
}
