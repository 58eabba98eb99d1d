SELECT toString(argMin(currency, (NOT (event_type = {{event "order.placed"}} AND standing = ''), occurred_at, recorded_at, source, event_id)))
FROM {{.Ledger}}
WHERE order_id = @order AND refused = '' AND currency != '' AND {{.Known}}
