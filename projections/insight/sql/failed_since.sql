{{- /* The day of each failure: the first on which anything was said of the case, or of the order where there is no case. */ -}}
SELECT unit, error_id, min(day) AS failed FROM {{.Failures}} WHERE refused = '' AND {{.Known}} GROUP BY unit, error_id
