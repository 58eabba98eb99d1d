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
ORDER BY {{if .Largest}}abs(sum(amount)) DESC, {{end}}{{template "leakage_keys" .}}
{{- if .Largest}} LIMIT {{.Largest}}{{end}}
{{- end}}
