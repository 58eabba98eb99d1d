{{- /* Those rated or placed in the time; else those that leaked in it, and those whose promise falls due. A promise is searched for in the events of
the time and of the 400 days before it. */ -}}
{{if eq .With "rated" -}}
SELECT order_id FROM ledger WHERE event_type = {{event "feedback.received"}} AND {{template "in_days" .}} AND {{.Known}}
{{- else if eq .With "placed" -}}
SELECT order_id FROM ledger WHERE event_type = {{event "order.placed"}} AND {{template "in_period" .}} AND {{.Known}}
{{- else -}}
SELECT order_id FROM {{.Leakage}} WHERE part = 'leakage' AND lines > 0 AND order_id != '' AND day >= toDate(@from) AND day < toDate(@to)
UNION ALL
SELECT order_id FROM ledger
    WHERE occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 400 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY
        AND {{.Known}} AND {{template "sets_a_promise"}}
        AND toDate({{template "moment" "JSONExtractString(payload, 'promise', 'until')"}}, @zone) BETWEEN toDate(@from) AND toDate(@to) - 1
{{- end}}
