{{- /* What is of a case that is none any more is shown as long as it comes to something. */ -}}
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
{{- end}}
HAVING countIf(error_id = '' OR founded != '') > 0 OR sum(amount) != 0 OR sumIf(amount, {{cost "element"}}) != 0
{{- if .Keys}}
ORDER BY {{if .Largest}}abs(sum(amount)) DESC, {{end}}{{template "leakage_keys" .}}
{{- if .Largest}} LIMIT {{.Largest}}{{end}}
{{- end}}
