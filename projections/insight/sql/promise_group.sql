{{- /* By what promises are grouped beside the store: of columns until and since. */ -}}
{{if eq .With "day"}}toString(toDate(until, @zone))
{{- else if eq .With "weekday"}}['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'][toDayOfWeek(assumeNotNull(until), 0, @zone)]
{{- else if eq .With "slot"}}concat(if(since IS NOT NULL AND toDate(since, @zone) = toDate(until, @zone), concat(formatDateTime(assumeNotNull(since), '%H:%i', @zone), '-'), 'until '),
    formatDateTime(assumeNotNull(until), '%H:%i', @zone))
{{- else if eq .With "how"}}how
{{- else}}''{{end}}
