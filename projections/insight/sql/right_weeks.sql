{{- /* Orders delivered, and those right first time, by store and week from @from on; week 0 is its first. */ -}}
SELECT toString(store_id) AS store, toUInt32(intDiv(dateDiff('day', toDate(@from), day), 7)) AS week, count() AS delivered, countIf(is_right) AS right
FROM ({{template "kept_promises" .}})
WHERE (@store = '' OR store_id = @store) AND currency IN ('', @currency)
GROUP BY store, week ORDER BY store, week
