{{- /* Founded cases that cost something, by the day on which each was first heard of, from @since on. Listed, it gives each of them. */ -}}
{{if .Listed -}}
SELECT error_id AS `case`, of_order AS `order`, heard, toString(store) AS store, toString(cause) AS cause, toString(vendor) AS vendor, toString(of_kind) AS kind,
       toDecimalString(net, 4) AS net
{{- else -}}
SELECT toString(store) AS store, toString(cause) AS cause, toString(vendor) AS vendor, toString(heard) AS day, count() AS cases
{{- end}}
FROM (
    SELECT l.error_id AS error_id, l.of_order AS of_order, l.of_kind AS of_kind, l.net AS net, l.store AS store, l.cause AS cause, l.vendor AS vendor,
           if(f.unit = '', l.first_cost, least(f.failed, l.first_cost)) AS heard
    FROM (
        SELECT unit, error_id, any(if(selling_store = '', store_id, selling_store)) AS store, any(root_cause) AS cause, any(vendor_id) AS vendor,
               any(order_id) AS of_order, any(kind) AS of_kind, sum(amount) AS net, min(day) AS first_cost
        FROM {{.Leakage}} WHERE part = 'leakage' AND lines > 0 AND founded = 'yes' AND error_id != '' AND currency = @currency
        GROUP BY unit, error_id) AS l
    LEFT JOIN ({{template "failed_since" .}}) AS f ON f.unit = l.unit AND f.error_id = l.error_id)
WHERE heard >= toDate(@since) AND heard < toDate(@end) AND (@store = '' OR store = @store)
{{- if not .Listed}}
GROUP BY store, cause, vendor, heard ORDER BY day
{{- end}}
