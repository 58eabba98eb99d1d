WITH events AS (SELECT * FROM failures FINAL WHERE refused = '' AND recorded_at <= toDateTime64('2026-01-15 00:00:00.000', 3, 'UTC') AND error_id IN (@ids)),
    
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
SELECT error_id, kind, root_cause, party_at_fault, vendor_id, employee_id, avoidable,
       if(found_when = 'before_delivery', 'internal', 'external') AS category, toBool(is_founded) AS founded
FROM cases ORDER BY error_id;
-- with [{ids [e1 e2]}]

