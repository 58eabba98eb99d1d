SELECT
{{- range $i, $part := .Apart}}
{{- if $i}},{{end}}
    toDecimalString({{if eq $part "customer_changes"}}-{{end}}sumIf(amount, part = '{{$part}}'), {{$.Decimals}})
{{- end}}
FROM {{.Source}} WHERE part != 'leakage' AND {{.Where}}
