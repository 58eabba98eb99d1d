{{- /* What came of each month's failures, month by month: of all history before the end of the time. A failure is never
younger than its first cost. */ -}}
SELECT formatDateTime(cohort, '%Y-%m') AS month, toUInt32(dateDiff('month', cohort, toStartOfMonth(l.day))) AS age,
       toFloat64(sum(l.amount)) AS net, toFloat64(sumIf(l.amount, NOT {{imputed "basis"}})) AS booked
FROM (
    SELECT unit, error_id, day, basis, amount, min(day) OVER (PARTITION BY unit, error_id) AS first_cost FROM {{.Leakage}}
    WHERE part = 'leakage' AND lines > 0 AND currency = @currency AND (@store = '' OR store_id = @store)) AS l
LEFT JOIN ({{template "failed_since" .}}) AS f ON f.unit = l.unit AND f.error_id = l.error_id
WHERE l.day < toDate(@to)
GROUP BY toStartOfMonth(if(f.unit = '', l.first_cost, least(f.failed, l.first_cost))) AS cohort, age
ORDER BY month, age
