{{- /* What each till, or each store, sent of orders in the 56 days before @until: by hour of the week. Listed, it gives each order. */ -}}
{{if .Listed}}SELECT order_id AS `order`, formatDateTime(occurred_at, '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS placed, toString(store_id) AS store, toString(source) AS till{{else -}}
SELECT name, store, orders, first_at, last_at, by_hour.1 AS hours, by_hour.2 AS of_hour
FROM (
SELECT {{if eq .With "store"}}toString(store_id){{else}}toString(source){{end}} AS name, any(toString(store_id)) AS store, count() AS orders,
       min(occurred_at) AS first_at, max(occurred_at) AS last_at,
       sumMap([toUInt64((toDayOfWeek(occurred_at, 0, @zone) - 1) * 24 + toHour(occurred_at, @zone))], [toUInt64(1)]) AS by_hour{{end}}
FROM {{.Ledger}}
{{.First}} event_type = {{event "order.placed"}}
    AND occurred_at > toDateTime64(@until, 6, 'UTC') - INTERVAL 56 DAY AND occurred_at <= toDateTime64(@until, 6, 'UTC')
{{.Then}} refused = '' AND {{.Known}} AND {{template "counts" .}} AND (@store = '' OR store_id = @store)
{{- if not .Listed}}
GROUP BY name)
ORDER BY name
{{- end}}
