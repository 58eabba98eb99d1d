package projections

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// touched collects the cases and orders whose leakage new rows may have changed.
type touched struct {
	cases  map[string]struct{}
	orders map[string]struct{} // failure costs without a case: a business cancelled its own order
}

func newTouched() touched {
	return touched{cases: map[string]struct{}{}, orders: map[string]struct{}{}}
}

func (t *touched) add(r *Row) {
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
func (t *touched) addRefused(r *Row) {
	if r.Event.ErrorID != "" {
		t.cases[string([]byte(r.Event.ErrorID))] = struct{}{}
	} else {
		t.orders[string([]byte(r.Event.OrderID))] = struct{}{}
	}
}

func (t *touched) clear() { clear(t.cases); clear(t.orders) }

// failureLines is the one place where an element line meets the case that it belongs to: journal lines with an element,
// summed by day and case, each with what is known of the case. filter names the rows of failures to look at: those of
// the touched cases for the roll-up, those recorded by a moment for an as_of report.
func failureLines(filter string) string { return failureLinesOf("failures FINAL", filter) }

// failureLinesOf is the same of other rows than those of failures.
func failureLinesOf(failures, filter string) string {
	return `
    WITH events AS (SELECT * FROM ` + failures + ` WHERE refused = '' AND ` + filter + `), ` + caseFacts + `
    SELECT e.day AS day, greatest(e.day, e.posting_period) AS posting_day, e.currency AS currency, e.store_id AS store_id,
           e.error_id AS error_id, e.order_id AS order_id, l_account AS account, toString(l_element) AS element, toString(l_basis) AS basis,
           any(c.vendor_id) AS vendor_id, any(c.kind) AS kind, any(c.root_cause) AS root_cause,
           any(c.party_at_fault) AS party_at_fault, any(c.employee_id) AS employee_id, any(c.avoidable) AS avoidable,
           if(any(c.found_when) = 'before_delivery', 'internal', 'external') AS category,
           any(c.is_founded) AS founded,
           sum(CAST(l_amount AS Decimal(38, 4))) AS amount, countIf(l_amount != 0) AS lines
    FROM events AS e
    ARRAY JOIN e.account AS l_account, e.element AS l_element, e.basis AS l_basis, e.amount AS l_amount
    LEFT JOIN cases AS c ON c.error_id = e.error_id
    WHERE l_element != ''
    GROUP BY day, posting_day, currency, store_id, error_id, order_id, account, element, basis`
}

// caseFacts are what is known of the cases of events.
//
// What an event says of a case counts unless it was voided (and the void wasn't voided in its turn). The report is the base; per field, the classification with
// the latest time wins; among equals, identity decides, so that the order of arrival never matters.
var caseFacts = fmt.Sprintf(`
    targets AS (SELECT voids_source, voids_id FROM events WHERE voids_id != ''),
    voided AS (SELECT voids_source, voids_id FROM events WHERE voids_id != '' AND (source, event_id) NOT IN targets),
    cases AS (
        SELECT error_id,
               %s AS kind, %s AS root_cause, %s AS party_at_fault,
               %s AS vendor_id, %s AS employee_id, %s AS avoidable,
               argMinIf(found, (occurred_at, source, event_id), found != '') AS found_when,
               countIf(event_type = 'makegood.error.rejected.v1') = 0 AS is_founded
        FROM events
        WHERE event_type IN ('makegood.error.reported.v1', 'makegood.error.classified.v1', 'makegood.error.rejected.v1')
          AND (source, event_id) NOT IN voided
        GROUP BY error_id)`,
	lastSaid("kind"), lastSaid("root_cause"), lastSaid("party_at_fault"), lastSaid("vendor_id"), lastSaid("employee_id"), lastSaid("avoidable"))

func lastSaid(field string) string {
	return fmt.Sprintf(`if(countIf(%[1]s != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(%[1]s, (occurred_at, source, event_id), %[1]s != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(%[1]s, (occurred_at, source, event_id), %[1]s != ''))`, field)
}

const (
	leakageKey   = "error_id, order_id, day, posting_day, currency, store_id, account, element, basis"
	leakageFacts = "vendor_id, kind, root_cause, party_at_fault, employee_id, avoidable, category, founded"
)

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
    GROUP BY %[1]s)`, leakageKey, leakageFacts, failureLines(filter), filter)
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
