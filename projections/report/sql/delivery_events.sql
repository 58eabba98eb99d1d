
                            SELECT order_id,
                                   arraySort(groupArrayIf((occurred_at, source, event_id, store_id, currency, JSONExtract(payload, 'lines', 'Array({{template "order_line"}})')),
                                       event_type = {{event "order.placed"}})) AS placed,
                                   arraySort(groupArrayIf((occurred_at, source, event_id, {{template "moment" "JSONExtractString(payload, 'promise', 'until')"}}),
                                       event_type = {{event "order.placed"}}
                                       OR event_type = {{event "order.promise_changed"}} AND JSONExtractBool(payload, 'agreed_with_customer')
                                       OR event_type = {{event "order.changed"}} AND JSONExtractString(payload, 'by') = 'customer' AND JSONHas(payload, 'promise'))) AS promises,
                                   arraySort(groupArrayIf({{template "order_edits" .}}, event_type IN {{events "order.changed" "order.cancelled"}})) AS edited,
                                   arraySort(groupArrayIf((occurred_at, source, event_id, day, store_id,
                                       coalesce({{template "moment" "JSONExtractString(payload, 'delivered_at')"}}, occurred_at), {{template "delivery_lines"}},
                                       JSONExtract(payload, 'documents_ok', 'Nullable(Bool)')), event_type = {{event "order.delivered"}})) AS deliveries
                            FROM ledger
                            {{if .Views}}WHERE{{else}}PREWHERE{{end}} order_id IN ({{template "delivered_orders" .}}) -- the one column that is read of all of history
                            {{if .Views}}AND{{else}}WHERE{{end}} {{template "standing" .}}
                                AND event_type IN {{events "order.placed" "order.promise_changed" "order.changed" "order.cancelled" "order.delivered"}}
                            GROUP BY order_id
