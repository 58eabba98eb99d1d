
    WITH events AS (
        SELECT * FROM failures FINAL WHERE refused = '' AND {{.Known}} AND error_id IN (
            SELECT error_id FROM failures
            WHERE order_id IN ({{template "delivered_orders" .}}) AND event_type = {{event "error.reported"}})),
        {{.Cases}}
    SELECT e.order_id AS order_id, uniqExact(e.error_id) AS reports,
           uniqExactIf(e.error_id, c.is_founded AND {{failed "c.kind"}}) AS founded
    FROM events AS e LEFT JOIN cases AS c ON c.error_id = e.error_id
    WHERE e.event_type = {{event "error.reported"}} AND (e.source, e.event_id) NOT IN voided
    GROUP BY order_id
