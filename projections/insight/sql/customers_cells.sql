{{- /* Orders of customers whose 90 days are over, summed up by stratum, group of customers, and whether a founded case came of them. What came
back counts on another day; contribution is that of those orders as they were placed. */ -}}
WITH purchases AS (
        SELECT customer_id, arraySort(groupArray((occurred_at, order_id, day, contribution, store, channel, basket))) AS bought
        FROM (
            SELECT customer_id, order_id, day, occurred_at, toString(store_id) AS store, JSONExtractString(payload, 'channel') AS channel,
                   toFloat64(-arraySum(arrayMap((a, s, x) -> if(s = 'perfect' AND {{revenue "a"}}, {{money "x"}}, {{zero}}), account, step, amount))) AS basket,
                   toFloat64(-arraySum(arrayMap((a, s, x) -> if(s = 'perfect' AND {{profit_and_loss "a"}}, {{money "x"}}, {{zero}}), account, step, amount))) AS contribution
            FROM {{.Ledger}}
            WHERE event_type = {{event "order.placed"}} AND currency = @currency AND {{template "standing" .}} AND customer_id IN (
                SELECT customer_id FROM ledger WHERE customer_id != '' AND {{template "in_period" .}}))
        GROUP BY customer_id),
    wrong AS ({{template "founded_errors" .}})
SELECT stratum, store, toUInt8(customers) AS customers, failed, toFloat64(count()) AS n, toFloat64(sum(returned)) AS back, sum(earned) AS later,
       toFloat64(sum(earlier)) AS prior, toFloat64(sum(earlier * earlier)) AS prior_squares, sum(came_to) AS basket, sum(came_to * came_to) AS basket_squares
FROM (
    SELECT cityHash64(customer_id) % @groups AS customers, o.5 AS store, o.7 AS came_to, toFloat64(i - 1) AS earlier, w.unit != '' AS failed,
           concat(multiIf(i <= 3, toString(i), i <= 6, '4', '7'), ' ', toString(intDiv(10 * (rank() OVER (ORDER BY o.7) - 1), count() OVER ())), ' ', o.5, ' ', o.6, ' ',
               toString(toStartOfMonth(o.3))) AS stratum,
           arrayFilter(p -> p.2 != o.2 AND p.3 > o.3 AND p.1 <= o.1 + INTERVAL 90 DAY, bought) AS again, notEmpty(again) AS returned,
           arraySum(arrayMap(p -> p.4, again)) AS earned
    FROM (SELECT customer_id, bought, arrayJoin(arrayEnumerate(bought)) AS i, bought[i] AS o FROM purchases) AS b
    LEFT JOIN wrong AS w ON w.unit = b.o.2
    WHERE o.3 >= toDate(@from) AND o.3 < toDate(@to) AND (@store = '' OR o.5 = @store) AND o.1 + INTERVAL 90 DAY <= {{template "moment_now" .}})
GROUP BY stratum, store, customers, failed
