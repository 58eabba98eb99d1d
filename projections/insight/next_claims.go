package insight

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/insight/estimate"
)

const (
	soon         = 30 // days: a window that ends within them goes first
	leastAnswers = 5  // answered claims, below which nothing is said of how many are accepted
)

// adviceOnClaims looks for what can still be claimed, of all cases of a year, and for vendors without terms.
func adviceOnClaims(ctx context.Context, db driver.Conn, q *Query, parts map[string][]Row) ([]*advice, error) {
	year := q.asked(q.To.AddDate(0, 0, -ClaimsBack))
	cases, err := readVendorCases(ctx, db, year)
	if err != nil {
		return nil, err
	}
	today := day(q.Now, q.Now.Location())
	vendors := byVendor(cases, today)
	parts[Owed] = year.owedRows(vendors, today)
	name, total, those := mostToFile(vendors, today)
	if those == 0 {
		return year.adviceOnTerms(cases)
	}
	v := vendors[name]
	amount := v.by[statusToFile]
	days, last := left(v.lastDay, today)
	a := &advice{question: "recoverable", action: "claim", of: name, amount: amount.FloatString(4), cases: v.toFile,
		until: last, worth: worthOfClaims(cases, name, amount, today), link: "/v1/claims/packet?" +
			year.values("vendor", name, "format", "html").Encode()}
	a.sentence = fmt.Sprintf("Claim %s from %s for %s: the first lapses %s.", year.money(amount.FloatString(4)),
		named(name, "suppliers that nobody named"), countOf(v.toFile, "case", "cases"), inDays(days, v.lastDay))
	if a.worth.Enough {
		a.sentence += fmt.Sprintf(" By the claims answered so far, %s of it comes back.", year.withRange(a.worth))
	} else {
		a.sentence += " Can't tell yet how much of it comes back: " + a.worth.WhyNot + "."
	}
	if those > 1 {
		a.sentence += fmt.Sprintf(" From all %d suppliers and others together, %s can still be claimed.", those,
			year.money(total.FloatString(4)))
	}
	return []*advice{a}, nil
}

// mostToFile is the vendor that owes most among those whose window ends soon, or else among all; what all owe, and how
// many they are.
func mostToFile(vendors map[string]*owed, today time.Time) (name string, total *big.Rat, those int) {
	total = new(big.Rat)
	urgent := func(v *owed) bool { return v.lastDay.Sub(today) <= soon*24*time.Hour }
	for _, vendor := range slices.Sorted(maps.Keys(vendors)) {
		v := vendors[vendor]
		if v.toFile == 0 {
			continue
		}
		total.Add(total, v.by[statusToFile])
		best := vendors[name]
		if those++; those == 1 || urgent(v) && !urgent(best) ||
			urgent(v) == urgent(best) && v.by[statusToFile].Cmp(best.by[statusToFile]) > 0 {
			name = vendor
		}
	}
	return name, total, those
}

// worthOfClaims is what of an amount comes back, as claims were answered so far: those of the vendor, or of all where
// it has answered too few.
func worthOfClaims(cases []*vendorCase, vendor string, amount *big.Rat, today time.Time) *estimate.Estimate {
	var accepted, answered [2]uint64 // of the vendor, of all
	for _, c := range cases {
		status := c.status(today)
		for i, counts := range []bool{c.vendor == vendor, true} {
			if counts && (status == statusAccepted || status == statusRefused) {
				answered[i]++
				if status == statusAccepted {
					accepted[i]++
				}
			}
		}
	}
	of := 0
	if answered[0] < leastAnswers {
		of = 1
	}
	size, _ := amount.Float64()
	e := estimate.Wilson(accepted[of], answered[of], leastAnswers, size)
	e.Method = "accepted_share"
	if !e.Enough {
		e.Value, e.Low, e.High = nil, nil, nil
		e.WhyNot = fmt.Sprintf("%s answered; %d are needed", countOf(answered[of], "claim was", "claims were"), leastAnswers)
		return e
	}
	for _, text := range []**string{&e.Value, &e.Low, &e.High} {
		*text = estimate.Text(number(*text), 2)
	}
	return e
}

// adviceOnTerms says what vendors caused without any terms that say what can be claimed.
func (q *Query) adviceOnTerms(cases []*vendorCase) ([]*advice, error) {
	without, n := new(big.Rat), uint64(0)
	for _, c := range cases {
		if c.terms == nil && c.gross.Sign() > 0 {
			without.Add(without, c.gross)
			n++
		}
	}
	a := &advice{question: "recoverable", action: "set_terms", amount: without.FloatString(4), cases: n,
		worth: cannotYet("what the vendors pay for is needed (makegood claim terms)", n), link: q.answerLink("recoverable")}
	switch {
	case n > 0:
		a.sentence = fmt.Sprintf("Write down what your suppliers and carriers pay for: %s caused by them in a year cost %s, "+
			"and no terms say what can be claimed. Can't tell yet what would come back: %s.", countOf(n, "case", "cases"),
			q.money(without.FloatString(4)), a.worth.WhyNot)
	case len(cases) == 0:
		a.action, a.worth = cantTellYet, cannotYet("cases whose cause is a supplier or a carrier are needed", 0)
		a.sentence = "Can't tell yet what suppliers owe you: " + a.worth.WhyNot + "."
	default:
		return nil, nil // all is claimed, or nothing can be any more
	}
	return []*advice{a}, nil
}
