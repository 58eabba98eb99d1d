{{if .Posting -}}
occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND greatest(day, posting_period) >= toDate(@from)
    AND greatest(day, posting_period) < toDate(@to)
{{- else}}{{template "in_days" .}}{{end}}
