package report

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/sql"
)

// trade is what was sold in a period, and what was spent on serving right the first time.
type trade struct {
	// −Σ on 4000: net of tax, cancellations taken off; what the fixes gave back is leakage, not less sales
	sales   *big.Rat
	perfect *big.Rat // −Σ on 4xxx and 5xxx of the step perfect, without orders that their customers cancelled whole
	orders  uint64   // the orders placed in the period, without those and voided ones
	months  map[string]*[2]*big.Rat
}

// trade asks for sales and spending by month, and of all months.
func (q *SummaryQuery) trade() sql.Statement { return q.of("trade") }

// readTrade reads the period's months of the ledger once.
func readTrade(ctx context.Context, db driver.Conn, q *SummaryQuery) (*trade, error) {
	rows, err := q.trade().Rows(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("sum the sales: %w", err)
	}
	defer rows.Close()
	t := &trade{sales: new(big.Rat), perfect: new(big.Rat), months: map[string]*[2]*big.Rat{}}
	for rows.Next() {
		var month, sales, perfect, prevention, appraisal string
		var orders uint64
		if err := rows.Scan(&month, &sales, &perfect, &orders, &prevention, &appraisal); err != nil {
			return nil, fmt.Errorf("sum the sales: %w", err)
		}
		a, err := amounts(sales, perfect, prevention, appraisal)
		if err != nil {
			return nil, fmt.Errorf("sum the sales: %w", err)
		}
		if month == "" { // the row of all months: an order counts once in it
			t.sales, t.perfect, t.orders = a[0], a[1], orders
			continue
		}
		t.months[month] = &[2]*big.Rat{a[2], a[3]}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sum the sales: %w", err)
	}
	return t, nil
}
