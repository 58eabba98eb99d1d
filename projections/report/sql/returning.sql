WITH firsts AS (
        SELECT customer_id, argMin((order_id, store_id, day), (occurred_at, source, event_id)) AS first, min(occurred_at) AS since,
               groupArray((occurred_at, order_id, day)) AS purchases
        FROM (
            SELECT customer_id, order_id, store_id, day, occurred_at, source, event_id
            FROM ledger
            PREWHERE customer_id IN (
                -- the one column that is read of all of history
                SELECT customer_id FROM ledger WHERE customer_id != '' AND {{template "in_period" .}})
            WHERE event_type = {{event "order.placed"}} AND {{template "standing" .}})
        GROUP BY customer_id
        HAVING first.3 >= toDate(@from) AND first.3 < toDate(@to) AND (@store = '' OR first.2 = @store)),
    wrong AS ({{template "founded_errors" .}})
SELECT w.unit != '' AS had_error, countIf(over30), countIf(over30 AND again30), countIf(over90), countIf(over90 AND again90)
FROM (
    SELECT first.1 AS placed, -- another order on the same day is the same errand
           since + INTERVAL 30 DAY <= toDateTime64(@known, 3, 'UTC') AS over30,
           arrayExists(p -> p.2 != first.1 AND p.3 > first.3 AND p.1 <= since + INTERVAL 30 DAY, purchases) AS again30,
           since + INTERVAL 90 DAY <= toDateTime64(@known, 3, 'UTC') AS over90,
           arrayExists(p -> p.2 != first.1 AND p.3 > first.3 AND p.1 <= since + INTERVAL 90 DAY, purchases) AS again90
    FROM firsts) AS f LEFT JOIN wrong AS w ON w.unit = f.placed
GROUP BY had_error
