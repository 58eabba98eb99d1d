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
    SELECT source, event_id, content FROM failures FINAL WHERE refused != '' OR standing IN ('double', 'waits', 'discarded', 'copied')) AND ('makegood.order.placed.v1' IN (event_type, voids_type)
            OR 'makegood.order.promise_changed.v1' IN (event_type, voids_type) OR 'makegood.order.delivered.v1' IN (event_type, voids_type))
        GROUP BY order_id)
    WHERE notEmpty(arrivals)),
        reported AS (
    WITH events AS (
        SELECT * FROM failures FINAL WHERE refused = '' AND true AND unit IN (SELECT order_id FROM ledger WHERE event_type = 'makegood.order.delivered.v1' AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND true)),
        
    cases AS (
        SELECT unit, fact AS error_id,
               argMax((f_kind, f_root_cause, f_party, f_vendor, f_employee, f_severity, f_avoidable, f_category,
                   f_founded, f_reported, f_same_as),
                      (epoch, occurred_at, source, event_id)) AS known,
               known.1 AS kind, known.2 AS root_cause, known.3 AS party_at_fault, known.4 AS vendor_id,
                   known.5 AS employee_id, known.6 AS severity,
               known.7 AS avoidable, known.8 AS category, known.9 AS founded, known.10 AS reported, known.11 AS same_as
        FROM events
        ARRAY JOIN fact_case AS fact, fact_kind AS f_kind, fact_root_cause AS f_root_cause, fact_party AS f_party,
            fact_vendor AS f_vendor,
                   fact_employee AS f_employee, fact_severity AS f_severity, fact_avoidable AS f_avoidable,
                       fact_category AS f_category,
                   fact_founded AS f_founded, fact_reported AS f_reported, fact_same_as AS f_same_as
        GROUP BY unit, error_id)
    SELECT unit AS order_id, count() AS reports, countIf(founded = 'yes') AS founded FROM cases GROUP BY order_id)
    SELECT o.day AS day, o.store_id AS store_id, o.currency AS currency, o.promised AS is_promised, o.on_time AS is_on_time,
           o.in_full AS is_in_full, o.on_time AND o.in_full AND NOT o.damaged AND NOT o.documents_wrong AS is_kept,
           is_kept AND r.founded = 0 AS is_right, NOT is_kept AND r.reports = 0 AS is_silent
    FROM outcomes AS o LEFT JOIN reported AS r ON r.order_id = o.order_id
    WHERE o.day >= toDate(@from) AND o.day < toDate(@to))
WHERE (@store = '' OR store_id = @store) AND (@currency = '' OR currency IN ('', @currency));
-- with [{from 2026-01-01} {to 2026-02-01} {store } {currency USD}]

WITH gone AS (SELECT order_id FROM ledger FINAL
    WHERE order_id IN (SELECT order_id FROM failures WHERE event_type = 'makegood.order.cancelled.v1')
        AND event_type = 'makegood.order.cancelled.v1' AND refused = '' AND standing = '' AND true
        AND JSONExtractString(payload, 'by') = 'customer' AND JSONLength(payload, 'lines') = 0 AND NOT has(flag_code, 'part_unknown'))
SELECT formatDateTime(booked_on, '%Y-%m') AS month, toDecimalString(-sum(sales), 4), toDecimalString(-sumIf(perfect, stays), 4),
       uniqExactIf(order_id, stands AND stays), toDecimalString(sum(prevention), 4), toDecimalString(sum(appraisal), 4)
FROM (
    SELECT day AS booked_on, order_id,
           order_id NOT IN gone AS stays,
           event_type = 'makegood.order.placed.v1' AND NOT standing IN ('double', 'waits', 'discarded', 'copied') AND (source, event_id) NOT IN (SELECT voids_source, voids_id FROM voids FINAL WHERE refused = '') AS stands,
           arraySum(arrayMap((a, x) -> if(a = 4000, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, amount)) AS sales,
           arraySum(arrayMap((a, s, x) -> if(s = 'perfect' AND (a >= 4000 AND a < 6000), CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, step, amount)) AS perfect,
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
       toDecimalString(sumIf(amount, founded = 'yes' AND avoidable = 'true'), 4),
       toDecimalString(sumIf(amount, founded = 'yes' AND avoidable != ''), 4),
       toDecimalString(sumIf(amount, error_id != ''), 4), groupUniqArrayIf(concat(unit, '\n', error_id), error_id != ''),
       toDecimalString(sumIf(amount, category = 'internal'), 4), toDecimalString(sumIf(amount, category = 'external'), 4)
FROM leakage_daily FINAL
WHERE part = 'leakage' AND lines > 0 AND day >= toDate(@from) AND day < toDate(@to)
    AND (@store = '' OR store_id = @store) AND currency = @currency
GROUP BY month ORDER BY month;
-- with [{from 2026-01-01} {to 2026-02-01} {store } {currency USD}]

SELECT formatDateTime(day, '%Y-%m') AS month,
       toDecimalString(sum(arraySum(arrayMap((a, x) -> if(a = 6100, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, amount))), 4), toDecimalString(sum(arraySum(arrayMap((a, x) -> if(a = 6110, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, amount))), 4)
FROM ledger FINAL
WHERE order_id = '' AND refused = '' AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND (@store = '' OR store_id = @store) AND currency = @currency AND true
GROUP BY month;
-- with [{from 2026-01-01} {to 2026-02-01} {store } {currency USD}]

WITH events AS (SELECT * FROM failures FINAL WHERE refused = '' AND true),
    
    cases AS (
        SELECT unit, fact AS error_id,
               argMax((f_kind, f_root_cause, f_party, f_vendor, f_employee, f_severity, f_avoidable, f_category,
                   f_founded, f_reported, f_same_as),
                      (epoch, occurred_at, source, event_id)) AS known,
               known.1 AS kind, known.2 AS root_cause, known.3 AS party_at_fault, known.4 AS vendor_id,
                   known.5 AS employee_id, known.6 AS severity,
               known.7 AS avoidable, known.8 AS category, known.9 AS founded, known.10 AS reported, known.11 AS same_as
        FROM events
        ARRAY JOIN fact_case AS fact, fact_kind AS f_kind, fact_root_cause AS f_root_cause, fact_party AS f_party,
            fact_vendor AS f_vendor,
                   fact_employee AS f_employee, fact_severity AS f_severity, fact_avoidable AS f_avoidable,
                       fact_category AS f_category,
                   fact_founded AS f_founded, fact_reported AS f_reported, fact_same_as AS f_same_as
        GROUP BY unit, error_id)
SELECT toDecimalString(sumIf(CAST(x AS Decimal(38, 4)), a = 1010), 4), toDecimalString(-sumIf(CAST(x AS Decimal(38, 4)), (a >= 4000 AND a < 6000)), 4)
FROM (
    SELECT unit, l_case, a, x
    FROM events
    ARRAY JOIN account AS a, amount AS x, line_case AS l_case, line_currency AS l_currency, line_store AS l_store
    WHERE occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND (@store = '' OR l_store = @store) AND l_currency = @currency
        AND (l_case != '' OR arrayExists(e -> e != '', element))) AS l
LEFT JOIN cases AS c ON c.unit = l.unit AND c.error_id = l.l_case
WHERE c.kind NOT IN ('changed_mind') AND c.founded != 'no';
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
    SELECT source, event_id, content FROM failures FINAL WHERE refused != '' OR standing IN ('double', 'waits', 'discarded', 'copied')))
        GROUP BY customer_id
        HAVING first.3 >= toDate(@from) AND first.3 < toDate(@to) AND (@store = '' OR first.2 = @store)),
    wrong AS (
    WITH events AS (
        SELECT * FROM failures FINAL WHERE refused = '' AND true AND unit IN (
            SELECT order_id FROM ledger WHERE event_type = 'makegood.order.placed.v1' AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND (@store = '' OR store_id = @store))),
        
    cases AS (
        SELECT unit, fact AS error_id,
               argMax((f_kind, f_root_cause, f_party, f_vendor, f_employee, f_severity, f_avoidable, f_category,
                   f_founded, f_reported, f_same_as),
                      (epoch, occurred_at, source, event_id)) AS known,
               known.1 AS kind, known.2 AS root_cause, known.3 AS party_at_fault, known.4 AS vendor_id,
                   known.5 AS employee_id, known.6 AS severity,
               known.7 AS avoidable, known.8 AS category, known.9 AS founded, known.10 AS reported, known.11 AS same_as
        FROM events
        ARRAY JOIN fact_case AS fact, fact_kind AS f_kind, fact_root_cause AS f_root_cause, fact_party AS f_party,
            fact_vendor AS f_vendor,
                   fact_employee AS f_employee, fact_severity AS f_severity, fact_avoidable AS f_avoidable,
                       fact_category AS f_category,
                   fact_founded AS f_founded, fact_reported AS f_reported, fact_same_as AS f_same_as
        GROUP BY unit, error_id)
    SELECT DISTINCT unit FROM cases WHERE founded = 'yes')
SELECT w.unit != '' AS had_error, countIf(over30), countIf(over30 AND again30), countIf(over90), countIf(over90 AND again90)
FROM (
    SELECT first.1 AS placed,
           since + INTERVAL 30 DAY <= toDateTime64(@known, 3, 'UTC') AS over30,
           arrayExists(p -> p.2 != first.1 AND p.1 <= since + INTERVAL 30 DAY, purchases) AS again30,
           since + INTERVAL 90 DAY <= toDateTime64(@known, 3, 'UTC') AS over90,
           arrayExists(p -> p.2 != first.1 AND p.1 <= since + INTERVAL 90 DAY, purchases) AS again90
    FROM firsts) AS f LEFT JOIN wrong AS w ON w.unit = f.placed
GROUP BY had_error;
-- with [{from 2026-01-01} {to 2026-02-01} {store } {currency USD} {known 2026-02-01 00:00:00.000}]

