{{- /* A redelivery that is sent out again has the promise that it was given last. It counts on the day of that. */ -}}
SELECT count() AS promised, countIf(done > 0 AND done_at <= given.1) AS kept
FROM (
    SELECT unit, redelivery_id, argMaxIf((assumeNotNull(until), day, store_id, currency), (occurred_at, source, event_id), until IS NOT NULL) AS given,
           countIf(until IS NOT NULL) AS promises, countIf(succeeded) AS done, minIf(occurred_at, succeeded) AS done_at
    FROM (
        SELECT {{unit}} AS unit, JSONExtractString(payload, 'redelivery_id') AS redelivery_id,
               occurred_at, source, event_id, day, store_id, currency,
               {{template "moment" "JSONExtractString(payload, 'promise', 'until')"}} AS until,
               event_type = {{event "redelivery.completed"}} AND JSONExtractBool(payload, 'succeeded') AS succeeded
        FROM {{.Ledger}}
        {{.First}} event_type IN {{events "redelivery.dispatched" "redelivery.completed"}} AND (order_id, source, event_id) IN (
                SELECT order_id, source, event_id FROM failures WHERE event_type IN {{events "redelivery.dispatched" "redelivery.completed"}}
                    AND unit IN (SELECT unit FROM failures WHERE event_type = {{event "redelivery.dispatched"}} AND {{template "in_days" .}} AND {{.Known}}))
        {{.Then}} refused = '' AND {{.Known}} AND {{template "counts" .}})
    GROUP BY unit, redelivery_id)
WHERE promises > 0 AND given.2 >= toDate(@from) AND given.2 < toDate(@to) AND (@store = '' OR given.3 = @store) AND (@currency = '' OR given.4 = @currency)
