SELECT count() FROM {{.Ledger}} WHERE notEmpty(unpriced) AND {{template "journal_where" .}}
{{- if .Currency}} AND currency = @currency{{end}}
