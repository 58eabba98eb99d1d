SELECT count() FROM ledger FINAL WHERE notEmpty(unpriced) AND {{template "journal_where" .}}
{{- if .Currency}} AND currency = @currency{{end}}
