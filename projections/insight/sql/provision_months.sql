{{- /* What came in the time, by the month of the failure. It sums to the leakage of the time. Listed, it gives each case, and each order
that cost something without one. */ -}}
{{if .Listed}}SELECT error_id AS `case`, of_order AS `order`, store, failed, has_case AS cases, toDecimalString(net, 4) AS came, toDecimalString(net_later, 4) AS later{{else -}}
SELECT failed AS month, countIf(has_case) AS cases, toDecimalString(sum(net), 4) AS came, toDecimalString(sum(net_later), 4) AS later{{end}}
FROM (
    SELECT l.unit AS unit, l.error_id AS error_id, min(l.order_id) AS of_order, min(l.store) AS store, error_id != '' AS has_case,
           any(if(f.unit = '', l.first_cost, least(f.failed, l.first_cost))) AS since, formatDateTime(toStartOfMonth(since), '%Y-%m') AS failed,
           sum(l.amount) AS net, sumIf(l.amount, toStartOfMonth(l.day) > toStartOfMonth(if(f.unit = '', l.first_cost, least(f.failed, l.first_cost)))) AS net_later
    FROM (
        SELECT unit, error_id, order_id, toString(store_id) AS store, day, amount, min(day) OVER (PARTITION BY unit, error_id) AS first_cost FROM {{.Leakage}}
        WHERE part = 'leakage' AND lines > 0 AND currency = @currency AND (@store = '' OR store_id = @store)) AS l
    LEFT JOIN ({{template "failed_since" .}}) AS f ON f.unit = l.unit AND f.error_id = l.error_id
    WHERE l.day >= toDate(@from) AND l.day < toDate(@to)
    GROUP BY unit, error_id)
{{- if not .Listed}}
GROUP BY month ORDER BY month
{{- end}}
