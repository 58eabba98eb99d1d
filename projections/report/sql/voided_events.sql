{{if .Bounded -}}
SELECT voids_source, voids_id FROM ledger FINAL
WHERE order_id IN (SELECT order_id FROM voids) AND voids_id != '' AND refused = '' AND {{.Known}}
{{- else -}}
SELECT voids_source, voids_id FROM voids FINAL WHERE refused = ''
{{- end}}
