package report

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/sql"
)

// failureCost is the leakage of a period as the summary divides it. Net unless it says otherwise.
type failureCost struct {
	gross, net, hidden *big.Rat
	avoidable, known   *big.Rat // of founded cases: marked avoidable, marked either way
	unmarked           *big.Rat // of founded cases: marked neither way
	ofCases            *big.Rat // of founded cases; without orders that the business itself cancelled
	cases              uint64
	months             map[string]*[2]*big.Rat // internal, external
}

// failureCost asks for the leakage by month.
func (q *SummaryQuery) failureCost() sql.Statement { return q.of("failure_cost") }

// qualitySpent asks for prevention and appraisal by month.
func (q *SummaryQuery) qualitySpent() sql.Statement { return q.of("quality_spent") }

// apart asks for what is no leakage and stands beside it.
func (q *SummaryQuery) apart() sql.Statement { return q.of("summary_apart") }

// cashAndProfit asks what the fixes did to cash and to profit.
func (q *SummaryQuery) cashAndProfit() sql.Statement { return q.of("cash_and_profit") }

func readFailureCost(ctx context.Context, db driver.Conn, q *SummaryQuery) (*failureCost, error) {
	rows, err := q.failureCost().Rows(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("sum the leakage: %w", err)
	}
	defer rows.Close()
	c := &failureCost{gross: new(big.Rat), net: new(big.Rat), hidden: new(big.Rat), avoidable: new(big.Rat),
		known:    new(big.Rat),
		unmarked: new(big.Rat), ofCases: new(big.Rat), months: map[string]*[2]*big.Rat{}}
	sums := []*big.Rat{c.gross, c.net, c.hidden, c.avoidable, c.known, c.unmarked, c.ofCases}
	cases := map[string]struct{}{} // a case may have costs in several months
	for rows.Next() {
		var month string
		var ids []string
		texts := make([]string, 9)
		if err := rows.Scan(&month, &texts[0], &texts[1], &texts[2], &texts[3], &texts[4], &texts[5], &texts[6], &ids,
			&texts[7], &texts[8]); err != nil {
			return nil, fmt.Errorf("sum the leakage: %w", err)
		}
		a, err := amounts(texts...)
		if err != nil {
			return nil, fmt.Errorf("sum the leakage: %w", err)
		}
		for i, sum := range sums {
			sum.Add(sum, a[i])
		}
		for _, id := range ids {
			cases[id] = struct{}{}
		}
		c.months[month] = &[2]*big.Rat{a[7], a[8]}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sum the leakage: %w", err)
	}
	c.cases = uint64(len(cases))
	return c, nil
}

// ReadPAF answers from what belongs to no order, where prevention and appraisal are booked, and from the roll-up: of a
// year as fast as of a month. q.Currency is required.
func ReadPAF(ctx context.Context, db driver.Conn, q SummaryQuery) (*PAF, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	if q.Currency == "" {
		return nil, errors.New("a currency is required: amounts of several are never summed")
	}
	rows, err := q.qualitySpent().Rows(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("sum prevention and appraisal: %w", err)
	}
	defer rows.Close()
	spent := map[string]*[2]*big.Rat{}
	for rows.Next() {
		var month, prevention, appraisal string
		if err := rows.Scan(&month, &prevention, &appraisal); err != nil {
			return nil, fmt.Errorf("sum prevention and appraisal: %w", err)
		}
		a, err := amounts(prevention, appraisal)
		if err != nil {
			return nil, fmt.Errorf("sum prevention and appraisal: %w", err)
		}
		spent[month] = &[2]*big.Rat{a[0], a[1]}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sum prevention and appraisal: %w", err)
	}
	cost, err := readFailureCost(ctx, db, &q)
	if err != nil {
		return nil, err
	}
	p := paf(spent, cost.months)
	return &p, nil
}

// paf joins what was spent to prevent with what failure cost, month by month.
func paf(spent, failed map[string]*[2]*big.Rat) PAF {
	total := new(big.Rat)
	var sums [4]*big.Rat
	for i := range sums {
		sums[i] = new(big.Rat)
	}
	months := map[string]*[4]*big.Rat{}
	for offset, part := range []map[string]*[2]*big.Rat{spent, failed} {
		for month, two := range part {
			if two[0].Sign() == 0 && two[1].Sign() == 0 {
				continue
			}
			if months[month] == nil {
				months[month] = &[4]*big.Rat{{}, {}, {}, {}}
			}
			for i, amount := range two {
				months[month][2*offset+i] = amount
				sums[2*offset+i].Add(sums[2*offset+i], amount)
				total.Add(total, amount)
			}
		}
	}
	p := PAF{Prevention: ratio(sums[0], total), Appraisal: ratio(sums[1], total), Internal: ratio(sums[2], total),
		External: ratio(sums[3], total), Periods: []PAFPeriod{}}
	for _, month := range slices.Sorted(maps.Keys(months)) {
		m := months[month]
		all := new(big.Rat)
		for _, amount := range m {
			all.Add(all, amount)
		}
		p.Periods = append(p.Periods, PAFPeriod{month, m[0].FloatString(4), m[1].FloatString(4), m[2].FloatString(4),
			m[3].FloatString(4), all.FloatString(4)})
	}
	return p
}

// readViews sums what the fixes of the period did to cash and to profit: every line of a case, and of an order that the
// business itself cancelled or changed. A changed mind is no fix, and neither is what an unfounded case cost.
func readViews(ctx context.Context, db driver.Conn, q *SummaryQuery) (Views, error) {
	var cash, profit string
	if err := q.cashAndProfit().Row(ctx, db).Scan(&cash, &profit); err != nil {
		return Views{}, fmt.Errorf("sum what the fixes did to cash and profit: %w", err)
	}
	a, err := amounts(cash, profit)
	if err != nil {
		return Views{}, fmt.Errorf("sum what the fixes did to cash and profit: %w", err)
	}
	return Views{Cash: cash, Profit: profit, Difference: new(big.Rat).Sub(a[0], a[1]).FloatString(4)}, nil
}
