package report

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/ledger"
)

// deliveries count what became of the orders that were delivered in a period. An order counts where its last delivery
// falls, since only with that one is it whole.
type deliveries struct {
	Delivered uint64 `ch:"delivered"`
	Promised  uint64 `ch:"promised"` // with a time in the last promise; without one nothing can be late
	OnTime    uint64 `ch:"on_time"`
	InFull    uint64 `ch:"in_full"`
	Kept      uint64 `ch:"kept"`             // on time, in full, none damaged, documents right
	Right     uint64 `ch:"right_first_time"` // kept, and no founded error
	Silent    uint64 `ch:"silent"`           // not kept, and nobody reported anything
}

// readDeliveries asks how the orders delivered in the period kept what was promised (contract §5).
//
// Only the period's months are searched for deliveries; the other months only for the orders found there, by the first
// column of the ledger's key.
func readDeliveries(ctx context.Context, db driver.Conn, q *SummaryQuery, currency string) (deliveries, error) {
	var all []deliveries
	query := `
SELECT count() AS delivered, countIf(is_promised) AS promised, countIf(is_on_time) AS on_time, countIf(is_in_full) AS in_full,
       countIf(is_kept) AS kept, countIf(is_right) AS right_first_time, countIf(is_silent) AS silent
FROM (` + keptPromises(q) + `)
WHERE (@store = '' OR store_id = @store) AND (@currency = '' OR currency IN ('', @currency))`
	if err := db.Select(ctx, &all, query, q.named(currency)...); err != nil {
		return deliveries{}, fmt.Errorf("count how promises were kept: %w", err)
	}
	if len(all) != 1 {
		return deliveries{}, fmt.Errorf("count how promises were kept: %d rows for one", len(all))
	}
	return all[0], nil
}

// keptPromises is one row an order that was delivered in the period: what of its promise was kept, and what was reported.
func keptPromises(q *SummaryQuery) string {
	return `
    WITH outcomes AS (` + deliveryOutcomes(q) + `),
        reported AS (` + reportedErrors(q) + `)
    SELECT o.day AS day, o.store_id AS store_id, o.currency AS currency, o.promised AS is_promised, o.on_time AS is_on_time, o.in_full AS is_in_full,
           o.on_time AND o.in_full AND NOT o.damaged AND NOT o.documents_wrong AS is_kept,
           is_kept AND r.founded = 0 AS is_right, NOT is_kept AND r.reports = 0 AS is_silent
    FROM outcomes AS o LEFT JOIN reported AS r ON r.order_id = o.order_id
    WHERE o.day >= toDate(@from) AND o.day < toDate(@to)`
}

// KeptPromises is the same question for tools that ask the books themselves: SQL with a row for each order whose last
// delivery falls on a day from one on and before another, with columns day, store_id, currency, is_promised (a time),
// is_on_time, is_in_full, is_kept, is_right (first time) and is_silent (a failure). from and to are SQL, of type Date.
func KeptPromises(from, to string) string {
	return strings.NewReplacer("@from", from, "@to", to).Replace(keptPromises(&SummaryQuery{}))
}

// deliveredOrders are the candidates: orders with a delivery in the period, even one that was voided or isn't their last.
func deliveredOrders(q *SummaryQuery) string {
	return `SELECT order_id FROM ledger
        WHERE event_type = 'makegood.order.delivered.v1' AND ` + inMonths + ` AND day >= toDate(@from) AND day < toDate(@to) AND ` + q.recorded()
}

// deliveryOutcomes is one row a delivered order: when it was whole, and what of the promise was kept.
//
//   - The promise is the last, by time and then identity, among that of the order itself and the changes that the customer
//     agreed to. One without an end can't be broken by being late.
//   - What was promised are the lines of the order, what came are those of all its deliveries, both summed by sku. A
//     delivery without lines says that it brought what was missing.
//   - It is delivered when its last delivery was.
func deliveryOutcomes(q *SummaryQuery) string {
	const (
		// JSON has one kind of number and tills have two ways to write one: both come out as text here, and only then
		// as a decimal, whose digits are those that were sent.
		lines = `JSONExtract(payload, 'lines', 'Array(Tuple(sku String, quantity String, condition String))')`
		// Events that stand, each once, by time, source and id.
		sorted = `arraySort(arrayFilter(e -> NOT has(voided, (e.2, e.3)), %[1]s)) AS %[1]s_sorted,
           arrayFilter((e, i) -> i = 1 OR (e.2, e.3) != (%[1]s_sorted[i - 1].2, %[1]s_sorted[i - 1].3), %[1]s_sorted, arrayEnumerate(%[1]s_sorted))`
	)
	return `
    SELECT order_id,
           ` + fmt.Sprintf(sorted, "placed") + ` AS orders,
           ` + fmt.Sprintf(sorted, "promises") + ` AS agreed,
           ` + fmt.Sprintf(sorted, "deliveries") + ` AS arrivals,
           arrayElement(arrivals, -1).4 AS day,
           if(notEmpty(orders), orders[1].4, arrivals[1].5) AS store_id,
           if(notEmpty(orders), orders[1].5, '') AS currency,
           arrayElement(agreed, -1).4 AS until,
           arrayMax(arrayMap(d -> d.6, arrivals)) AS delivered_at,
           until IS NOT NULL AS promised,
           until IS NULL OR delivered_at <= until AS on_time,
           arrayMap(l -> (l.1, toDecimal128OrZero(l.2, 4)), arrayFlatten(arrayMap(o -> o.6, orders))) AS wanted,
           arrayMap(l -> (l.1, toDecimal128OrZero(l.2, 4)), arrayFlatten(arrayMap(d -> d.7, arrivals))) AS came,
           arrayExists(d -> empty(d.7), arrivals) OR arrayAll(sku ->
               arraySum(arrayMap(l -> if(l.1 = sku, l.2, toDecimal128(0, 4)), came)) >= arraySum(arrayMap(l -> if(l.1 = sku, l.2, toDecimal128(0, 4)), wanted)),
               arrayDistinct(arrayMap(l -> l.1, wanted))) AS in_full,
           arrayExists(d -> arrayExists(l -> l.3 = 'damaged', d.7), arrivals) AS damaged,
           arrayExists(d -> d.8 = 0, arrivals) AS documents_wrong
    FROM (
        SELECT order_id,
               groupArrayIf((voids_source, voids_id), voids_id != '') AS voided,
               groupArrayIf((occurred_at, source, event_id, store_id, currency, ` + lines + `), event_type = 'makegood.order.placed.v1') AS placed,
               groupArrayIf((occurred_at, source, event_id, ` + moment("JSONExtractString(payload, 'promise', 'until')") + `),
                   event_type = 'makegood.order.placed.v1' OR event_type = 'makegood.order.promise_changed.v1' AND JSONExtractBool(payload, 'agreed_with_customer')) AS promises,
               groupArrayIf((occurred_at, source, event_id, day, store_id,
                   coalesce(` + moment("JSONExtractString(payload, 'delivered_at')") + `, occurred_at), ` + lines + `,
                   JSONExtract(payload, 'documents_ok', 'Nullable(Bool)')), event_type = 'makegood.order.delivered.v1') AS deliveries
        FROM ledger
        PREWHERE order_id IN (` + deliveredOrders(q) + `) -- the one column that is read of all of history
        WHERE ` + q.standing() + ` AND ('makegood.order.placed.v1' IN (event_type, voids_type) OR 'makegood.order.promise_changed.v1' IN (event_type, voids_type)
            OR 'makegood.order.delivered.v1' IN (event_type, voids_type))
        GROUP BY order_id)
    WHERE notEmpty(arrivals)`
}

// moment reads a time as tills write it; nothing where there is none.
func moment(text string) string {
	return `parseDateTime64BestEffortOrNull(upper(` + text + `), 6, 'UTC')`
}

// reportedErrors is one row an order: how many errors were reported of it, and how many of those are founded. A change
// of mind is reported, but it is no failure of anybody.
func reportedErrors(q *SummaryQuery) string {
	return `
    WITH events AS (
        SELECT * FROM failures FINAL WHERE refused = '' AND ` + q.recorded() + ` AND error_id IN (
            SELECT error_id FROM failures WHERE order_id IN (` + deliveredOrders(q) + `) AND event_type = 'makegood.error.reported.v1')), ` + ledger.CaseFacts + `
    SELECT e.order_id AS order_id, uniqExact(e.error_id) AS reports, uniqExactIf(e.error_id, c.is_founded AND c.kind != 'changed_mind') AS founded
    FROM events AS e LEFT JOIN cases AS c ON c.error_id = e.error_id
    WHERE e.event_type = 'makegood.error.reported.v1' AND (e.source, e.event_id) NOT IN voided
    GROUP BY order_id`
}
