refused = '' AND {{template "booked_day" .}} >= toDate(@from) AND {{template "booked_day" .}} < toDate(@to)
 AND {{.Known}}
{{- /* A projector that doesn't know of a close yet may have posted in its month what comes after it, until it learns of it. */}}
{{- range .Closes}}
    AND NOT (posting_period = toDate('{{.First}}') AND NOT {{.StoodBefore}})
{{- end}}
