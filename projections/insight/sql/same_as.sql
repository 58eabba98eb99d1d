{{- /* Of the cases that are a part of another one: of which. */ -}}
SELECT if(f_order != '', f_order, of_unit) AS unit, fact AS error_id, argMax(f_same_as, (epoch, occurred_at, source, event_id)) AS same_as
FROM (SELECT * EXCEPT unit, unit AS of_unit FROM {{.Failures}} WHERE refused = '' AND {{.Known}})
ARRAY JOIN fact_case AS fact, fact_same_as AS f_same_as, fact_order AS f_order
GROUP BY unit, error_id HAVING same_as != ''
