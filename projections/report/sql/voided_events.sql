{{- /* What voids take back that may be known, unless they were voided themselves. */ -}}
SELECT voids_source, voids_id FROM {{.Ledger}}
WHERE order_id IN (SELECT order_id FROM voids) AND voids_id != '' AND refused = '' AND {{.Known}} AND NOT {{template "does_not_count" .}}
    AND (source, event_id) NOT IN (
        SELECT voids_source, voids_id FROM {{.Ledger}}
        WHERE order_id IN (SELECT order_id FROM voids) AND voids_id != '' AND refused = '' AND {{.Known}} AND NOT {{template "does_not_count" .}})
