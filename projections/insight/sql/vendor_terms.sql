{{- /* What was voided doesn't hold; a void that was voided itself takes nothing back. */ -}}
WITH voids AS (SELECT source, event_id, voids_source, voids_id FROM {{.Ledger}} {{.First}} order_id = '' {{.Then}} voids_id != '' AND refused = '' AND {{.Known}})
SELECT JSONExtractString(payload, 'vendor_id') AS vendor, toInt64(JSONExtractFloat(payload, 'window_days')) AS window_days,
       toDate(parseDateTime64BestEffort(JSONExtractString(payload, 'effective_from'), 6, 'UTC'), @zone) AS effective_from,
       arrayMap(c -> (c.1, c.2, c.3, c.4), JSONExtract(payload, 'covers', 'Array(Tuple(element String, cause String, share String, clause String))')) AS covers
FROM {{.Ledger}}
{{.First}} order_id = '' AND event_type = {{event "vendor.terms"}}
{{.Then}} refused = '' AND {{.Known}}
    AND (source, event_id) NOT IN (SELECT voids_source, voids_id FROM voids WHERE (source, event_id) NOT IN (SELECT voids_source, voids_id FROM voids))
ORDER BY vendor, effective_from, recorded_at, offset
