{{- /* Nobody can earn back anything with an order that its customer cancelled whole. */ -}}
SELECT order_id FROM ledger FINAL
    WHERE order_id IN (SELECT order_id FROM failures WHERE event_type = {{event "order.cancelled"}})
        AND event_type = {{event "order.cancelled"}} AND refused = '' AND standing = '' AND {{.Known}}
        AND JSONExtractString(payload, 'by') = 'customer' AND JSONLength(payload, 'lines') = 0 AND NOT has(flag_code, 'part_unknown')
