{{- /* Orders delivered, and those right first time, by store and week from @from on; week 0 is its first. Listed, it gives each order. */ -}}
{{if .Listed}}SELECT order_id AS `order`, day AS delivered, toString(store_id) AS store, is_right AS right{{else -}}
SELECT toString(store_id) AS store, toUInt32(intDiv(dateDiff('day', toDate(@from), day), 7)) AS week, count() AS delivered, countIf(is_right) AS right{{end}}
FROM ({{template "kept_promises" .}})
WHERE (@store = '' OR store_id = @store) AND currency IN ('', @currency)
{{- if not .Listed}}
GROUP BY store, week ORDER BY store, week
{{- end}}
