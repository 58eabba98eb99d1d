SELECT order_id FROM ledger WHERE event_type = {{event "order.delivered"}} AND {{template "in_days" .}} AND {{.Known}}
