SELECT currency, part, now, multiIf(grouping(at) = 0, 'at', grouping(element) = 0, 'element', '') AS split_by,
    if(split_by = 'at', at, toString(element)) AS key, count() AS all_rows, toBool(countIf(error_id = '' OR founded != '') > 0) AS any_row,
    toDecimalString(if(part = 'customer_changes', -1, 1) * sum(amount), 4) AS beside,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE')), 4) AS gross,
    toDecimalString(sum(amount), 4) AS net,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE') AND NOT basis = 'IMPUTED'), 4) AS booked,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE') AND basis = 'IMPUTED'), 4) AS hidden,
    toDecimalString(-sumIf(amount, element IN ('RECOVERY', 'SALVAGE')), 4) AS recoveries
FROM (
    SELECT currency, part, toBool(posting_day >= toDate(@since)) AS now, toString(posting_day) AS at, element, basis, error_id, founded, amount
    FROM leakage_daily FINAL WHERE lines > 0 AND posting_day >= toDate(@from) AND posting_day < toDate(@to) AND NOT basis = 'IMPUTED' AND kind = @only0 AND vendor_id = @only1)
GROUP BY GROUPING SETS ((currency, part, now), (currency, part, now, at), (currency, part, now, element))
HAVING split_by = '' OR now AND part = 'leakage' AND (countIf(error_id = '' OR founded != '') > 0 OR sum(amount) != 0 OR sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE')) != 0)
ORDER BY currency, split_by, key;
-- with [{from 2025-12-01} {to 2026-02-01} {only0 late} {only1 v1} {since 2026-01-01}]

SELECT currency, part, now, multiIf(grouping(at) = 0, 'at', grouping(element) = 0, 'element', '') AS split_by,
    if(split_by = 'at', at, toString(element)) AS key, count() AS all_rows, toBool(countIf(error_id = '' OR founded != '') > 0) AS any_row,
    toDecimalString(if(part = 'customer_changes', -1, 1) * sum(amount), 4) AS beside,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE')), 4) AS gross,
    toDecimalString(sum(amount), 4) AS net,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE') AND NOT basis = 'IMPUTED'), 4) AS booked,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE') AND basis = 'IMPUTED'), 4) AS hidden,
    toDecimalString(-sumIf(amount, element IN ('RECOVERY', 'SALVAGE')), 4) AS recoveries
FROM (
    SELECT currency, part, toBool(day >= toDate(@since)) AS now, formatDateTime(day, '%Y-%m') AS at, element, basis, error_id, founded, amount
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
    GROUP BY unit, day, posting_day, currency, store_id, error_id, account, element, basis) WHERE lines > 0 AND day >= toDate(@from) AND day < toDate(@to) AND true)
GROUP BY GROUPING SETS ((currency, part, now), (currency, part, now, at), (currency, part, now, element))
HAVING split_by = '' OR now AND part = 'leakage' AND (countIf(error_id = '' OR founded != '') > 0 OR sum(amount) != 0 OR sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE')) != 0)
ORDER BY currency, split_by, key;
-- with [{from 2025-12-01} {to 2026-02-01} {since 2026-01-01}]

