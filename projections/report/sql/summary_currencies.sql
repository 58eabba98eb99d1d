{{- /* That with the most lines comes first. */ -}}
SELECT arrayMap(c -> c.2, arraySort(groupArray((-toInt64(n), currency))))
FROM (
    SELECT l_currency AS currency, count() AS n FROM ledger FINAL ARRAY JOIN {{line_currency}} AS l_currency, {{line_store}} AS l_store
    WHERE refused = '' AND {{template "booked_days" .}} AND {{.Known}} AND (@store = '' OR l_store = @store)
    GROUP BY currency)
