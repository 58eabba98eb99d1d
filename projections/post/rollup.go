package post

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/ledger"
)

// touched collects the cases and orders whose leakage new rows may have changed.
type touched struct {
	cases  map[string]struct{}
	orders map[string]struct{} // failure costs without a case: a business cancelled its own order
}

func newTouched() touched {
	return touched{cases: map[string]struct{}{}, orders: map[string]struct{}{}}
}

func (t *touched) add(r *ledger.Row) {
	if r.Event.ErrorID != "" {
		t.cases[string([]byte(r.Event.ErrorID))] = struct{}{}
		return
	}
	for i := range r.Lines {
		if r.Lines[i].Element != 0 {
			t.orders[string([]byte(r.Event.OrderID))] = struct{}{}
			return
		}
	}
}

// addRefused adds what a row touched before it left the books: it has no lines any more that could tell.
func (t *touched) addRefused(r *ledger.Row) {
	if r.Event.ErrorID != "" {
		t.cases[string([]byte(r.Event.ErrorID))] = struct{}{}
	} else {
		t.orders[string([]byte(r.Event.OrderID))] = struct{}{}
	}
}

func (t *touched) clear() { clear(t.cases); clear(t.orders) }

// rollUp recomputes leakage_daily for what was touched. The version is taken before the rows are read: of two recounts
// of a case that overlap, the one that began later has seen all that the other saw.
func rollUp(ctx context.Context, db driver.Conn, t *touched) error {
	cases, orders := sorted(t.cases), sorted(t.orders)
	const most = 20_000 // keys a statement: bounds its memory
	for len(cases) > 0 || len(orders) > 0 {
		c, o := cases[:min(most, len(cases))], orders[:min(most, len(orders))]
		cases, orders = cases[len(c):], orders[len(o):]
		if err := rollUpOnce(ctx, db, c, o); err != nil {
			return err
		}
	}
	return nil
}

func rollUpOnce(ctx context.Context, db driver.Conn, cases, orders []string) error {
	keys, err := ext.NewTable("touched", ext.Column("error_id", "String"), ext.Column("order_id", "String"))
	if err != nil {
		return fmt.Errorf("name the touched cases: %w", err)
	}
	for _, id := range cases {
		if err := keys.Append(id, ""); err != nil {
			return fmt.Errorf("name the touched cases: %w", err)
		}
	}
	for _, id := range orders {
		if err := keys.Append("", id); err != nil {
			return fmt.Errorf("name the touched orders: %w", err)
		}
	}
	// A prefix of the sorting key each, so that only the touched granules are read.
	filter := `((error_id != '' AND error_id IN (SELECT error_id FROM touched WHERE error_id != ''))
        OR (error_id = '' AND order_id IN (SELECT order_id FROM touched WHERE error_id = '')))`
	if len(orders) == 0 {
		filter = `error_id IN (SELECT error_id FROM touched)`
	}
	if err := rollUpWhere(clickhouse.Context(ctx, clickhouse.WithExternalTable(keys)), db, filter); err != nil {
		return fmt.Errorf("recompute the leakage of %d cases and %d orders: %w", len(cases), len(orders), err)
	}
	return nil
}

// rollUpWhere recomputes the leakage of what a condition on error_id and order_id says.
func rollUpWhere(ctx context.Context, db driver.Conn, filter string) error {
	// A bucket that the rows no longer fill (its event left the books, or an earlier copy of it came, posted elsewhere)
	// is overwritten with nothing.
	query := fmt.Sprintf(`INSERT INTO leakage_daily (%[1]s, %[2]s, amount, lines, version)
SELECT %[1]s, facts.1, facts.2, facts.3, facts.4, facts.5, facts.6, facts.7, facts.8, amount, lines, toUnixTimestamp64Nano(now64(9)) AS version FROM (
    SELECT %[1]s, argMax((%[2]s), fresh) AS facts, sum(amount) AS amount, sum(lines) AS lines FROM (
        SELECT %[1]s, %[2]s, amount, lines, 1 AS fresh FROM (%[3]s)
        UNION ALL
        SELECT %[1]s, %[2]s, toDecimal128(0, 4) AS amount, toUInt64(0) AS lines, 0 AS fresh FROM leakage_daily WHERE %[4]s)
    GROUP BY %[1]s)`, ledger.LeakageKey, ledger.LeakageFacts, ledger.FailureLines(filter), filter)
	return db.Exec(ctx, query)
}

func sorted(set map[string]struct{}) []string {
	keys := make([]string, 0, len(set))
	for k := range set {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
