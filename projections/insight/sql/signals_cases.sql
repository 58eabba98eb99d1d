{{- /* Founded cases that cost something, by the day on which each was first heard of, from @since on. */ -}}
SELECT toString(store) AS store, toString(cause) AS cause, toString(vendor) AS vendor, toString(heard) AS day, count() AS cases
FROM (
    SELECT l.store AS store, l.cause AS cause, l.vendor AS vendor, if(f.unit = '', l.first_cost, least(f.failed, l.first_cost)) AS heard
    FROM (
        SELECT unit, error_id, any(if(selling_store = '', store_id, selling_store)) AS store, any(root_cause) AS cause, any(vendor_id) AS vendor,
               min(day) AS first_cost
        FROM {{.Leakage}} WHERE part = 'leakage' AND lines > 0 AND founded = 'yes' AND error_id != '' AND currency = @currency
        GROUP BY unit, error_id) AS l
    LEFT JOIN ({{template "failed_since" .}}) AS f ON f.unit = l.unit AND f.error_id = l.error_id)
WHERE heard >= toDate(@since) AND heard < toDate(@end) AND (@store = '' OR store = @store)
GROUP BY store, cause, vendor, heard ORDER BY day
