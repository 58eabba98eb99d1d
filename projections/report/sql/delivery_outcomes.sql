{{- /* JSON has one kind of number and tills have two ways to write one: both come out as text here, and only then as a
decimal, whose digits are those that were sent. Of events that stand, each counts once, by time, source and id. */}}
    SELECT order_id,
           {{template "delivery_sorted" "placed"}} AS orders,
           {{template "delivery_sorted" "promises"}} AS agreed,
           {{template "delivery_sorted" "deliveries"}} AS arrivals,
           arrayElement(arrivals, -1).4 AS day,
           if(notEmpty(orders), orders[1].4, arrivals[1].5) AS store_id,
           if(notEmpty(orders), orders[1].5, '') AS currency,
           arrayElement(agreed, -1).4 AS until,
           arrayMax(arrayMap(d -> d.6, arrivals)) AS delivered_at,
           until IS NOT NULL AS promised,
           until IS NULL OR delivered_at <= until AS on_time,
           arrayMap(l -> (l.1, toDecimal128OrZero(l.2, 4)), arrayFlatten(arrayMap(o -> o.6, orders))) AS wanted,
           arrayMap(l -> (l.1, toDecimal128OrZero(l.2, 4)), arrayFlatten(arrayMap(d -> d.7, arrivals))) AS came,
           arrayExists(d -> empty(d.7), arrivals) OR arrayAll(sku ->
               arraySum(arrayMap(l -> if(l.1 = sku, l.2, toDecimal128(0, 4)), came))
                   >= arraySum(arrayMap(l -> if(l.1 = sku, l.2, toDecimal128(0, 4)), wanted)),
               arrayDistinct(arrayMap(l -> l.1, wanted))) AS in_full,
           arrayExists(d -> arrayExists(l -> l.3 = {{damaged}}, d.7), arrivals) AS damaged,
           arrayExists(d -> d.8 = 0, arrivals) AS documents_wrong
    FROM (
        SELECT order_id,
               groupArrayIf((voids_source, voids_id), voids_id != '') AS voided,
               groupArrayIf((occurred_at, source, event_id, store_id, currency, {{template "delivery_lines"}}),
                   event_type = {{event "order.placed"}}) AS placed,
               groupArrayIf((occurred_at, source, event_id, {{template "moment" "JSONExtractString(payload, 'promise', 'until')"}}),
                   event_type = {{event "order.placed"}} OR event_type = {{event "order.promise_changed"}}
                       AND JSONExtractBool(payload, 'agreed_with_customer')) AS promises,
               groupArrayIf((occurred_at, source, event_id, day, store_id,
                   coalesce({{template "moment" "JSONExtractString(payload, 'delivered_at')"}}, occurred_at), {{template "delivery_lines"}},
                   JSONExtract(payload, 'documents_ok', 'Nullable(Bool)')), event_type = {{event "order.delivered"}}) AS deliveries
        FROM ledger
        PREWHERE order_id IN ({{template "delivered_orders" .}}) -- the one column that is read of all of history
        WHERE {{template "standing" .}} AND ({{event "order.placed"}} IN (event_type, voids_type)
            OR {{event "order.promise_changed"}} IN (event_type, voids_type) OR {{event "order.delivered"}} IN (event_type, voids_type))
        GROUP BY order_id)
    WHERE notEmpty(arrivals)
