SELECT source, event_id, event_type, occurred_at, recorded_at, payload, voids_source, voids_id, voids_type, token,
       count() OVER () AS total
FROM (
    SELECT {{template "changed_columns"}} FROM ledger FINAL
    WHERE order_id = '' AND stream = 'books' AND event_type NOT IN {{events "quality.spent" "event.voided"}}
        AND {{template "changed_within"}}
    UNION ALL
    SELECT {{template "changed_columns"}} FROM ledger FINAL
    WHERE (order_id, source, event_id) IN (
            SELECT order_id, source, event_id FROM voids WHERE {{template "changed_within"}})
        AND {{template "changed_within"}}
    UNION ALL
    SELECT {{template "changed_columns"}} FROM ledger FINAL
    WHERE order_id != '' AND (order_id, source, event_id) IN (
            SELECT order_id, source, event_id FROM failures
            WHERE event_type = {{event "fact.decided"}} AND {{template "changed_within"}})
        AND {{template "changed_within"}})
ORDER BY recorded_at DESC, stream_number DESC, partition DESC, offset DESC LIMIT @limit
