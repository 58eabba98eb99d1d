
    WITH events AS (
        SELECT * FROM failures FINAL WHERE refused = '' AND {{.Known}} AND error_id IN (
            SELECT error_id FROM failures
            WHERE order_id IN (
                    SELECT order_id FROM ledger WHERE event_type = {{event "order.placed"}} AND {{template "in_period" .}})
                AND event_type = {{event "error.reported"}})),
        {{.Cases}}
    SELECT e.order_id FROM events AS e INNER JOIN cases AS c ON c.error_id = e.error_id
    WHERE e.event_type = {{event "error.reported"}} AND (e.source, e.event_id) NOT IN voided
        AND c.is_founded AND {{failed "c.kind"}}
