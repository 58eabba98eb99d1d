SELECT DISTINCT currency, day AS on_day FROM (
    WITH events AS (SELECT * FROM failures FINAL WHERE refused = '' AND recorded_at <= toDateTime64('2026-01-15 00:00:00.000', 3, 'UTC')), 
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
    GROUP BY day, posting_day, currency, store_id, error_id, order_id, account, element, basis) WHERE lines > 0 AND day >= toDate(@from) AND day < toDate(@to) AND basis = 'CASH' ORDER BY currency, on_day;
-- with [{from 2026-01-01} {to 2026-02-01}]

SELECT
    toString(account) AS key0,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE')), 10) AS gross,
    toDecimalString(sum(amount), 10) AS net,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE') AND NOT basis = 'IMPUTED'), 10) AS booked,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE') AND basis = 'IMPUTED'), 10) AS hidden,
    toDecimalString(-sumIf(amount, element IN ('RECOVERY', 'SALVAGE')), 10) AS recoveries,
    uniqExactIf(error_id, error_id != '') AS cases,
    uniqExactIf(order_id, order_id != '') AS orders,
    arraySort(groupUniqArrayIf(rate_number, rate_number > 0)) AS rates
FROM (
    SELECT l.* EXCEPT (amount), CAST(l.amount AS Decimal(76, 4)) * x.exact AS amount, x.number AS rate_number
    FROM (SELECT * FROM (
    WITH events AS (SELECT * FROM failures FINAL WHERE refused = '' AND recorded_at <= toDateTime64('2026-01-15 00:00:00.000', 3, 'UTC')), 
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
    GROUP BY day, posting_day, currency, store_id, error_id, order_id, account, element, basis) WHERE lines > 0 AND day >= toDate(@from) AND day < toDate(@to) AND basis = 'CASH') AS l
    INNER JOIN (SELECT currency, day, number, CAST(rate AS Decimal(76, 6)) AS exact FROM exchange) AS x
        ON x.currency = l.currency AND x.day = l.day)
WHERE kind NOT IN ('changed_mind') AND true
GROUP BY key0
ORDER BY key0;
-- with [{from 2026-01-01} {to 2026-02-01}]

SELECT toDecimalString(sum(amount), 10) FROM (
    SELECT l.* EXCEPT (amount), CAST(l.amount AS Decimal(76, 4)) * x.exact AS amount, x.number AS rate_number
    FROM (SELECT * FROM (
    WITH events AS (SELECT * FROM failures FINAL WHERE refused = '' AND recorded_at <= toDateTime64('2026-01-15 00:00:00.000', 3, 'UTC')), 
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
    GROUP BY day, posting_day, currency, store_id, error_id, order_id, account, element, basis) WHERE lines > 0 AND day >= toDate(@from) AND day < toDate(@to) AND basis = 'CASH') AS l
    INNER JOIN (SELECT currency, day, number, CAST(rate AS Decimal(76, 6)) AS exact FROM exchange) AS x
        ON x.currency = l.currency AND x.day = l.day) WHERE kind IN ('changed_mind') AND true;
-- with [{from 2026-01-01} {to 2026-02-01}]

