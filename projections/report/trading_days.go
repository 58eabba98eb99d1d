package report

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/sql"
)

// TradingDays asks on which days orders were placed: what is compared must have been seen as fully.
type TradingDays struct {
	From, To time.Time // days in the books' zone; To is exclusive
	Store    string    // empty: all
	AsOf     AsOf
}

func (q *TradingDays) statement() sql.Statement {
	return statements.Make("trading_days", q.AsOf.Sources(), sql.Named("from", q.From), sql.Named("to", q.To),
		sql.Named("store", q.Store))
}

// ReadTradingDays lists the days, YYYY-MM-DD, the first at first. It reads one column of the orders of the time.
func ReadTradingDays(ctx context.Context, db driver.Conn, q TradingDays) (days []string, err error) {
	if q.From.IsZero() || !q.From.Before(q.To) {
		return nil, &Invalid{Code: EmptySpan}
	}
	if err := q.statement().Row(ctx, db).Scan(&days); err != nil {
		return nil, fmt.Errorf("list the days of trade: %w", err)
	}
	return days, nil
}
