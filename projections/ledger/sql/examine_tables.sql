WITH failed AS (
    SELECT table, max(latest_fail_reason) AS reason FROM system.mutations
    WHERE database = currentDatabase() AND NOT is_done GROUP BY table)
SELECT t.name, t.create_table_query, ifNull(f.reason, '') AS failure, startsWith(t.name, 'rebuilt_') AS shadow
FROM system.tables AS t
LEFT JOIN failed AS f ON f.table = t.name
WHERE t.database = currentDatabase() AND (t.name IN (?) OR startsWith(t.name, 'rebuilt_')
    AND splitByChar('_', t.name)[-1] NOT IN (SELECT id FROM rebuilds FINAL
                                             WHERE state IN ('computing', 'ready', 'swapping')))
ORDER BY t.name
