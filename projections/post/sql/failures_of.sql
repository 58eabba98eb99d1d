{{- /* A hash of what failures holds of some units. Of a row the highest version counts, and how often it was inserted: of two
inserts of one version the later one counts. (Copies that are folded meanwhile change the hash too.) */ -}}
SELECT groupBitXor(cityHash64(unit, source, event_id, content, highest, copies))
FROM (
    SELECT unit, source, event_id, content, max(version) AS highest, count() AS copies FROM failures WHERE {{.Where}}
    GROUP BY unit, source, event_id, content)
