{{- /* What came in the time, by the month of the failure. It sums to the leakage of the time. */ -}}
SELECT formatDateTime(toStartOfMonth(if(f.unit = '', l.first_cost, least(f.failed, l.first_cost))), '%Y-%m') AS month,
       uniqExactIf((l.unit, l.error_id), l.error_id != '') AS cases,
       toDecimalString(sum(l.amount), 4) AS came,
       toDecimalString(sumIf(l.amount, toStartOfMonth(l.day) > toStartOfMonth(if(f.unit = '', l.first_cost, least(f.failed, l.first_cost)))), 4) AS later
FROM (
    SELECT unit, error_id, day, amount, min(day) OVER (PARTITION BY unit, error_id) AS first_cost FROM {{.Leakage}}
    WHERE part = 'leakage' AND lines > 0 AND currency = @currency AND (@store = '' OR store_id = @store)) AS l
LEFT JOIN ({{template "failed_since" .}}) AS f ON f.unit = l.unit AND f.error_id = l.error_id
WHERE l.day >= toDate(@from) AND l.day < toDate(@to)
GROUP BY month ORDER BY month
