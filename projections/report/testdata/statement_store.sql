SELECT count() FROM (SELECT 1 FROM ledger FINAL WHERE store_id = @store AND refused = '' AND true LIMIT 1);
-- with [{month 2026-01-01} {store s1} {vendor }]

SELECT currency, a, toDecimalString(opening, 4), toDecimalString(debit, 4), toDecimalString(credit, 4),
       toDecimalString(opening + debit - credit, 4)
FROM (
    SELECT currency, a, sumIf(CAST(x AS Decimal(38, 4)), posting_period < toDate(@month) AND a < 4000) AS opening,
           sumIf(CAST(x AS Decimal(38, 4)), posting_period = toDate(@month) AND x > 0) AS debit,
           -sumIf(CAST(x AS Decimal(38, 4)), posting_period = toDate(@month) AND x < 0) AS credit
    FROM ledger FINAL ARRAY JOIN account AS a, amount AS x
    WHERE refused = '' AND posting_period <= toDate(@month) AND true
        AND store_id = @store
    GROUP BY currency, a)
WHERE opening != 0 OR debit != 0 OR credit != 0
ORDER BY currency, a;
-- with [{month 2026-01-01} {store s1} {vendor }]

WITH events AS (SELECT * FROM failures FINAL WHERE refused = '' AND true),
    
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
SELECT e.currency AS currency, e.error_id AS id, anyIf(e.order_id, e.order_id != ''), any(c.kind), any(c.root_cause),
       any(c.party_at_fault), any(c.vendor_id), toBool(any(c.is_founded)),
       toDecimalString(sum(arraySum(arrayMap((k, x) -> if(k NOT IN ('', 'RECOVERY', 'SALVAGE') AND e.posting_period = toDate(@month), CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), e.element, e.amount))), 4),
       toDecimalString(-sum(arraySum(arrayMap((k, x) -> if(k IN ('RECOVERY', 'SALVAGE') AND e.posting_period = toDate(@month), CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), e.element, e.amount))), 4),
       toDecimalString(sum(arraySum(arrayMap((k, x) -> if(k != '' AND e.posting_period = toDate(@month), CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), e.element, e.amount))), 4),
       arrayMap(x -> concat(x.2, ' ', x.3),
           arraySort(arrayConcat(groupArray((e.occurred_at, e.source, e.event_id)), any(s.events)))) AS evidence
FROM events AS e LEFT JOIN cases AS c ON c.error_id = e.error_id LEFT JOIN (
    -- What says something of a case and carries no money: it is of every currency.
    SELECT error_id, groupArray((occurred_at, source, event_id)) AS events FROM events AS e
    WHERE error_id != '' AND currency = '' AND e.posting_period <= toDate(@month) GROUP BY error_id) AS s ON s.error_id = e.error_id
WHERE e.posting_period <= toDate(@month) AND e.currency != ''
    AND (@store = '' OR e.store_id = @store) AND (@vendor = '' OR e.error_id != '' AND c.vendor_id = @vendor)
GROUP BY currency, id, if(e.error_id = '', e.order_id, '')
HAVING countIf(e.posting_period = toDate(@month) AND arrayExists(k -> k != '', e.element)) > 0
ORDER BY currency, id, anyIf(e.order_id, e.order_id != '');
-- with [{month 2026-01-01} {store s1} {vendor }]

