{{- /* What a case is about, in what condition it came back, and what time and ways its costs are of. */ -}}
SELECT {{unit}} AS unit, error_id, toString(source) AS of_source, event_id, toString(event_type) AS said,
       JSONExtract(payload, 'lines', 'Array(Tuple(sku String, quantity String, grade String))') AS lines,
       toFloat64OrZero(JSONExtract(payload, 'minutes', 'String')) + toFloat64OrZero(JSONExtract(payload, 'drive_minutes', 'String'))
           + toFloat64OrZero(JSONExtract(payload, 'site_minutes', 'String')) + toFloat64OrZero(JSONExtract(payload, 'wait_minutes', 'String'))
           + toFloat64OrZero(JSONExtract(payload, 'inspect_minutes', 'String')) AS minutes,
       JSONExtract(payload, 'distance_km', 'String') AS km
FROM {{.Ledger}}
WHERE event_type IN {{events "error.reported" "return.received" "labour.spent" "redelivery.completed"}} AND refused = '' AND {{.Known}} AND {{template "counts" .}}
    AND {{unit}} IN ({{template "vendor_units" .}})
ORDER BY unit, error_id, occurred_at, of_source, event_id
