{{- /* What is said of the lines of an order, event by event: by whom, what is added, what is taken off, and of what: of
lines, of the whole order, or of a part that nobody can place. */ -}}
(occurred_at, source, event_id, JSONExtractString(payload, 'by'),
                   JSONExtract(payload, 'lines_added', 'Array({{template "order_line"}})'),
                   JSONExtract(payload, if(event_type = {{event "order.cancelled"}}, 'lines', 'lines_removed'),
                       'Array(Tuple(line_id String, sku String, quantity String))'),
                   multiIf(event_type = {{event "order.changed"}} OR JSONLength(payload, 'lines') > 0, 'lines',
                       (source, event_id) IN (SELECT source, event_id FROM {{.Failures}} WHERE has(flag_code, 'part_unknown')), 'part', 'whole'))
