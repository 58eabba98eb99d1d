{{- /* Orders of customers whose 90 days are over, summed up by stratum, group of customers, whether a founded case came of them that the customer
met, and how that was fixed. What came back counts on another day; contribution is that of those orders as they were placed. Of failed orders also what
they are alike in among one another. Listed, it gives each failed order, and nothing of whose it is. */ -}}
WITH purchases AS ({{template "purchases" .}}),
    events AS (
        SELECT * FROM {{.Failures}}
        {{.First}} unit IN (
            SELECT order_id FROM ledger WHERE event_type = {{event "order.placed"}} AND {{template "in_period" .}}
            UNION ALL {{.Shared}})
        {{.Then}} refused = '' AND {{.Known}}),
    {{.Cases}},
    fixes AS (
        SELECT {{unit}} AS unit, minIf(toNullable(occurred_at), event_type = {{event "error.reported"}}) AS heard, minIf(toNullable(occurred_at), how != '') AS fixed,
               arrayStringConcat(arraySort(groupUniqArrayIf(how, how != '')), ' and ') AS hows
        FROM (
            SELECT *, multiIf(event_type = {{event "refund.issued"}}, 'refund', event_type = {{event "concession.granted"}}, 'concession',
                       event_type = {{event "redelivery.completed"}} AND JSONExtractBool(payload, 'succeeded'), 'redelivery', '') AS how
            FROM {{.Ledger}}
            {{.First}} event_type IN {{events "error.reported" "redelivery.completed" "refund.issued" "concession.granted"}}
                AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY
            {{.Then}} refused = '' AND {{.Known}} AND {{template "counts" .}})
        GROUP BY unit),
    wrong AS (SELECT unit, min(kind) AS kind FROM cases WHERE founded = 'yes' AND category != 'internal' GROUP BY unit)
{{if .Listed}}SELECT of_order AS `order`, toString(store) AS store, ordered, remedy, speed, returned AS back{{else -}}
SELECT stratum, among, store, toUInt8(customers) AS customers, failed, remedy, speed, toFloat64(count()) AS n, toFloat64(sum(returned)) AS back, sum(earned) AS later,
       toFloat64(sum(earlier)) AS prior, toFloat64(sum(earlier * earlier)) AS prior_squares, sum(came_to) AS basket, sum(came_to * came_to) AS basket_squares{{end}}
FROM (
    SELECT cityHash64(customer_id) % @groups AS customers, o.2 AS of_order, o.3 AS ordered, o.5 AS store, o.7 AS came_to, toFloat64(i - 1) AS earlier, w.unit != '' AS failed,
           multiIf(i <= 3, toString(i), i <= 6, '4', '7') AS before, intDiv(10 * (rank() OVER (ORDER BY o.7) - 1), count() OVER ()) AS tenth,
           concat(before, ' ', toString(tenth), ' ', o.5, ' ', o.6, ' ', toString(toStartOfMonth(o.3))) AS stratum,
           if(failed, concat(if(i = 1, 'first', 'later'), ' ', toString(intDiv(tenth * 3, 10)), ' ', o.5, ' ', w.kind), '') AS among,
           multiIf(NOT failed, '', f.hows = '', 'nothing', f.hows) AS remedy,
           multiIf(NOT failed, '', f.fixed IS NULL, 'never', f.heard IS NULL OR f.fixed <= f.heard + INTERVAL 1 DAY, 'within a day',
               f.fixed <= f.heard + INTERVAL 3 DAY, 'within 3 days', 'later') AS speed,
           arrayFilter(p -> p.2 != o.2 AND p.3 > o.3 AND p.1 <= o.1 + INTERVAL 90 DAY, bought) AS again, notEmpty(again) AS returned,
           arraySum(arrayMap(p -> p.4, again)) AS earned
    FROM (SELECT customer_id, bought, arrayJoin(arrayEnumerate(bought)) AS i, bought[i] AS o FROM purchases) AS b
    LEFT JOIN wrong AS w ON w.unit = b.o.2
    LEFT JOIN fixes AS f ON f.unit = b.o.2
    WHERE o.3 >= toDate(@from) AND o.3 < toDate(@to) AND (@store = '' OR o.5 = @store) AND o.1 + INTERVAL 90 DAY <= {{template "moment_now" .}})
{{- if .Listed}}
WHERE failed
{{- else}}
GROUP BY stratum, among, store, customers, failed, remedy, speed
{{- end}}
