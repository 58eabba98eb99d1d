INSERT INTO leakage_daily ({{.Key}}, {{.Facts}}, amount, lines, version)
SELECT {{.Key}}, facts.1, facts.2, facts.3, facts.4, facts.5, facts.6, facts.7, facts.8, facts.9, facts.10, facts.11, amount, lines,
       greatest(toUInt64({{.Known}}), before + 1) AS version
FROM (
    SELECT {{.Key}}, argMax(({{.Facts}}), fresh) AS facts, sum(amount) AS amount, sum(lines) AS lines, max(stood) AS before
    FROM (
        SELECT {{.Key}}, {{.Facts}}, amount, lines, 1 AS fresh, toUInt64(0) AS stood FROM ({{.Fresh}}) WHERE {{.Where}}
        UNION ALL
        SELECT {{.Key}}, {{.Facts}}, toDecimal128(0, 4) AS amount, toUInt64(0) AS lines, 0 AS fresh, version AS stood
        FROM leakage_daily WHERE {{.Where}})
    GROUP BY {{.Key}})
SETTINGS max_partitions_per_insert_block = 0
