{{- /* Of a row of now, whose event counts. */ -}}
NOT {{template "does_not_count" .}}
