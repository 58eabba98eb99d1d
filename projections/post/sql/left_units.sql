SELECT f.* REPLACE ('moved' AS refused, f.version + 1 AS version)
FROM failures AS f FINAL
JOIN (
    SELECT order_id, source, event_id, content, multiIf(settled_with != '', settled_with, order_id != '', order_id, error_id) AS unit
    FROM ledger FINAL WHERE refused = '' AND {{.Where}}) AS l USING (order_id, source, event_id, content)
WHERE f.refused = '' AND f.unit != l.unit
