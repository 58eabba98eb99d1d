SELECT count() FROM (SELECT 1 FROM failures FINAL WHERE has(fact_vendor, @vendor) AND refused = '' AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7)) LIMIT 1);
-- with [{month 2026-01-01} {store } {vendor v1}]

SELECT count() FROM (
    SELECT 1 FROM ledger FINAL WHERE event_type = 'makegood.order.placed.v1' AND refused = '' AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7))
        AND has(JSONExtract(payload, 'lines', 'Array(Tuple(vendor_id String))').vendor_id, @vendor) LIMIT 1);
-- with [{month 2026-01-01} {store } {vendor v1}]

WITH events AS (SELECT * FROM failures FINAL WHERE refused = '' AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7))),
    
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
SELECT of_currency, a, toDecimalString(opening, 4), toDecimalString(debit, 4), toDecimalString(credit, 4),
       toDecimalString(opening + debit - credit, 4)
FROM (
    SELECT l_currency AS of_currency, a, sumIf(CAST(x AS Decimal(38, 4)), origin_period < toDate(@month) AND a < 4000) AS opening,
           sumIf(CAST(x AS Decimal(38, 4)), origin_period = toDate(@month) AND x > 0) AS debit,
           -sumIf(CAST(x AS Decimal(38, 4)), origin_period = toDate(@month) AND x < 0) AS credit
    FROM ledger FINAL
    ARRAY JOIN account AS a, amount AS x, if(empty(line_case), arrayWithConstant(length(account), error_id), line_case) AS l_case, if(empty(line_currency), arrayWithConstant(length(account), toString(currency)), line_currency) AS l_currency, if(empty(line_store), arrayWithConstant(length(account), toString(store_id)), line_store) AS l_store, if(empty(line_order), arrayWithConstant(length(account), multiIf(settled_with != '', settled_with, order_id != '', order_id, error_id)), arrayMap(o -> if(o != '', o, multiIf(settled_with != '', settled_with, order_id != '', order_id, error_id)), line_order)) AS l_unit
    WHERE refused = '' AND origin_period <= toDate(@month) AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7))
        AND l_case != '' AND (l_unit, l_case) IN (SELECT unit, error_id FROM cases WHERE vendor_id = @vendor)
    GROUP BY of_currency, a)
WHERE opening != 0 OR debit != 0 OR credit != 0
ORDER BY of_currency, a;
-- with [{month 2026-01-01} {store } {vendor v1}]

WITH events AS (SELECT * FROM failures FINAL WHERE refused = '' AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7))),
    
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
    lines AS (
        SELECT if(l_order != '', l_order, e.unit) AS unit, l_case, l_currency, l_store, toString(k_) AS k, x, e.origin_period AS in_month
        FROM events AS e
        ARRAY JOIN e.element AS k_, e.amount AS x, e.line_case AS l_case, e.line_currency AS l_currency, e.line_store AS l_store,
                   e.line_order AS l_order
        WHERE in_month <= toDate(@month) AND k != ''),
    evidence AS (
        SELECT about.1 AS unit, about.2 AS of, groupUniqArray((occurred_at, source, event_id, moved)) AS events FROM (
            SELECT occurred_at, source, event_id,
                   arrayMap(o -> if(o != '', o, e.unit), line_order) AS units,
                   arrayJoin(arrayDistinct(arrayConcat([(e.unit, error_id)], arrayZip(units, line_case),
                       arrayMap((o, c) -> (if(o != '', o, e.unit), c), fact_order, fact_case)))) AS about,
                   arrayDistinct(arrayFilter((c, k, u) -> (u, k) = about, line_currency, line_case, units)) AS moved
            FROM events AS e WHERE e.origin_period <= toDate(@month) AND NOT (error_id = '' AND empty(account) AND empty(fact_case)))
        GROUP BY unit, of),
    homes AS (SELECT unit, max(order_id) AS order_id FROM events GROUP BY unit)
SELECT l.l_currency AS of_currency, l.l_case AS id, any(h.order_id), any(c.kind), any(c.root_cause), any(c.party_at_fault), any(c.vendor_id),
       toBool(any(c.founded) = 'yes'), toBool(any(c.was_founded) = 'no'),
       toDecimalString(sumIf(CAST(x AS Decimal(38, 4)), k NOT IN ('', 'RECOVERY', 'SALVAGE') AND in_month = toDate(@month)), 4),
       toDecimalString(-sumIf(CAST(x AS Decimal(38, 4)), k IN ('RECOVERY', 'SALVAGE') AND in_month = toDate(@month)), 4),
       toDecimalString(sumIf(CAST(x AS Decimal(38, 4)), k != '' AND in_month = toDate(@month)), 4),
       arrayMap(x -> concat(x.2, ' ', x.3),
           arrayFilter(x -> empty(x.4) OR has(x.4, of_currency), arraySort(any(s.events)))) AS evidence
FROM lines AS l LEFT JOIN cases AS c ON c.unit = l.unit AND c.error_id = l.l_case
LEFT JOIN evidence AS s ON s.unit = l.unit AND s.of = l.l_case
LEFT JOIN homes AS h ON h.unit = l.unit
WHERE (@store = '' OR l.l_store = @store) AND (@vendor = '' OR l.l_case != '' AND c.vendor_id = @vendor)
GROUP BY of_currency, id, l.unit
HAVING countIf(in_month = toDate(@month)) > 0
    AND NOT (any(c.gone OR c.same_as != '') AND sumIf(CAST(x AS Decimal(38, 4)), k NOT IN ('', 'RECOVERY', 'SALVAGE') AND in_month = toDate(@month)) = 0 AND sumIf(CAST(x AS Decimal(38, 4)), k IN ('RECOVERY', 'SALVAGE') AND in_month = toDate(@month)) = 0)
ORDER BY of_currency, id, any(h.order_id);
-- with [{month 2026-01-01} {store } {vendor v1}]

