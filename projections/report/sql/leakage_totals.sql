SELECT
{{template "leakage_figures" .}}
FROM {{.Source}}
WHERE part = 'leakage' AND {{.Where}}
