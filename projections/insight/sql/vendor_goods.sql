{{- /* What was sold of each vendor's goods, as the orders of the time were placed, and on how many of these lines a founded case came that a
supplier or carrier caused. A line without a cost of its own has its part, by price, of what the journal has for its order beyond those that have one. */ -}}
WITH placed AS (
        SELECT order_id, arraySum(arrayMap((a, x) -> if(a = {{account "cogs"}}, {{money "x"}}, {{zero}}), account, amount)) AS booked,
               arrayMap(l -> (l.vendor_id, toDecimal256OrZero(l.quantity, 4), toDecimal256OrZero(l.quantity, 4) * toDecimal256OrZero(l.unit_price, 6) - toDecimal256OrZero(l.discount, 4),
                       l.unit_cost != '', toDecimal256OrZero(l.quantity, 4) * toDecimal256OrZero(l.unit_cost, 6)),
                   arrayFilter(l -> l.kind IN ('', 'goods'), JSONExtract(payload, 'lines',
                       'Array(Tuple(vendor_id String, kind String, quantity String, unit_price String, discount String, unit_cost String))'))) AS goods,
               greatest(toDecimal256(booked, 10) - arraySum(arrayMap(g -> g.5, goods)), toDecimal256(0, 10)) AS rest,
               arraySum(arrayMap(g -> if(g.4, toDecimal256(0, 10), g.3), goods)) AS unsaid
        FROM {{.Ledger}}
        {{.First}} event_type = {{event "order.placed"}}
        {{.Then}} currency = @currency AND {{template "in_period" .}} AND {{template "standing" .}}),
    events AS (
        SELECT * FROM {{.Failures}}
        {{.First}} unit IN (SELECT order_id FROM placed UNION ALL {{.Shared}})
        {{.Then}} refused = '' AND {{.Known}}),
    {{.Cases}}
SELECT sold.vendor AS vendor, toUInt64(sum(sold.n)) AS goods_lines, toDecimalString(sum(sold.pieces), 4) AS pieces, toDecimalString(sum(sold.net), 4) AS sales,
       toDecimalString(sum(sold.cost), 4) AS cost, toUInt64(sum(least(sold.n, w.n))) AS failed
FROM (
    SELECT order_id, g.1 AS vendor, count() AS n, sum(g.2) AS pieces, toDecimal256(round(sum(g.3), 4), 4) AS net,
           toDecimal256(round(sum(g.5) + if(any(unsaid) = 0, toDecimal256(0, 10),
               divideDecimal(any(rest) * sum(if(g.4, toDecimal256(0, 10), g.3)), any(unsaid), 10)), 4), 4) AS cost
    FROM placed ARRAY JOIN goods AS g GROUP BY order_id, vendor) AS sold
LEFT JOIN (SELECT unit, vendor_id, count() AS n FROM cases WHERE founded = 'yes' AND {{template "vendor_caused"}} GROUP BY unit, vendor_id) AS w
    ON w.unit = sold.order_id AND w.vendor_id = sold.vendor
GROUP BY vendor ORDER BY vendor
