{{- /* As the summary has it: the order's own, what the customer agreed to, and what the customer asked for. */ -}}
(event_type = {{event "order.placed"}}
    OR event_type = {{event "order.promise_changed"}} AND JSONExtractBool(payload, 'agreed_with_customer')
    OR event_type = {{event "order.changed"}} AND JSONExtractString(payload, 'by') = 'customer' AND JSONHas(payload, 'promise'))
