SELECT count() FROM (
    SELECT 1 FROM {{.Ledger}} WHERE event_type = {{event "order.placed"}} AND refused = '' AND {{.Known}}
        AND has(JSONExtract(payload, 'lines', 'Array(Tuple(vendor_id String))').vendor_id, @vendor) LIMIT 1)
