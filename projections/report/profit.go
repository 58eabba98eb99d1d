package report

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/sql"
)

// Profit is what the orders of a time were to bring and what they brought, over the same journal lines, days and bases
// as a leakage report of the same question. Promised − Contribution = net leakage + changed mind + Other.
type Profit struct {
	Currency     string `json:"currency"`
	NetSales     string `json:"net_sales"`    // of the step perfect, without tax
	Promised     string `json:"promised"`     // contribution of the step perfect: nothing goes wrong
	Contribution string `json:"contribution"` // as it went, fixes included
	Failure      string `json:"failure"`      // all lines with an element: net leakage, changed mind and unfounded cases
	Other        string `json:"other"`        // neither: customers changed or cancelled their orders
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
	p := &Profit{Currency: q.Currency}
	row := q.profit().Row(ctx, db)
	if err := row.Scan(&p.NetSales, &p.Promised, &p.Contribution, &p.Failure, &p.Other, &p.Orders); err != nil {
		return nil, fmt.Errorf("read the profit: %w", err)
	}
	return p, nil
}

// profit asks for the columns of Profit.
func (q *LeakageQuery) profit() sql.Statement {
	return statements.Make("profit", struct {
		Sources
		Posting bool
		Bases   string
	}{q.AsOf.Sources(), q.PeriodBy == "posting", bases("b", q.View)},
		sql.Named("from", q.From), sql.Named("to", q.To), sql.Named("currency", q.Currency))
}
