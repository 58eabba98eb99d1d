{{- /* Of a row of now, whose event counts. */ -}}
NOT {{template "does_not_count" .}}
{{- if .Bounded}} AND (source, event_id) NOT IN ({{template "voided_events" .}}){{end}}
