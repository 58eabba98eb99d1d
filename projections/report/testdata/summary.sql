SELECT groupUniqArray(currency) FROM ledger
WHERE notEmpty(account) AND refused = '' AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND (@store = '' OR store_id = @store) AND true;
-- with [{from 2026-01-01} {to 2026-02-01} {store } {currency USD}]

SELECT count() AS delivered, countIf(is_promised) AS promised, countIf(is_on_time) AS on_time, countIf(is_in_full) AS in_full,
       countIf(is_kept) AS kept, countIf(is_right) AS right_first_time, countIf(is_silent) AS silent
FROM (
    WITH outcomes AS (
    SELECT order_id,
           arraySort(arrayFilter(e -> NOT has(voided, (e.2, e.3)), placed)) AS placed_sorted,
           arrayFilter((e, i) -> i = 1 OR (e.2, e.3) != (placed_sorted[i - 1].2, placed_sorted[i - 1].3),
               placed_sorted, arrayEnumerate(placed_sorted)) AS orders,
           arraySort(arrayFilter(e -> NOT has(voided, (e.2, e.3)), promises)) AS promises_sorted,
           arrayFilter((e, i) -> i = 1 OR (e.2, e.3) != (promises_sorted[i - 1].2, promises_sorted[i - 1].3),
               promises_sorted, arrayEnumerate(promises_sorted)) AS agreed,
           arraySort(arrayFilter(e -> NOT has(voided, (e.2, e.3)), deliveries)) AS deliveries_sorted,
           arrayFilter((e, i) -> i = 1 OR (e.2, e.3) != (deliveries_sorted[i - 1].2, deliveries_sorted[i - 1].3),
               deliveries_sorted, arrayEnumerate(deliveries_sorted)) AS arrivals,
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
               arraySum(arrayMap(l -> if(l.1 = sku, l.2, toDecimal128(0, 4)), came))
                   >= arraySum(arrayMap(l -> if(l.1 = sku, l.2, toDecimal128(0, 4)), wanted)),
               arrayDistinct(arrayMap(l -> l.1, wanted))) AS in_full,
           arrayExists(d -> arrayExists(l -> l.3 = 'damaged', d.7), arrivals) AS damaged,
           arrayExists(d -> d.8 = 0, arrivals) AS documents_wrong
    FROM (
        SELECT order_id,
               groupArrayIf((voids_source, voids_id), voids_id != '') AS voided,
               groupArrayIf((occurred_at, source, event_id, store_id, currency, JSONExtract(payload, 'lines', 'Array(Tuple(sku String, quantity String, condition String))')),
                   event_type = 'makegood.order.placed.v1') AS placed,
               groupArrayIf((occurred_at, source, event_id, parseDateTime64BestEffortOrNull(upper(JSONExtractString(payload, 'promise', 'until')), 6, 'UTC')),
                   event_type = 'makegood.order.placed.v1' OR event_type = 'makegood.order.promise_changed.v1'
                       AND JSONExtractBool(payload, 'agreed_with_customer')) AS promises,
               groupArrayIf((occurred_at, source, event_id, day, store_id,
                   coalesce(parseDateTime64BestEffortOrNull(upper(JSONExtractString(payload, 'delivered_at')), 6, 'UTC'), occurred_at), JSONExtract(payload, 'lines', 'Array(Tuple(sku String, quantity String, condition String))'),
                   JSONExtract(payload, 'documents_ok', 'Nullable(Bool)')), event_type = 'makegood.order.delivered.v1') AS deliveries
        FROM ledger
        PREWHERE order_id IN (SELECT order_id FROM ledger WHERE event_type = 'makegood.order.delivered.v1' AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND true) -- the one column that is read of all of history
        WHERE true AND refused = '' AND (source, event_id, content) NOT IN (
    SELECT source, event_id, content FROM ledger FINAL
    WHERE order_id IN (SELECT order_id FROM failures WHERE refused != '') AND refused != '') AND ('makegood.order.placed.v1' IN (event_type, voids_type)
            OR 'makegood.order.promise_changed.v1' IN (event_type, voids_type) OR 'makegood.order.delivered.v1' IN (event_type, voids_type))
        GROUP BY order_id)
    WHERE notEmpty(arrivals)),
        reported AS (
    WITH events AS (
        SELECT * FROM failures FINAL WHERE refused = '' AND true AND error_id IN (
            SELECT error_id FROM failures
            WHERE order_id IN (SELECT order_id FROM ledger WHERE event_type = 'makegood.order.delivered.v1' AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND true) AND event_type = 'makegood.error.reported.v1')),
        
    targets AS (SELECT voids_source, voids_id FROM events WHERE voids_id != ''),
    voided AS (SELECT voids_source, voids_id FROM events WHERE voids_id != '' AND (source, event_id) NOT IN targets),
    cases AS (
        SELECT error_id,
               if(countIf(kind != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(kind, (occurred_at, source, event_id), kind != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(kind, (occurred_at, source, event_id), kind != '')) AS kind, if(countIf(root_cause != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(root_cause, (occurred_at, source, event_id), root_cause != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(root_cause, (occurred_at, source, event_id), root_cause != '')) AS root_cause, if(countIf(party_at_fault != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(party_at_fault, (occurred_at, source, event_id), party_at_fault != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(party_at_fault, (occurred_at, source, event_id), party_at_fault != '')) AS party_at_fault,
               if(countIf(vendor_id != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(vendor_id, (occurred_at, source, event_id), vendor_id != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(vendor_id, (occurred_at, source, event_id), vendor_id != '')) AS vendor_id, if(countIf(employee_id != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(employee_id, (occurred_at, source, event_id), employee_id != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(employee_id, (occurred_at, source, event_id), employee_id != '')) AS employee_id, if(countIf(avoidable != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(avoidable, (occurred_at, source, event_id), avoidable != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(avoidable, (occurred_at, source, event_id), avoidable != '')) AS avoidable,
               argMinIf(found, (occurred_at, source, event_id), found != '') AS found_when,
               countIf(event_type = 'makegood.error.rejected.v1') = 0 AS is_founded
        FROM events
        WHERE event_type IN ('makegood.error.reported.v1', 'makegood.error.classified.v1', 'makegood.error.rejected.v1')
          AND (source, event_id) NOT IN voided
        GROUP BY error_id)
    SELECT e.order_id AS order_id, uniqExact(e.error_id) AS reports,
           uniqExactIf(e.error_id, c.is_founded AND c.kind NOT IN ('changed_mind')) AS founded
    FROM events AS e LEFT JOIN cases AS c ON c.error_id = e.error_id
    WHERE e.event_type = 'makegood.error.reported.v1' AND (e.source, e.event_id) NOT IN voided
    GROUP BY order_id)
    SELECT o.day AS day, o.store_id AS store_id, o.currency AS currency, o.promised AS is_promised, o.on_time AS is_on_time,
           o.in_full AS is_in_full, o.on_time AND o.in_full AND NOT o.damaged AND NOT o.documents_wrong AS is_kept,
           is_kept AND r.founded = 0 AS is_right, NOT is_kept AND r.reports = 0 AS is_silent
    FROM outcomes AS o LEFT JOIN reported AS r ON r.order_id = o.order_id
    WHERE o.day >= toDate(@from) AND o.day < toDate(@to))
WHERE (@store = '' OR store_id = @store) AND (@currency = '' OR currency IN ('', @currency));
-- with [{from 2026-01-01} {to 2026-02-01} {store } {currency USD}]

SELECT formatDateTime(booked_on, '%Y-%m') AS month, toDecimalString(-sum(sales), 4), toDecimalString(-sumIf(profit, stands), 4),
       uniqExactIf(order_id, stands), toDecimalString(sum(prevention), 4), toDecimalString(sum(appraisal), 4)
FROM (
    SELECT day AS booked_on, order_id,
           event_type = 'makegood.order.placed.v1' AND (source, event_id) NOT IN (SELECT voids_source, voids_id FROM voids FINAL WHERE refused = '') AS stands,
           arraySum(arrayMap((a, x) -> if(a = 4000, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, amount)) AS sales,
           arraySum(arrayMap((a, x) -> if((a >= 4000 AND a < 6000), CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, amount)) AS profit,
           arraySum(arrayMap((a, x) -> if(a = 6100, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, amount)) AS prevention,
           arraySum(arrayMap((a, x) -> if(a = 6110, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, amount)) AS appraisal
    FROM ledger FINAL
    WHERE (notEmpty(account) OR event_type = 'makegood.order.placed.v1') AND refused = '' AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND (@store = '' OR store_id = @store)
        AND currency = @currency AND true)
GROUP BY month WITH ROLLUP;
-- with [{from 2026-01-01} {to 2026-02-01} {store } {currency USD}]

SELECT formatDateTime(day, '%Y-%m') AS month,
       toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE')), 4), toDecimalString(sum(amount), 4),
       toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE') AND basis = 'IMPUTED'), 4),
       toDecimalString(sumIf(amount, founded AND avoidable = 'true'), 4),
       toDecimalString(sumIf(amount, founded AND avoidable != ''), 4),
       toDecimalString(sumIf(amount, error_id != ''), 4), groupUniqArrayIf(error_id, error_id != ''),
       toDecimalString(sumIf(amount, category = 'internal'), 4), toDecimalString(sumIf(amount, category = 'external'), 4)
FROM leakage_daily FINAL
WHERE kind NOT IN ('changed_mind') AND lines > 0 AND day >= toDate(@from) AND day < toDate(@to)
    AND (@store = '' OR store_id = @store) AND currency = @currency
GROUP BY month ORDER BY month;
-- with [{from 2026-01-01} {to 2026-02-01} {store } {currency USD}]

SELECT formatDateTime(day, '%Y-%m') AS month,
       toDecimalString(sum(arraySum(arrayMap((a, x) -> if(a = 6100, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, amount))), 4), toDecimalString(sum(arraySum(arrayMap((a, x) -> if(a = 6110, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, amount))), 4)
FROM ledger FINAL
WHERE order_id = '' AND refused = '' AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND (@store = '' OR store_id = @store) AND currency = @currency AND true
GROUP BY month;
-- with [{from 2026-01-01} {to 2026-02-01} {store } {currency USD}]

WITH events AS (
        SELECT * FROM failures FINAL WHERE refused = '' AND true
            AND error_id IN (SELECT error_id FROM ledger WHERE notEmpty(account) AND refused = '' AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND (@store = '' OR store_id = @store) AND currency = @currency AND true
    AND (error_id != '' OR arrayExists(e -> e != '', element)) AND error_id != '')),
    
    targets AS (SELECT voids_source, voids_id FROM events WHERE voids_id != ''),
    voided AS (SELECT voids_source, voids_id FROM events WHERE voids_id != '' AND (source, event_id) NOT IN targets),
    cases AS (
        SELECT error_id,
               if(countIf(kind != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(kind, (occurred_at, source, event_id), kind != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(kind, (occurred_at, source, event_id), kind != '')) AS kind, if(countIf(root_cause != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(root_cause, (occurred_at, source, event_id), root_cause != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(root_cause, (occurred_at, source, event_id), root_cause != '')) AS root_cause, if(countIf(party_at_fault != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(party_at_fault, (occurred_at, source, event_id), party_at_fault != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(party_at_fault, (occurred_at, source, event_id), party_at_fault != '')) AS party_at_fault,
               if(countIf(vendor_id != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(vendor_id, (occurred_at, source, event_id), vendor_id != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(vendor_id, (occurred_at, source, event_id), vendor_id != '')) AS vendor_id, if(countIf(employee_id != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(employee_id, (occurred_at, source, event_id), employee_id != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(employee_id, (occurred_at, source, event_id), employee_id != '')) AS employee_id, if(countIf(avoidable != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(avoidable, (occurred_at, source, event_id), avoidable != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(avoidable, (occurred_at, source, event_id), avoidable != '')) AS avoidable,
               argMinIf(found, (occurred_at, source, event_id), found != '') AS found_when,
               countIf(event_type = 'makegood.error.rejected.v1') = 0 AS is_founded
        FROM events
        WHERE event_type IN ('makegood.error.reported.v1', 'makegood.error.classified.v1', 'makegood.error.rejected.v1')
          AND (source, event_id) NOT IN voided
        GROUP BY error_id)
SELECT toDecimalString(sum(arraySum(arrayMap((a, x) -> if(a = 1010, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, amount))), 4), toDecimalString(-sum(arraySum(arrayMap((a, x) -> if((a >= 4000 AND a < 6000), CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, amount))), 4)
FROM ledger FINAL
WHERE notEmpty(account) AND refused = '' AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND (@store = '' OR store_id = @store) AND currency = @currency AND true
    AND (error_id != '' OR arrayExists(e -> e != '', element)) AND error_id NOT IN (SELECT error_id FROM cases WHERE kind IN ('changed_mind'));
-- with [{from 2026-01-01} {to 2026-02-01} {store } {currency USD}]

WITH firsts AS (
        SELECT customer_id, argMin((order_id, store_id, day), (occurred_at, source, event_id)) AS first, min(occurred_at) AS since,
               groupArray((occurred_at, order_id)) AS purchases
        FROM (
            SELECT customer_id, order_id, store_id, day, occurred_at, source, event_id
            FROM ledger
            PREWHERE customer_id IN (
                -- the one column that is read of all of history
                SELECT customer_id FROM ledger WHERE customer_id != '' AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND (@store = '' OR store_id = @store))
            WHERE event_type = 'makegood.order.placed.v1' AND (source, event_id) NOT IN (SELECT voids_source, voids_id FROM voids FINAL WHERE refused = '')
                AND true AND refused = '' AND (source, event_id, content) NOT IN (
    SELECT source, event_id, content FROM ledger FINAL
    WHERE order_id IN (SELECT order_id FROM failures WHERE refused != '') AND refused != ''))
        GROUP BY customer_id
        HAVING first.3 >= toDate(@from) AND first.3 < toDate(@to) AND (@store = '' OR first.2 = @store)),
    wrong AS (
    WITH events AS (
        SELECT * FROM failures FINAL WHERE refused = '' AND true AND error_id IN (
            SELECT error_id FROM failures
            WHERE order_id IN (
                    SELECT order_id FROM ledger WHERE event_type = 'makegood.order.placed.v1' AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND (@store = '' OR store_id = @store))
                AND event_type = 'makegood.error.reported.v1')),
        
    targets AS (SELECT voids_source, voids_id FROM events WHERE voids_id != ''),
    voided AS (SELECT voids_source, voids_id FROM events WHERE voids_id != '' AND (source, event_id) NOT IN targets),
    cases AS (
        SELECT error_id,
               if(countIf(kind != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(kind, (occurred_at, source, event_id), kind != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(kind, (occurred_at, source, event_id), kind != '')) AS kind, if(countIf(root_cause != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(root_cause, (occurred_at, source, event_id), root_cause != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(root_cause, (occurred_at, source, event_id), root_cause != '')) AS root_cause, if(countIf(party_at_fault != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(party_at_fault, (occurred_at, source, event_id), party_at_fault != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(party_at_fault, (occurred_at, source, event_id), party_at_fault != '')) AS party_at_fault,
               if(countIf(vendor_id != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(vendor_id, (occurred_at, source, event_id), vendor_id != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(vendor_id, (occurred_at, source, event_id), vendor_id != '')) AS vendor_id, if(countIf(employee_id != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(employee_id, (occurred_at, source, event_id), employee_id != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(employee_id, (occurred_at, source, event_id), employee_id != '')) AS employee_id, if(countIf(avoidable != '' AND event_type = 'makegood.error.classified.v1') > 0,
                  argMaxIf(avoidable, (occurred_at, source, event_id), avoidable != '' AND event_type = 'makegood.error.classified.v1'),
                  argMinIf(avoidable, (occurred_at, source, event_id), avoidable != '')) AS avoidable,
               argMinIf(found, (occurred_at, source, event_id), found != '') AS found_when,
               countIf(event_type = 'makegood.error.rejected.v1') = 0 AS is_founded
        FROM events
        WHERE event_type IN ('makegood.error.reported.v1', 'makegood.error.classified.v1', 'makegood.error.rejected.v1')
          AND (source, event_id) NOT IN voided
        GROUP BY error_id)
    SELECT e.order_id FROM events AS e INNER JOIN cases AS c ON c.error_id = e.error_id
    WHERE e.event_type = 'makegood.error.reported.v1' AND (e.source, e.event_id) NOT IN voided
        AND c.is_founded AND c.kind NOT IN ('changed_mind'))
SELECT first.1 IN (wrong) AS had_error, countIf(over30), countIf(over30 AND again30), countIf(over90), countIf(over90 AND again90)
FROM (
    SELECT first,
           since + INTERVAL 30 DAY <= toDateTime64(@known, 3, 'UTC') AS over30,
           arrayExists(p -> p.2 != first.1 AND p.1 <= since + INTERVAL 30 DAY, purchases) AS again30,
           since + INTERVAL 90 DAY <= toDateTime64(@known, 3, 'UTC') AS over90,
           arrayExists(p -> p.2 != first.1 AND p.1 <= since + INTERVAL 90 DAY, purchases) AS again90
    FROM firsts)
GROUP BY had_error;
-- with [{from 2026-01-01} {to 2026-02-01} {store } {currency USD} {known 2026-02-01 00:00:00.000}]

