{{- /* Orders placed and net leakage, by the store that sold, by day, from @since on. */ -}}
SELECT store, toString(day) AS day, toUInt64(sum(orders)) AS orders, toDecimalString(sum(net), 4) AS leakage, toFloat64(sum(net)) AS cost
FROM (
    SELECT toString(store_id) AS store, day, uniqExact(order_id) AS orders, {{zero}} AS net FROM ledger
    WHERE event_type = {{event "order.placed"}} AND occurred_at >= toDateTime64(@since, 6, 'UTC') - INTERVAL 1 DAY AND day >= toDate(@since)
        AND day < toDate(@to) AND currency = @currency AND (@store = '' OR store_id = @store) AND {{template "standing" .}}
    GROUP BY store, day
    UNION ALL
    SELECT toString(store_id), day, 0, sum(amount) FROM {{.Leakage}}
    WHERE part = 'leakage' AND lines > 0 AND day >= toDate(@since) AND day < toDate(@to) AND currency = @currency
        AND (@store = '' OR store_id = @store)
    GROUP BY store_id, day)
GROUP BY store, day ORDER BY store, day
