{{- /* When each case became known. */ -}}
SELECT if(f_order != '', f_order, of_unit) AS unit, fact AS error_id, min(occurred_at) AS reported_at
FROM (SELECT * EXCEPT unit, unit AS of_unit FROM {{.Failures}} WHERE refused = '' AND {{.Known}} AND unit IN ({{template "vendor_units" .}}))
ARRAY JOIN fact_case AS fact, fact_order AS f_order
GROUP BY unit, error_id
