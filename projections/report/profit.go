package report

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Profit is what the orders of a time were to bring and what they brought, over the same journal lines, days and bases
// as a leakage report of the same question. Promised − Contribution = net leakage + changed mind + Other.
type Profit struct {
	Currency     string `json:"currency"`
	NetSales     string `json:"net_sales"`    // of order.placed alone, without tax
	Promised     string `json:"promised"`     // contribution of order.placed alone: nothing goes wrong
	Contribution string `json:"contribution"` // as it went, fixes included
	Failure      string `json:"failure"`      // all lines with an element: net leakage, and changed mind
	Other        string `json:"other"`        // neither: customers cancelled
	Orders       uint64 `json:"orders"`       // placed
}

// ReadProfit answers from the ledger, of which it reads the months of q. q.Currency is required; q.GroupBy, q.Only and
// q.Largest are not for it.
func ReadProfit(ctx context.Context, db driver.Conn, q LeakageQuery) (*Profit, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	if q.Currency == "" {
		return nil, fmt.Errorf("a currency is required: amounts of several are never summed")
	}
	conditions := []string{"currency = ?", "refused = ''"}
	args := []any{q.Currency}
	from, to := q.From.Format(time.DateOnly), q.To.Format(time.DateOnly)
	if q.PeriodBy == "posting" {
		conditions = append(conditions, "greatest(day, posting_period) >= toDate(?)", "greatest(day, posting_period) < toDate(?)", "occurred_at < toDate(?) + INTERVAL 2 DAY")
	} else {
		// No zone is further than a day from UTC; the months outside are not read.
		conditions = append(conditions, "day >= toDate(?)", "day < toDate(?)", "occurred_at >= toDate('"+from+"') - INTERVAL 2 DAY", "occurred_at < toDate(?) + INTERVAL 2 DAY")
	}
	args = append(args, from, to, to)
	if !q.AsOf.Time.IsZero() || q.AsOf.Close != nil {
		filter, _ := q.AsOf.filter()
		conditions = append(conditions, filter)
	}
	basis := map[string]string{"economic": "1", "booked": "b != 'IMPUTED'", "cash": "b = 'CASH'"}[q.View]
	p := &Profit{Currency: q.Currency}
	row := db.QueryRow(ctx, `
SELECT toDecimalString(-sumIf(x, placed AND a >= 4000 AND a < 5000), 4), toDecimalString(-sumIf(x, placed AND pl), 4),
       toDecimalString(-sumIf(x, pl), 4), toDecimalString(sumIf(x, e != ''), 4),
       toDecimalString(sumIf(x, pl AND e = '' AND NOT placed), 4), uniqExactIf(order_id, placed AND voids_type = '')
FROM (
    SELECT order_id, voids_type, 'makegood.order.placed.v1' IN (event_type, voids_type) AS placed, a, toString(e_) AS e, toString(b_) AS b,
           a >= 4000 AND a < 6000 AS pl, CAST(x_ AS Decimal(38, 4)) AS x
    FROM ledger AS l FINAL
    ARRAY JOIN l.account AS a, l.element AS e_, l.basis AS b_, l.amount AS x_
    WHERE `+strings.Join(conditions, " AND ")+`)
WHERE `+basis, args...)
	if err := row.Scan(&p.NetSales, &p.Promised, &p.Contribution, &p.Failure, &p.Other, &p.Orders); err != nil {
		return nil, fmt.Errorf("read the profit: %w", err)
	}
	return p, nil
}
