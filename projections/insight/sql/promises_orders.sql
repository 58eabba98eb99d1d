{{- /* One pass over the orders whose promise falls due in the time and over those that leaked in it: by store, the promises
that fall due (rows without split), and the leakage of the time by what became of the promise of its order. Listed, it gives each order that is due, or that leaked. */ -}}
{{if eq .Listed "due" -}}
SELECT of_promise AS `order`, store_id AS store, grouped AS `group`, toDate(falls_due, @zone) AS due, outcome,
       if(outcome = 'late', toDecimalString(late_by / 3600, 2), NULL) AS late, toDecimalString(leaked, 4) AS leakage
{{- else if eq .Listed "leaked" -}}
SELECT of_order AS `order`, split AS outcome, of_order != '' AS orders, toDecimalString(net_now, 4) AS leakage
{{- else -}}
SELECT grouping(split) = 0 AS is_split, split, store_id AS store, grouped,
{{- template "promise_figures"}},
    uniqExactIf(of_order, leaked_now AND of_order != '') AS orders, toDecimalString(sumIf(net_now, leaked_now), 4) AS leakage
{{- end}}
FROM (
    SELECT order_of AS of_promise, until AS falls_due, if(due, became, '') AS outcome, if(due, late, 0) AS late_by, if(due, net, {{zero}}) AS leaked, leaked_now, net_now, of_order,
           if(due, store_of, '') AS store_id, if(due, ifNull({{template "promise_group" .}}, ''), '') AS grouped,
           multiIf(of_order = '', 'no_order', order_of = '', 'none', became) AS split
    FROM (
        SELECT o.order_id AS order_of, o.outcome AS became, o.late_by AS late, o.store_id AS store_of, o.channel AS how, o.until AS until, o.since AS since,
               l.order_id AS of_order, l.net AS net, l.net_now AS net_now, l.leaked_now AS leaked_now,
               ifNull(toDate(o.until, @zone) >= toDate(@from) AND toDate(o.until, @zone) < toDate(@to), false)
                   AND (@store = '' OR o.store_id = @store) AND o.currency = @currency AS due
        FROM ({{template "order_outcomes" .}}) AS o
        FULL JOIN (
            SELECT order_id, sum(amount) AS net, sumIf(amount, now) AS net_now, countIf(now) > 0 AS leaked_now
            FROM (SELECT order_id, amount, day >= toDate(@from) AND day < toDate(@to) AND (@store = '' OR store_id = @store) AS now
                FROM {{.Leakage}} WHERE part = 'leakage' AND lines > 0 AND currency = @currency)
            GROUP BY order_id) AS l ON l.order_id = o.order_id)
    WHERE {{if eq .Listed "due"}}due{{else if eq .Listed "leaked"}}leaked_now{{else}}due OR leaked_now{{end}})
{{- if not .Listed}}
GROUP BY GROUPING SETS ((store_id, grouped), (split))
HAVING if(is_split, countIf(leaked_now), promised) > 0
ORDER BY is_split, split, store, grouped
{{- end}}
