INSERT INTO {{.Into}} ({{.Key}}, {{.Facts}}, amount, lines, version)
SELECT {{.Key}}, facts.1, facts.2, facts.3, facts.4, facts.5, facts.6, facts.7, facts.8, facts.9, facts.10, facts.11,
       new_amount, new_lines, greatest(toUInt64({{.Known}}), before + 1) AS version
FROM (
    SELECT {{.Key}}, argMax(({{.Facts}}), fresh) AS facts, sumIf(amount, fresh) AS new_amount, sumIf(lines, fresh) AS new_lines,
           sumIf(amount, NOT fresh) AS old_amount, sumIf(lines, NOT fresh) AS old_lines,
           argMin(({{.Facts}}), fresh) AS old_facts, max(stood) AS before
    FROM (
        SELECT {{.Key}}, {{.Facts}}, amount, lines, true AS fresh, toUInt64(0) AS stood FROM ({{.Fresh}}) WHERE lines > 0 AND {{.Where}}
        UNION ALL
        SELECT {{.Key}}, {{.Facts}}, amount, lines, false AS fresh, version AS stood
        FROM leakage_daily FINAL WHERE lines > 0 AND {{.Where}})
    GROUP BY {{.Key}})
WHERE new_amount != old_amount OR new_lines != old_lines OR facts != old_facts
SETTINGS max_partitions_per_insert_block = 0
