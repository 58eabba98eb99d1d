SELECT {{.bucket_name}} AS "When", if(sum(orders) = 0, NULL, sum(x) / sum(orders)) AS "An order"
FROM (
    SELECT {{.bucket}} AS bucket, toDecimal64(0, 4) AS x, toUInt64(0) AS orders FROM {{.days}}
    UNION ALL
    SELECT {{.bucket}} AS bucket, toDecimal64({{.net}}, 4) AS x, toUInt64(0) AS orders
    FROM {{.leaks}} GROUP BY bucket
    UNION ALL
    SELECT {{.bucket}} AS bucket, toDecimal64(0, 4) AS x, uniqExact(order_id) AS orders
    FROM ledger FINAL
    WHERE {{.placed}}
    GROUP BY bucket)
GROUP BY bucket ORDER BY bucket
