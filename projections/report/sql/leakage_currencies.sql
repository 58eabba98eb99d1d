{{- /* That with the most lines comes first. */ -}}
SELECT arrayMap(c -> c.2, arraySort(groupArray((-toInt64(n), currency))))
FROM (SELECT currency, count() AS n FROM {{.Source}} WHERE {{.Where}} GROUP BY currency)
