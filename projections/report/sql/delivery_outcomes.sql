{{- /* Of events that stand, each counts once, by time, source and id. What the business takes off stays promised: it is
missing then, but somebody knows (known_full). Step by step, since ClickHouse works a name out again wherever it stands. */}}
    SELECT order_id, arrayElement(arrivals, -1).4 AS day,
           if(notEmpty(orders), orders[1].4, arrivals[1].5) AS store_id,
           if(notEmpty(orders), orders[1].5, '') AS currency,
           until IS NOT NULL AS promised,
           until IS NULL OR arrayMax(arrayMap(d -> d.6, arrivals)) <= until AS on_time,
           {{template "all_came" "needed"}} AS in_full,
           {{template "all_came" "needed_still"}} AS known_full,
           arrayExists(d -> arrayExists(l -> l.3 = {{damaged}}, d.7), arrivals) AS damaged,
           arrayExists(d -> d.8 = 0, arrivals) AS documents_wrong
    FROM (
        SELECT order_id, orders, arrivals, until, came, {{template "goods_needed" "wanted"}} AS needed, {{template "goods_needed" "left"}} AS needed_still
        FROM (
            SELECT order_id, orders, arrivals, until, came, kits,
                   if(arrayExists(c -> c.7 = 'whole', wishes), [], {{template "lines_left" "given_up"}}) AS wanted,
                   if(arrayExists(c -> c.7 != 'lines', edits), [], {{template "lines_left" "taken_off"}}) AS left
            FROM (
                SELECT order_id, orders, edits, arrivals, until, wishes, {{template "order_lines" "goods"}} AS lines,
                       arrayDistinct(arrayMap(l -> (l.2, l.5), arrayFilter(l -> notEmpty(l.5), goods))) AS kits,
                       arrayFlatten(arrayMap(c -> c.6, wishes)) AS given_up,
                       arrayFlatten(arrayMap(c -> c.6, edits)) AS taken_off,
                       arrayMap(l -> (l.1, toDecimal128OrZero(l.2, 8)), arrayFlatten(arrayMap(d -> d.7, arrivals))) AS came
                FROM (
                    SELECT order_id, orders, edits, arrivals, arrayElement(agreed, -1).4 AS until, arrayFilter(c -> c.4 = 'customer', edits) AS wishes,
                           arrayFilter(l -> l.3 IN ('', 'goods'), arrayConcat(arrayFlatten(arrayMap(o -> o.6, orders)), arrayFlatten(arrayMap(c -> c.5, edits)))) AS goods
                    FROM (
                        SELECT order_id, {{template "each_once" "placed"}} AS orders, {{template "each_once" "promises"}} AS agreed,
                               {{template "each_once" "edited"}} AS edits, {{template "each_once" "deliveries"}} AS arrivals
                        FROM ({{template "delivery_events" .}}))))))
    WHERE notEmpty(arrivals)
