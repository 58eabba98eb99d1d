SELECT
{{template "leakage_figures" .}}
FROM {{.Source}}
WHERE {{failed "kind"}} AND {{.Where}}
