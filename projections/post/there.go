package post

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/ledger"
)

// ask asks for the orders and cases of units.
func (w *whatIsThere) ask(ctx context.Context, db driver.Conn, units [][]*ledger.Stored) error {
	orders, cases := map[string]bool{}, map[string]bool{}
	for _, unit := range units {
		for _, r := range unit {
			orders[r.Event.OrderID] = true
			for _, c := range r.Cases() {
				cases[c] = true
			}
		}
	}
	if err := w.askOrders(ctx, db, slices.Collect(maps.Keys(orders))); err != nil {
		return fmt.Errorf("ask what the ledger holds of %d orders: %w", len(orders), err)
	}
	if err := w.askCases(ctx, db, slices.Collect(maps.Keys(cases))); err != nil {
		return fmt.Errorf("ask for the orders of %d cases: %w", len(cases), err)
	}
	return nil
}

func (w *whatIsThere) askOrders(ctx context.Context, db driver.Conn, orders []string) error {
	ctx, err := ledger.Texts(ctx, "names", "name", orders)
	if err != nil {
		return err
	}
	rows, err := db.Query(ctx, statements.Text("what_is_there", nil))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var order string
		var s sums
		if err := rows.Scan(&order, &s.rows, &s.sum, &s.bits); err != nil {
			return err
		}
		w.orders[order] = s
	}
	return rows.Err()
}

func (w *whatIsThere) askCases(ctx context.Context, db driver.Conn, cases []string) error {
	if len(cases) == 0 {
		return nil
	}
	ctx, err := ledger.Texts(ctx, "names", "name", cases)
	if err != nil {
		return err
	}
	rows, err := db.Query(ctx, "SELECT DISTINCT error_id, order_id FROM case_units WHERE error_id IN "+
		"(SELECT name FROM names)")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var errorID, order string
		if err := rows.Scan(&errorID, &order); err != nil {
			return err
		}
		w.cases[errorID] = append(w.cases[errorID], order)
	}
	return rows.Err()
}
