{{- /* What follows FROM: rows of the ledger that were seen at some places and not fed to failures or unpriced, which
hold another copy of them. */ -}}
ledger FINAL
WHERE refused = '' AND NOT settled AND (
    error_id = '' AND (order_id, source, event_id, content) IN (
        SELECT f.order_id, f.source, f.event_id, f.content
        FROM (SELECT * FROM failures WHERE error_id = '') AS f
        INNER JOIN (SELECT identity, stream, partition, offset FROM places WHERE {{.Places}}) AS p
            ON p.identity = cityHash64(f.source, f.event_id)
        WHERE f.stream != p.stream OR f.partition != p.partition OR f.offset != p.offset)
    -- unpriced doesn't say where a row came from. Where a row came once there is no other copy of it.
    OR empty(unpriced) AND version % 256 = 0 AND NOT bitTest(version, 63) AND (order_id, source, event_id, content) IN (
        SELECT order_id, source, event_id, content FROM unpriced
        WHERE cityHash64(source, event_id) IN (
            SELECT identity FROM identities
            WHERE identity IN (
                SELECT cityHash64(source, event_id) FROM unpriced
                WHERE cityHash64(source, event_id) IN (SELECT identity FROM places WHERE {{.Places}}))
            GROUP BY identity HAVING count() > 1)))
