package report

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/sql"
)

// Returning compares customers whose first order had a founded error with those whose first order had none: who buys
// again within so many days. Only customers count whose days are over, so that the young don't look disloyal.
type Returning struct {
	Days         int   `json:"days"`
	WithError    Share `json:"with_error"`
	WithoutError Share `json:"without_error"`
}

// Share is how many of N did it, with the 95 % interval of Wilson (1927): a share of few is no fact.
type Share struct {
	N        uint64  `json:"n"`
	Returned uint64  `json:"returned"`
	Share    *string `json:"share"` // 6 decimals; null where N is 0
	Low      *string `json:"low"`
	High     *string `json:"high"`
}

// ReadReturning answers for customers whose first order was placed in the days (and the store) of q.
func ReadReturning(ctx context.Context, db driver.Conn, q SummaryQuery, now time.Time) ([]Returning, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	return readReturning(ctx, db, &q, q.AsOf.Moment(now))
}

// readReturning looks at the customers whose first order ever, by time and then identity, was placed in the period (and
// store). Any later order counts as coming back, wherever and in whatever currency. known is what moment the books
// speak of.
func readReturning(ctx context.Context, db driver.Conn, q *SummaryQuery, known time.Time) ([]Returning, error) {
	answer := make([]Returning, 0, 2)
	rows, err := q.returning(known).Rows(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("count the customers who came back: %w", err)
	}
	defer rows.Close()
	found := map[bool][4]uint64{}
	for rows.Next() {
		var hadError uint8
		var n [4]uint64
		if err := rows.Scan(&hadError, &n[0], &n[1], &n[2], &n[3]); err != nil {
			return nil, fmt.Errorf("count the customers who came back: %w", err)
		}
		found[hadError != 0] = n
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("count the customers who came back: %w", err)
	}
	for i, days := range []int{30, 90} {
		answer = append(answer, Returning{Days: days, WithError: wilson(found[true][2*i], found[true][2*i+1]),
			WithoutError: wilson(found[false][2*i], found[false][2*i+1])})
	}
	return answer, nil
}

// returning asks how many came back within 30 and 90 days, with and without an error in their first order.
func (q *SummaryQuery) returning(known time.Time) sql.Statement {
	return q.of("returning", sql.Named("known", known.UTC().Format("2006-01-02 15:04:05.000")))
}

// wilson is the score interval of a share: unlike the usual one it stays within 0 and 1 and holds for few. Statistics,
// not money: floats will do.
func wilson(n, k uint64) Share {
	s := Share{N: n, Returned: k}
	if n == 0 {
		return s
	}
	const z = 1.959963984540054 // 97.5 % of the normal distribution
	size, p := float64(n), float64(k)/float64(n)
	middle := (p + z*z/(2*size)) / (1 + z*z/size)
	half := z / (1 + z*z/size) * math.Sqrt(p*(1-p)/size+z*z/(4*size*size))
	text := func(x float64) *string {
		t := strconv.FormatFloat(min(max(x, 0), 1), 'f', 6, 64)
		return &t
	}
	s.Share, s.Low, s.High = text(p), text(middle-half), text(middle+half)
	return s
}
