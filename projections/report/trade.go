package report

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// trade is what was sold in a period, and what was spent on serving right the first time.
type trade struct {
	sales   *big.Rat // −Σ on 4000: net of tax, cancellations taken off; what the fixes gave back is leakage, not less sales
	perfect *big.Rat // −Σ on 4xxx and 5xxx of the orders placed in the period, voided ones left out
	orders  uint64   // those orders
	months  map[string]*[2]*big.Rat
}

// readTrade reads the period's months of the ledger once.
func readTrade(ctx context.Context, db driver.Conn, q *SummaryQuery, currency string) (*trade, error) {
	sum := func(condition string) string {
		return `arraySum(arrayMap((a, x) -> if(` + condition + `, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, amount))`
	}
	rows, err := db.Query(ctx, `
SELECT formatDateTime(booked_on, '%Y-%m') AS month, toDecimalString(-sum(sales), 4), toDecimalString(-sumIf(profit, stands), 4), uniqExactIf(order_id, stands),
       toDecimalString(sum(prevention), 4), toDecimalString(sum(appraisal), 4)
FROM (
    SELECT `+q.bookedDay()+` AS booked_on, order_id, event_type = 'makegood.order.placed.v1' AND (source, event_id) NOT IN (`+q.voidedEvents()+`) AS stands,
           `+sum("a = 4000")+` AS sales, `+sum("a >= 4000 AND a < 6000")+` AS profit,
           `+sum("a = 6100")+` AS prevention, `+sum("a = 6110")+` AS appraisal
    FROM ledger FINAL WHERE (notEmpty(account) OR event_type = 'makegood.order.placed.v1') AND refused = '' AND `+q.inMoney()+` AND `+q.recorded()+`)
GROUP BY month WITH ROLLUP`, q.named(currency)...)
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
