{{if .Posting}}greatest(day, posting_period){{else}}day{{end}}
