{{- /* When each case became known. */ -}}
SELECT unit, fact AS error_id, min(occurred_at) AS reported_at
FROM {{.Failures}} ARRAY JOIN fact_case AS fact
WHERE refused = '' AND {{.Known}} AND unit IN ({{template "vendor_units" .}})
GROUP BY unit, error_id
