{{- /* A hash of what failures holds of some units: of a row the highest version counts. */ -}}
SELECT groupBitXor(cityHash64(unit, source, event_id, content, highest))
FROM (
    SELECT unit, source, event_id, content, max(version) AS highest FROM failures WHERE {{.Where}}
    GROUP BY unit, source, event_id, content)
