{{- /* What was ordered, promised and delivered, by unit. */ -}}
SELECT {{unit}} AS unit,
       minIf(toNullable(occurred_at), event_type = {{event "order.placed"}}) AS ordered,
       argMaxIf({{template "moment" "JSONExtractString(payload, 'promise', 'until')"}}, (occurred_at, source, event_id), {{template "sets_a_promise"}}) AS promised,
       maxIf(toNullable(coalesce({{template "moment" "JSONExtractString(payload, 'delivered_at')"}}, occurred_at)), event_type = {{event "order.delivered"}}) AS delivered
FROM {{.Ledger}}
WHERE event_type IN {{events "order.placed" "order.promise_changed" "order.changed" "order.delivered"}} AND refused = '' AND {{.Known}} AND {{template "counts" .}}
    AND {{unit}} IN ({{template "vendor_units" .}})
GROUP BY unit
