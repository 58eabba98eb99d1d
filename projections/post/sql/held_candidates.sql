{{- /* Events seen at some places of which failures or unpriced may hold another copy than the ledger: of_failures says which of the
two. Mostly there are none, and the ledger isn't read. */ -}}
SELECT f.order_id AS order_id, f.source AS source, f.event_id AS event_id, f.content AS content, true AS of_failures
FROM (SELECT * FROM failures WHERE error_id = '') AS f
INNER JOIN (SELECT identity, stream, partition, offset FROM places WHERE {{.Places}}) AS p ON p.identity = cityHash64(f.source, f.event_id)
WHERE f.stream != p.stream OR f.partition != p.partition OR f.offset != p.offset
UNION ALL
-- unpriced doesn't say where a row came from. Where a row came once there is no other copy of it.
SELECT order_id, source, event_id, content, false FROM unpriced
WHERE notEmpty(missing) AND cityHash64(source, event_id) IN (
    SELECT identity FROM identities
    WHERE identity IN (
        SELECT cityHash64(source, event_id) FROM unpriced
        WHERE notEmpty(missing) AND cityHash64(source, event_id) IN (SELECT identity FROM places WHERE {{.Places}}))
    GROUP BY identity HAVING count() > 1)
