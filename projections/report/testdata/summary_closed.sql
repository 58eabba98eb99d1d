SELECT arrayMap(c -> c.2, arraySort(groupArray((-toInt64(n), currency))))
FROM (
    SELECT l_currency AS currency, count() AS n FROM ledger FINAL ARRAY JOIN if(empty(line_currency), arrayWithConstant(length(account), toString(currency)), line_currency) AS l_currency, if(empty(line_store), arrayWithConstant(length(account), toString(store_id)), line_store) AS l_store
    WHERE refused = '' AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND greatest(day, posting_period) >= toDate(@from)
    AND greatest(day, posting_period) < toDate(@to) AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7)) AND (@store = '' OR l_store = @store)
    GROUP BY currency);
-- with [{from 2026-01-01} {to 2026-02-01} {store s1} {currency USD}]

SELECT count() AS delivered, countIf(is_promised) AS promised, countIf(is_on_time) AS on_time, countIf(is_in_full) AS in_full,
       countIf(is_kept) AS kept, countIf(is_right) AS right_first_time, countIf(is_silent) AS silent
FROM (
    WITH outcomes AS (
    SELECT order_id, arrayElement(arrivals, -1).4 AS day,
           if(notEmpty(orders), orders[1].4, arrivals[1].5) AS store_id,
           if(notEmpty(orders), orders[1].5, '') AS currency,
           until IS NOT NULL AS promised,
           until IS NULL OR arrayMax(arrayMap(d -> d.6, arrivals)) <= until AS on_time,
           arrayExists(d -> empty(d.7), arrivals) OR arrayAll(sku -> arraySum(arrayMap(c -> if(c.1 = sku, c.2, toDecimal128(0, 8)), came))
               >= arraySum(arrayMap(n -> if(n.1 = sku, n.2, toDecimal128(0, 8)), needed)), arrayDistinct(arrayMap(n -> n.1, needed))) AS in_full,
           arrayExists(d -> empty(d.7), arrivals) OR arrayAll(sku -> arraySum(arrayMap(c -> if(c.1 = sku, c.2, toDecimal128(0, 8)), came))
               >= arraySum(arrayMap(n -> if(n.1 = sku, n.2, toDecimal128(0, 8)), needed_still)), arrayDistinct(arrayMap(n -> n.1, needed_still))) AS known_full,
           arrayExists(d -> arrayExists(l -> l.3 = 'damaged', d.7), arrivals) AS damaged,
           arrayExists(d -> d.8 = 0, arrivals) AS documents_wrong
    FROM (
        SELECT order_id, orders, arrivals, until, came, arrayConcat(arrayFilter(w -> NOT has(kits.1, w.1), wanted),
               arrayFlatten(arrayMap(k -> arrayMap(c -> (c.1, CAST(toDecimal128OrZero(c.2, 4) * toDecimal128(greatest(toDecimal128(0, 8),
                   arraySum(arrayMap(w -> if(w.1 = k.1, w.2, toDecimal128(0, 8)), wanted)) - arraySum(arrayMap(c -> if(c.1 = k.1, c.2, toDecimal128(0, 8)), came))), 4) AS Decimal(38, 8))), k.2), kits))) AS needed, arrayConcat(arrayFilter(w -> NOT has(kits.1, w.1), left),
               arrayFlatten(arrayMap(k -> arrayMap(c -> (c.1, CAST(toDecimal128OrZero(c.2, 4) * toDecimal128(greatest(toDecimal128(0, 8),
                   arraySum(arrayMap(w -> if(w.1 = k.1, w.2, toDecimal128(0, 8)), left)) - arraySum(arrayMap(c -> if(c.1 = k.1, c.2, toDecimal128(0, 8)), came))), 4) AS Decimal(38, 8))), k.2), kits))) AS needed_still
        FROM (
            SELECT order_id, orders, arrivals, until, came, kits,
                   if(arrayExists(c -> c.7 = 'whole', wishes), [], arrayMap(of_sku -> (of_sku, greatest(toDecimal128(0, 8), arraySum(arrayMap(l -> if(l.2 != of_sku, toDecimal128(0, 8),
                   greatest(toDecimal128(0, 8), l.3 - arraySum(arrayMap(r -> if(r.1 = l.1, toDecimal128OrZero(r.3, 8), toDecimal128(0, 8)), given_up)))),
                   lines)) - arraySum(arrayMap(r -> if(r.1 = '' AND r.2 = of_sku, toDecimal128OrZero(r.3, 8), toDecimal128(0, 8)), given_up)))),
               arrayDistinct(arrayMap(l -> l.2, lines)))) AS wanted,
                   if(arrayExists(c -> c.7 != 'lines', edits), [], arrayMap(of_sku -> (of_sku, greatest(toDecimal128(0, 8), arraySum(arrayMap(l -> if(l.2 != of_sku, toDecimal128(0, 8),
                   greatest(toDecimal128(0, 8), l.3 - arraySum(arrayMap(r -> if(r.1 = l.1, toDecimal128OrZero(r.3, 8), toDecimal128(0, 8)), taken_off)))),
                   lines)) - arraySum(arrayMap(r -> if(r.1 = '' AND r.2 = of_sku, toDecimal128OrZero(r.3, 8), toDecimal128(0, 8)), taken_off)))),
               arrayDistinct(arrayMap(l -> l.2, lines)))) AS left
            FROM (
                SELECT order_id, orders, edits, arrivals, until, wishes, arrayMap(of -> (of.1, of.2, arraySum(arrayMap(l -> if((l.1, l.2) = of, toDecimal128OrZero(l.4, 8), toDecimal128(0, 8)), goods))),
               arrayDistinct(arrayMap(l -> (l.1, l.2), goods))) AS lines,
                       arrayDistinct(arrayMap(l -> (l.2, l.5), arrayFilter(l -> notEmpty(l.5), goods))) AS kits,
                       arrayFlatten(arrayMap(c -> c.6, wishes)) AS given_up,
                       arrayFlatten(arrayMap(c -> c.6, edits)) AS taken_off,
                       arrayMap(l -> (l.1, toDecimal128OrZero(l.2, 8)), arrayFlatten(arrayMap(d -> d.7, arrivals))) AS came
                FROM (
                    SELECT order_id, orders, edits, arrivals, arrayElement(agreed, -1).4 AS until, arrayFilter(c -> c.4 = 'customer', edits) AS wishes,
                           arrayFilter(l -> l.3 IN ('', 'goods'), arrayConcat(arrayFlatten(arrayMap(o -> o.6, orders)), arrayFlatten(arrayMap(c -> c.5, edits)))) AS goods
                    FROM (
                        SELECT order_id, arrayFilter((e, i) -> i = 1 OR (e.2, e.3) != (placed[i - 1].2, placed[i - 1].3), placed, arrayEnumerate(placed)) AS orders, arrayFilter((e, i) -> i = 1 OR (e.2, e.3) != (promises[i - 1].2, promises[i - 1].3), promises, arrayEnumerate(promises)) AS agreed,
                               arrayFilter((e, i) -> i = 1 OR (e.2, e.3) != (edited[i - 1].2, edited[i - 1].3), edited, arrayEnumerate(edited)) AS edits, arrayFilter((e, i) -> i = 1 OR (e.2, e.3) != (deliveries[i - 1].2, deliveries[i - 1].3), deliveries, arrayEnumerate(deliveries)) AS arrivals
                        FROM (
                            SELECT order_id,
                                   arraySort(groupArrayIf((occurred_at, source, event_id, store_id, currency, JSONExtract(payload, 'lines', 'Array(Tuple(line_id String, sku String, kind String, quantity String, components Array(Tuple(sku String, quantity String))))')),
                                       event_type = 'makegood.order.placed.v1')) AS placed,
                                   arraySort(groupArrayIf((occurred_at, source, event_id, parseDateTime64BestEffortOrNull(upper(JSONExtractString(payload, 'promise', 'until')), 6, 'UTC')),
                                       event_type = 'makegood.order.placed.v1'
                                       OR event_type = 'makegood.order.promise_changed.v1' AND JSONExtractBool(payload, 'agreed_with_customer')
                                       OR event_type = 'makegood.order.changed.v1' AND JSONExtractString(payload, 'by') = 'customer' AND JSONHas(payload, 'promise'))) AS promises,
                                   arraySort(groupArrayIf((occurred_at, source, event_id, JSONExtractString(payload, 'by'),
                   JSONExtract(payload, 'lines_added', 'Array(Tuple(line_id String, sku String, kind String, quantity String, components Array(Tuple(sku String, quantity String))))'),
                   JSONExtract(payload, if(event_type = 'makegood.order.cancelled.v1', 'lines', 'lines_removed'),
                       'Array(Tuple(line_id String, sku String, quantity String))'),
                   multiIf(event_type = 'makegood.order.changed.v1' OR JSONLength(payload, 'lines') > 0, 'lines',
                       (source, event_id) IN (SELECT source, event_id FROM failures FINAL WHERE has(flag_code, 'part_unknown')), 'part', 'whole')), event_type IN ('makegood.order.changed.v1', 'makegood.order.cancelled.v1'))) AS edited,
                                   arraySort(groupArrayIf((occurred_at, source, event_id, day, store_id,
                                       coalesce(parseDateTime64BestEffortOrNull(upper(JSONExtractString(payload, 'delivered_at')), 6, 'UTC'), occurred_at), JSONExtract(payload, 'lines', 'Array(Tuple(sku String, quantity String, condition String))'),
                                       JSONExtract(payload, 'documents_ok', 'Nullable(Bool)')), event_type = 'makegood.order.delivered.v1')) AS deliveries
                            FROM ledger
                            PREWHERE order_id IN (SELECT order_id FROM ledger WHERE event_type = 'makegood.order.delivered.v1' AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7))) -- the one column that is read of all of history
                            WHERE ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7)) AND refused = '' AND (source, event_id, content) NOT IN (
    SELECT source, event_id, content FROM failures FINAL WHERE refused != '' OR standing IN ('double', 'waits', 'discarded', 'copied', 'voided'))
                                AND event_type IN ('makegood.order.placed.v1', 'makegood.order.promise_changed.v1', 'makegood.order.changed.v1', 'makegood.order.cancelled.v1', 'makegood.order.delivered.v1')
                            GROUP BY order_id))))))
    WHERE notEmpty(arrivals)),
        reported AS (
    WITH events AS (
        SELECT * FROM failures FINAL
        PREWHERE (unit IN (SELECT order_id FROM ledger WHERE event_type = 'makegood.order.delivered.v1' AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7))) OR unit IN (SELECT order_id FROM case_units WHERE order_id != '' AND error_id IN (
    SELECT error_id FROM case_units WHERE order_id != '' GROUP BY error_id HAVING uniqExact(order_id) > 1)))
        WHERE refused = '' AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7))),
        
    cases AS (
        SELECT if(f_order != '', f_order, of_unit) AS unit, fact AS error_id,
               argMax((f_kind, f_root_cause, f_party, f_vendor, f_employee, f_severity, f_avoidable, f_category, f_founded, f_reported, f_same_as),
                      (epoch, occurred_at, source, event_id)) AS known,
               known.1 AS kind, known.2 AS root_cause, known.3 AS party_at_fault, known.4 AS vendor_id, known.5 AS employee_id, known.6 AS severity,
               known.7 AS avoidable, known.8 AS category, known.9 AS was_founded, known.10 AS reported, known.11 AS same_as,
               known.10 = 'gone' AS gone, if(gone, '', was_founded) AS founded
        FROM (SELECT * EXCEPT unit, unit AS of_unit FROM events)
        ARRAY JOIN fact_case AS fact, fact_kind AS f_kind, fact_root_cause AS f_root_cause, fact_party AS f_party, fact_vendor AS f_vendor,
                   fact_employee AS f_employee, fact_severity AS f_severity, fact_avoidable AS f_avoidable, fact_category AS f_category,
                   fact_founded AS f_founded, fact_reported AS f_reported, fact_same_as AS f_same_as, fact_order AS f_order
        GROUP BY unit, error_id)
    SELECT unit AS order_id, countIf(NOT gone) AS reports, countIf(founded = 'yes') AS wrong,
           countIf(founded = 'yes' AND category != 'internal' AND kind IN ('missing_item', 'not_delivered')) AS not_in_full,
           countIf(founded = 'yes' AND category != 'internal' AND kind IN ('damaged', 'defective')) AS damaged,
           countIf(founded = 'yes' AND category != 'internal' AND kind IN ('wrong_item', 'not_as_described', 'over_shipped')) AS not_right
    FROM cases GROUP BY order_id)
    SELECT o.order_id AS order_id, o.day AS day, o.store_id AS store_id, o.currency AS currency, o.promised AS is_promised, o.promised AND o.on_time AS is_on_time,
           o.in_full AND r.not_in_full = 0 AS is_in_full,
           o.on_time AND is_in_full AND NOT o.damaged AND NOT o.documents_wrong AND r.damaged = 0 AND r.not_right = 0 AS is_kept,
           is_kept AND r.wrong = 0 AS is_right,
           r.reports = 0 AND NOT (o.on_time AND (o.in_full OR o.known_full) AND NOT o.damaged AND NOT o.documents_wrong) AS is_silent
    FROM outcomes AS o LEFT JOIN reported AS r ON r.order_id = o.order_id
    WHERE o.day >= toDate(@from) AND o.day < toDate(@to))
WHERE (@store = '' OR store_id = @store) AND (@currency = '' OR currency IN ('', @currency));
-- with [{from 2026-01-01} {to 2026-02-01} {store s1} {currency USD}]

SELECT count() AS promised, countIf(done > 0 AND done_at <= given.1) AS kept
FROM (
    SELECT unit, redelivery_id, argMaxIf((assumeNotNull(until), day, store_id, currency), (occurred_at, source, event_id), until IS NOT NULL) AS given,
           countIf(until IS NOT NULL) AS promises, countIf(succeeded) AS done, minIf(occurred_at, succeeded) AS done_at
    FROM (
        SELECT multiIf(settled_with != '', settled_with, order_id != '', order_id, error_id) AS unit, JSONExtractString(payload, 'redelivery_id') AS redelivery_id,
               occurred_at, source, event_id, day, store_id, currency,
               parseDateTime64BestEffortOrNull(upper(JSONExtractString(payload, 'promise', 'until')), 6, 'UTC') AS until,
               event_type = 'makegood.redelivery.completed.v1' AND JSONExtractBool(payload, 'succeeded') AS succeeded
        FROM ledger FINAL
        PREWHERE event_type IN ('makegood.redelivery.dispatched.v1', 'makegood.redelivery.completed.v1') AND (order_id, source, event_id) IN (
                SELECT order_id, source, event_id FROM failures WHERE event_type IN ('makegood.redelivery.dispatched.v1', 'makegood.redelivery.completed.v1')
                    AND unit IN (SELECT unit FROM failures WHERE event_type = 'makegood.redelivery.dispatched.v1' AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7))))
        WHERE refused = '' AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7)) AND NOT standing IN ('double', 'waits', 'discarded', 'copied', 'voided'))
    GROUP BY unit, redelivery_id)
WHERE promises > 0 AND given.2 >= toDate(@from) AND given.2 < toDate(@to) AND (@store = '' OR given.3 = @store) AND (@currency = '' OR given.4 = @currency);
-- with [{from 2026-01-01} {to 2026-02-01} {store s1} {currency USD}]

WITH in_question AS (
        SELECT arrayJoin(arrayConcat([order_id], if(empty(line_order), arrayWithConstant(length(account), multiIf(settled_with != '', settled_with, order_id != '', order_id, error_id)), arrayMap(o -> if(o != '', o, multiIf(settled_with != '', settled_with, order_id != '', order_id, error_id)), line_order)))) FROM ledger FINAL
        WHERE (notEmpty(account) OR event_type = 'makegood.order.placed.v1') AND refused = '' AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND greatest(day, posting_period) >= toDate(@from)
    AND greatest(day, posting_period) < toDate(@to) AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7))),
    gone AS (SELECT order_id FROM (
        SELECT order_id, wishes, given_up, arrayMap(of_sku -> (of_sku, greatest(toDecimal128(0, 8), arraySum(arrayMap(l -> if(l.2 != of_sku, toDecimal128(0, 8),
                   greatest(toDecimal128(0, 8), l.3 - arraySum(arrayMap(r -> if(r.1 = l.1, toDecimal128OrZero(r.3, 8), toDecimal128(0, 8)), given_up)))),
                   lines)) - arraySum(arrayMap(r -> if(r.1 = '' AND r.2 = of_sku, toDecimal128OrZero(r.3, 8), toDecimal128(0, 8)), given_up)))),
               arrayDistinct(arrayMap(l -> l.2, lines))) AS wanted
        FROM (
            SELECT order_id, wishes, arrayFlatten(arrayMap(c -> c.6, wishes)) AS given_up, arrayMap(of -> (of.1, of.2, arraySum(arrayMap(l -> if((l.1, l.2) = of, toDecimal128OrZero(l.4, 8), toDecimal128(0, 8)), ordered))),
               arrayDistinct(arrayMap(l -> (l.1, l.2), ordered))) AS lines
            FROM (
                SELECT order_id, arrayFilter(c -> c.4 = 'customer', edits) AS wishes,
                       arrayConcat(placed, arrayFlatten(arrayMap(c -> c.5, edits))) AS ordered
                FROM (
                    SELECT order_id, groupUniqArrayIf((occurred_at, source, event_id, JSONExtractString(payload, 'by'),
                   JSONExtract(payload, 'lines_added', 'Array(Tuple(line_id String, sku String, kind String, quantity String, components Array(Tuple(sku String, quantity String))))'),
                   JSONExtract(payload, if(event_type = 'makegood.order.cancelled.v1', 'lines', 'lines_removed'),
                       'Array(Tuple(line_id String, sku String, quantity String))'),
                   multiIf(event_type = 'makegood.order.changed.v1' OR JSONLength(payload, 'lines') > 0, 'lines',
                       (source, event_id) IN (SELECT source, event_id FROM failures FINAL WHERE has(flag_code, 'part_unknown')), 'part', 'whole')), event_type IN ('makegood.order.changed.v1', 'makegood.order.cancelled.v1')) AS edits,
                           groupArrayArrayIf(JSONExtract(payload, 'lines', 'Array(Tuple(line_id String, sku String, kind String, quantity String, components Array(Tuple(sku String, quantity String))))'), event_type = 'makegood.order.placed.v1') AS placed
                    FROM ledger FINAL
                    PREWHERE event_type IN ('makegood.order.placed.v1', 'makegood.order.changed.v1', 'makegood.order.cancelled.v1') AND order_id IN (
                        SELECT order_id FROM failures WHERE event_type IN ('makegood.order.changed.v1', 'makegood.order.cancelled.v1') AND order_id IN in_question)
                    WHERE refused = '' AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7)) AND NOT standing IN ('double', 'waits', 'discarded', 'copied', 'voided')
                    GROUP BY order_id))))
    WHERE arrayExists(c -> c.7 = 'whole', wishes) OR notEmpty(given_up) AND notEmpty(wanted) AND arrayAll(w -> w.2 = 0, wanted))
SELECT formatDateTime(booked_on, '%Y-%m') AS month, toDecimalString(-sum(sales), 4), toDecimalString(-sum(perfect), 4),
       uniqExactIf(order_id, stands AND stays), toDecimalString(sum(prevention), 4), toDecimalString(sum(appraisal), 4)
FROM (
    SELECT greatest(day, posting_period) AS booked_on, order_id,
           order_id NOT IN gone AS stays,
           event_type = 'makegood.order.placed.v1' AND currency = @currency AND (@store = '' OR store_id = @store) AND NOT standing IN ('double', 'waits', 'discarded', 'copied', 'voided') AS stands,
           arrayMap((c, t) -> c = @currency AND (@store = '' OR t = @store), if(empty(line_currency), arrayWithConstant(length(account), toString(currency)), line_currency), if(empty(line_store), arrayWithConstant(length(account), toString(store_id)), line_store)) AS own,
           -- A decision, or an event of an order that names the same case, may hold lines of this one.
           arrayMap(o -> o NOT IN gone, if(empty(line_order), arrayWithConstant(length(account), multiIf(settled_with != '', settled_with, order_id != '', order_id, error_id)), arrayMap(o -> if(o != '', o, multiIf(settled_with != '', settled_with, order_id != '', order_id, error_id)), line_order))) AS remains,
           arraySum(arrayMap((a, o, x) -> if(o AND a = 4000, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, own, amount)) AS sales,
           arraySum(arrayMap((a, s, o, r, x) -> if(o AND r AND s = 'perfect' AND (a >= 4000 AND a < 6000), CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, step, own, remains, amount)) AS perfect,
           arraySum(arrayMap((a, o, x) -> if(o AND a = 6100, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, own, amount)) AS prevention,
           arraySum(arrayMap((a, o, x) -> if(o AND a = 6110, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, own, amount)) AS appraisal
    FROM ledger FINAL
    WHERE (notEmpty(account) OR event_type = 'makegood.order.placed.v1') AND refused = '' AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND greatest(day, posting_period) >= toDate(@from)
    AND greatest(day, posting_period) < toDate(@to) AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7)))
GROUP BY month WITH ROLLUP;
-- with [{from 2026-01-01} {to 2026-02-01} {store s1} {currency USD}]

SELECT toDecimalString(sumIf(amount, part = 'changed_mind'), 4), toDecimalString(sumIf(amount, part = 'unfounded'), 4),
       toDecimalString(-sumIf(amount, part = 'customer_changes'), 4)
FROM (    WITH events AS (SELECT * FROM failures FINAL WHERE refused = '' AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7))),
    cases AS (
        SELECT if(f_order != '', f_order, of_unit) AS unit, fact AS error_id,
               argMax((f_kind, f_root_cause, f_party, f_vendor, f_employee, f_severity, f_avoidable, f_category, f_founded, f_reported, f_same_as),
                      (epoch, occurred_at, source, event_id)) AS known,
               known.1 AS kind, known.2 AS root_cause, known.3 AS party_at_fault, known.4 AS vendor_id, known.5 AS employee_id, known.6 AS severity,
               known.7 AS avoidable, known.8 AS category, known.9 AS was_founded, known.10 AS reported, known.11 AS same_as,
               known.10 = 'gone' AS gone, if(gone, '', was_founded) AS founded
        FROM (SELECT * EXCEPT unit, unit AS of_unit FROM events)
        ARRAY JOIN fact_case AS fact, fact_kind AS f_kind, fact_root_cause AS f_root_cause, fact_party AS f_party, fact_vendor AS f_vendor,
                   fact_employee AS f_employee, fact_severity AS f_severity, fact_avoidable AS f_avoidable, fact_category AS f_category,
                   fact_founded AS f_founded, fact_reported AS f_reported, fact_same_as AS f_same_as, fact_order AS f_order
        GROUP BY unit, error_id),
    sold AS (
        SELECT unit, max(order_id) AS of_order,
               -- What a close saw doesn't know what came later: the last row that may know says who sold the order.
               argMaxIf(sold_by, (epoch, occurred_at, source, event_id), sold_by != '' OR NOT (error_id = '' AND event_type IN ('makegood.order.placed.v1', 'makegood.order.promise_changed.v1', 'makegood.order.delivered.v1', 'makegood.feedback.received.v1', 'makegood.claim.filed.v1', 'makegood.rate.set.v1', 'makegood.quality.spent.v1', 'makegood.period.closed.v1', 'makegood.period.reopened.v1', 'makegood.deadletter.replayed.v1', 'makegood.deadletter.discarded.v1', 'makegood.books.rebuilt.v1', 'makegood.books.sealed.v1', 'makegood.person.erased.v1', 'makegood.vendor.terms.v1'))) AS by_store
        FROM events GROUP BY unit),
    lines AS (
        SELECT if(l_order != '', l_order, e.unit) AS of_unit, e.day AS on_day, greatest(e.day, e.posting_period) AS posted_on,
               l_currency, l_store, l_case, l_account, toString(l_element) AS l_of, toString(l_basis) AS l_on, l_amount
        FROM events AS e
        ARRAY JOIN e.account AS l_account, e.element AS l_element, e.basis AS l_basis, e.amount AS l_amount, e.step AS l_step,
                   e.line_case AS l_case, e.line_currency AS l_currency, e.line_store AS l_store,
                   e.line_order AS l_order
        WHERE l_element != '' OR l_step = 'change' AND (l_account >= 4000 AND l_account < 6000))
    SELECT l.of_unit AS unit, l.on_day AS day, l.posted_on AS posting_day, l_currency AS currency, l_store AS store_id,
           any(s.by_store) AS selling_store, l_case AS error_id, any(s.of_order) AS order_id, l_account AS account, l_of AS element, l_on AS basis,
           any(c.vendor_id) AS vendor_id, any(c.kind) AS kind, any(c.root_cause) AS root_cause, any(c.party_at_fault) AS party_at_fault,
           any(c.employee_id) AS employee_id, any(c.avoidable) AS avoidable, if(any(c.category) = '', 'external', any(c.category)) AS category,
           any(c.founded) AS founded, multiIf(element = '', 'customer_changes', kind IN ('changed_mind'), 'changed_mind', any(c.was_founded) = 'no', 'unfounded', 'leakage') AS part,
           sum(CAST(l_amount AS Decimal(38, 4))) AS amount, countIf(l_amount != 0) AS lines
    FROM lines AS l
    LEFT JOIN cases AS c ON c.unit = l.of_unit AND c.error_id = l.l_case
    LEFT JOIN sold AS s ON s.unit = l.of_unit
    GROUP BY unit, day, posting_day, currency, store_id, error_id, account, element, basis)
WHERE part != 'leakage' AND lines > 0 AND posting_day >= toDate(@from) AND posting_day < toDate(@to)
    AND (@store = '' OR store_id = @store) AND currency = @currency;
-- with [{from 2026-01-01} {to 2026-02-01} {store s1} {currency USD}]

SELECT formatDateTime(posting_day, '%Y-%m') AS month,
       toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE')), 4), toDecimalString(sum(amount), 4),
       toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE') AND basis = 'IMPUTED'), 4),
       toDecimalString(sumIf(amount, founded = 'yes' AND avoidable = 'true'), 4),
       toDecimalString(sumIf(amount, founded = 'yes' AND avoidable != ''), 4),
       toDecimalString(sumIf(amount, founded = 'yes' AND avoidable = ''), 4),
       toDecimalString(sumIf(amount, founded = 'yes'), 4), groupUniqArrayIf(concat(unit, '\n', error_id), founded = 'yes'),
       toDecimalString(sumIf(amount, category = 'internal'), 4), toDecimalString(sumIf(amount, category = 'external'), 4)
FROM (    WITH events AS (SELECT * FROM failures FINAL WHERE refused = '' AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7))),
    cases AS (
        SELECT if(f_order != '', f_order, of_unit) AS unit, fact AS error_id,
               argMax((f_kind, f_root_cause, f_party, f_vendor, f_employee, f_severity, f_avoidable, f_category, f_founded, f_reported, f_same_as),
                      (epoch, occurred_at, source, event_id)) AS known,
               known.1 AS kind, known.2 AS root_cause, known.3 AS party_at_fault, known.4 AS vendor_id, known.5 AS employee_id, known.6 AS severity,
               known.7 AS avoidable, known.8 AS category, known.9 AS was_founded, known.10 AS reported, known.11 AS same_as,
               known.10 = 'gone' AS gone, if(gone, '', was_founded) AS founded
        FROM (SELECT * EXCEPT unit, unit AS of_unit FROM events)
        ARRAY JOIN fact_case AS fact, fact_kind AS f_kind, fact_root_cause AS f_root_cause, fact_party AS f_party, fact_vendor AS f_vendor,
                   fact_employee AS f_employee, fact_severity AS f_severity, fact_avoidable AS f_avoidable, fact_category AS f_category,
                   fact_founded AS f_founded, fact_reported AS f_reported, fact_same_as AS f_same_as, fact_order AS f_order
        GROUP BY unit, error_id),
    sold AS (
        SELECT unit, max(order_id) AS of_order,
               -- What a close saw doesn't know what came later: the last row that may know says who sold the order.
               argMaxIf(sold_by, (epoch, occurred_at, source, event_id), sold_by != '' OR NOT (error_id = '' AND event_type IN ('makegood.order.placed.v1', 'makegood.order.promise_changed.v1', 'makegood.order.delivered.v1', 'makegood.feedback.received.v1', 'makegood.claim.filed.v1', 'makegood.rate.set.v1', 'makegood.quality.spent.v1', 'makegood.period.closed.v1', 'makegood.period.reopened.v1', 'makegood.deadletter.replayed.v1', 'makegood.deadletter.discarded.v1', 'makegood.books.rebuilt.v1', 'makegood.books.sealed.v1', 'makegood.person.erased.v1', 'makegood.vendor.terms.v1'))) AS by_store
        FROM events GROUP BY unit),
    lines AS (
        SELECT if(l_order != '', l_order, e.unit) AS of_unit, e.day AS on_day, greatest(e.day, e.posting_period) AS posted_on,
               l_currency, l_store, l_case, l_account, toString(l_element) AS l_of, toString(l_basis) AS l_on, l_amount
        FROM events AS e
        ARRAY JOIN e.account AS l_account, e.element AS l_element, e.basis AS l_basis, e.amount AS l_amount, e.step AS l_step,
                   e.line_case AS l_case, e.line_currency AS l_currency, e.line_store AS l_store,
                   e.line_order AS l_order
        WHERE l_element != '' OR l_step = 'change' AND (l_account >= 4000 AND l_account < 6000))
    SELECT l.of_unit AS unit, l.on_day AS day, l.posted_on AS posting_day, l_currency AS currency, l_store AS store_id,
           any(s.by_store) AS selling_store, l_case AS error_id, any(s.of_order) AS order_id, l_account AS account, l_of AS element, l_on AS basis,
           any(c.vendor_id) AS vendor_id, any(c.kind) AS kind, any(c.root_cause) AS root_cause, any(c.party_at_fault) AS party_at_fault,
           any(c.employee_id) AS employee_id, any(c.avoidable) AS avoidable, if(any(c.category) = '', 'external', any(c.category)) AS category,
           any(c.founded) AS founded, multiIf(element = '', 'customer_changes', kind IN ('changed_mind'), 'changed_mind', any(c.was_founded) = 'no', 'unfounded', 'leakage') AS part,
           sum(CAST(l_amount AS Decimal(38, 4))) AS amount, countIf(l_amount != 0) AS lines
    FROM lines AS l
    LEFT JOIN cases AS c ON c.unit = l.of_unit AND c.error_id = l.l_case
    LEFT JOIN sold AS s ON s.unit = l.of_unit
    GROUP BY unit, day, posting_day, currency, store_id, error_id, account, element, basis)
WHERE part = 'leakage' AND lines > 0 AND posting_day >= toDate(@from) AND posting_day < toDate(@to)
    AND (@store = '' OR store_id = @store) AND currency = @currency
GROUP BY month ORDER BY month;
-- with [{from 2026-01-01} {to 2026-02-01} {store s1} {currency USD}]

SELECT formatDateTime(greatest(day, posting_period), '%Y-%m') AS month,
       toDecimalString(sum(arraySum(arrayMap((a, x) -> if(a = 6100, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, amount))), 4), toDecimalString(sum(arraySum(arrayMap((a, x) -> if(a = 6110, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), account, amount))), 4)
FROM ledger FINAL
PREWHERE order_id = ''
WHERE refused = '' AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND greatest(day, posting_period) >= toDate(@from)
    AND greatest(day, posting_period) < toDate(@to) AND (@store = '' OR store_id = @store) AND currency = @currency AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7))
GROUP BY month;
-- with [{from 2026-01-01} {to 2026-02-01} {store s1} {currency USD}]

WITH events AS (
        SELECT * FROM failures FINAL
        PREWHERE (unit IN (SELECT arrayJoin(arrayConcat([unit], line_order)) FROM failures FINAL WHERE occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND greatest(day, posting_period) >= toDate(@from)
    AND greatest(day, posting_period) < toDate(@to)) OR unit IN (SELECT order_id FROM case_units WHERE order_id != '' AND error_id IN (
    SELECT error_id FROM case_units WHERE order_id != '' GROUP BY error_id HAVING uniqExact(order_id) > 1)))
        WHERE refused = '' AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7))),
    
    cases AS (
        SELECT if(f_order != '', f_order, of_unit) AS unit, fact AS error_id,
               argMax((f_kind, f_root_cause, f_party, f_vendor, f_employee, f_severity, f_avoidable, f_category, f_founded, f_reported, f_same_as),
                      (epoch, occurred_at, source, event_id)) AS known,
               known.1 AS kind, known.2 AS root_cause, known.3 AS party_at_fault, known.4 AS vendor_id, known.5 AS employee_id, known.6 AS severity,
               known.7 AS avoidable, known.8 AS category, known.9 AS was_founded, known.10 AS reported, known.11 AS same_as,
               known.10 = 'gone' AS gone, if(gone, '', was_founded) AS founded
        FROM (SELECT * EXCEPT unit, unit AS of_unit FROM events)
        ARRAY JOIN fact_case AS fact, fact_kind AS f_kind, fact_root_cause AS f_root_cause, fact_party AS f_party, fact_vendor AS f_vendor,
                   fact_employee AS f_employee, fact_severity AS f_severity, fact_avoidable AS f_avoidable, fact_category AS f_category,
                   fact_founded AS f_founded, fact_reported AS f_reported, fact_same_as AS f_same_as, fact_order AS f_order
        GROUP BY unit, error_id)
SELECT toDecimalString(sumIf(CAST(x AS Decimal(38, 4)), a = 1010), 4), toDecimalString(-sumIf(CAST(x AS Decimal(38, 4)), (a >= 4000 AND a < 6000)), 4)
FROM (
    -- An entry may hold what a customer changed and what the business changed: one with failure cost is the business's.
    SELECT if(l_order != '', l_order, e.unit) AS unit, l_case, a, x
    FROM events AS e
    ARRAY JOIN account AS a, amount AS x, step AS s, line_case AS l_case, line_currency AS l_currency, line_store AS l_store, line_order AS l_order
    WHERE occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND greatest(day, posting_period) >= toDate(@from)
    AND greatest(day, posting_period) < toDate(@to) AND (@store = '' OR l_store = @store) AND l_currency = @currency
        AND (s = 'fix' OR s = 'change' AND arrayExists((e, t) -> e != '' AND t = 'change', element, step))) AS l
LEFT JOIN cases AS c ON c.unit = l.unit AND c.error_id = l.l_case
WHERE c.kind NOT IN ('changed_mind') AND c.was_founded != 'no';
-- with [{from 2026-01-01} {to 2026-02-01} {store s1} {currency USD}]

WITH firsts AS (
        SELECT customer_id, argMin((order_id, store_id, day), (occurred_at, source, event_id)) AS first, min(occurred_at) AS since,
               groupArray((occurred_at, order_id, day)) AS purchases
        FROM (
            SELECT customer_id, order_id, store_id, day, occurred_at, source, event_id
            FROM ledger
            PREWHERE customer_id IN (
                -- the one column that is read of all of history
                SELECT customer_id FROM ledger WHERE customer_id != '' AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND (@store = '' OR store_id = @store))
            WHERE event_type = 'makegood.order.placed.v1' AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7)) AND refused = '' AND (source, event_id, content) NOT IN (
    SELECT source, event_id, content FROM failures FINAL WHERE refused != '' OR standing IN ('double', 'waits', 'discarded', 'copied', 'voided')))
        GROUP BY customer_id
        HAVING first.3 >= toDate(@from) AND first.3 < toDate(@to) AND (@store = '' OR first.2 = @store)),
    wrong AS (
    WITH events AS (
        SELECT * FROM failures FINAL
        PREWHERE unit IN (
            SELECT order_id FROM ledger WHERE event_type = 'makegood.order.placed.v1' AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to) AND (@store = '' OR store_id = @store)
            UNION ALL SELECT order_id FROM case_units WHERE order_id != '' AND error_id IN (
    SELECT error_id FROM case_units WHERE order_id != '' GROUP BY error_id HAVING uniqExact(order_id) > 1))
        WHERE refused = '' AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7))),
        
    cases AS (
        SELECT if(f_order != '', f_order, of_unit) AS unit, fact AS error_id,
               argMax((f_kind, f_root_cause, f_party, f_vendor, f_employee, f_severity, f_avoidable, f_category, f_founded, f_reported, f_same_as),
                      (epoch, occurred_at, source, event_id)) AS known,
               known.1 AS kind, known.2 AS root_cause, known.3 AS party_at_fault, known.4 AS vendor_id, known.5 AS employee_id, known.6 AS severity,
               known.7 AS avoidable, known.8 AS category, known.9 AS was_founded, known.10 AS reported, known.11 AS same_as,
               known.10 = 'gone' AS gone, if(gone, '', was_founded) AS founded
        FROM (SELECT * EXCEPT unit, unit AS of_unit FROM events)
        ARRAY JOIN fact_case AS fact, fact_kind AS f_kind, fact_root_cause AS f_root_cause, fact_party AS f_party, fact_vendor AS f_vendor,
                   fact_employee AS f_employee, fact_severity AS f_severity, fact_avoidable AS f_avoidable, fact_category AS f_category,
                   fact_founded AS f_founded, fact_reported AS f_reported, fact_same_as AS f_same_as, fact_order AS f_order
        GROUP BY unit, error_id)
    SELECT DISTINCT unit FROM cases WHERE founded = 'yes')
SELECT w.unit != '' AS had_error, countIf(over30), countIf(over30 AND again30), countIf(over90), countIf(over90 AND again90)
FROM (
    SELECT first.1 AS placed, -- another order on the same day is the same errand
           since + INTERVAL 30 DAY <= toDateTime64(@known, 3, 'UTC') AS over30,
           arrayExists(p -> p.2 != first.1 AND p.3 > first.3 AND p.1 <= since + INTERVAL 30 DAY, purchases) AS again30,
           since + INTERVAL 90 DAY <= toDateTime64(@known, 3, 'UTC') AS over90,
           arrayExists(p -> p.2 != first.1 AND p.3 > first.3 AND p.1 <= since + INTERVAL 90 DAY, purchases) AS again90
    FROM firsts) AS f LEFT JOIN wrong AS w ON w.unit = f.placed
GROUP BY had_error;
-- with [{from 2026-01-01} {to 2026-02-01} {store s1} {currency USD} {known 2026-02-01 00:00:00.000}]

