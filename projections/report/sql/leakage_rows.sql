{{- /* Totals are of all groups, also of those that aren't shown: counts don't add up, and are made of the same pass. */ -}}
SELECT
{{- range $i, $key := .Keys}}
    {{$key}} AS key{{$i}},
{{- end}}
{{template "leakage_figures" .}}
{{- if .Translated}},
    arraySort(groupUniqArrayIf(rate_number, rate_number > 0)) AS rates
{{- end}}
FROM {{.Source}}
WHERE part = 'leakage' AND {{.Where}}
{{- if .Keys}}
GROUP BY {{template "leakage_keys" .}}
{{- if .Totals}} WITH TOTALS{{end}}
{{- end}}
HAVING {{template "leakage_shown" .}}
{{- if .Keys}}
ORDER BY {{if .Largest}}abs(sum(amount)) DESC, {{end}}{{template "leakage_keys" .}}
{{- if .Largest}} LIMIT {{.Largest}}{{end}}
{{- end}}
{{- if .Totals}}
SETTINGS totals_mode = 'before_having'
{{- end}}
