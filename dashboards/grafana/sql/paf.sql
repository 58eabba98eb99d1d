SELECT formatDateTime(month, '%b %Y') AS "Month", sum(p) AS "Prevention", sum(q) AS "Appraisal",
       sum(i) AS "Failed before delivery", sum(o) AS "Failed after delivery"
FROM (
    SELECT toStartOfMonth(day) AS month, sumIf(x, a = {{.prevention}}) AS p,
           sumIf(x, a = {{.appraisal}}) AS q, toDecimal128(0, 4) AS i, toDecimal128(0, 4) AS o
    FROM {{.lines}}
    WHERE a IN ({{.prevention}}, {{.appraisal}})
    GROUP BY month
    UNION ALL
    SELECT toStartOfMonth(day) AS month, toDecimal128(0, 4), toDecimal128(0, 4),
           sumIf(amount, category = 'internal'), sumIf(amount, category = 'external')
    FROM {{.leaks}}
    GROUP BY month)
GROUP BY month ORDER BY month
