{{- /* What became of the promise of the orders that order_candidates names. A time is promised by its end. Without a
delivery it is broken once that is over, or once the business has cancelled the whole order. Each payload is read once: to
find something in it takes as long as all of it. */ -}}
WITH in_question AS ({{template "order_candidates" .}})
SELECT order_id, sold.1 AS store_id, sold.2 AS currency, sold.3 AS channel, agreed.1 AS until, agreed.2 AS since, came, arrived_at,
       multiIf(until IS NULL, 'none', came > 0 AND arrived_at <= until, 'kept', came > 0, 'late',
           order_id IN ({{template "cancelled_whole" .}}), 'withdrawn',
           undone > 0 OR until <= {{template "moment_now"}}, 'broken', 'open') AS outcome,
       ifNull(if(outcome = 'late', dateDiff('second', until, arrived_at), 0), 0) AS late_by
FROM (
    SELECT order_id, countIf(event_type = {{event "order.placed"}}) AS placed,
           argMinIf((toString(store_id), toString(currency), said.channel), (occurred_at, source, event_id), event_type = {{event "order.placed"}}) AS sold,
           argMaxIf((until, since), (occurred_at, source, event_id), sets) AS agreed,
           countIf(event_type = {{event "order.delivered"}}) AS came,
           maxIf(coalesce(delivered_at, occurred_at), event_type = {{event "order.delivered"}}) AS arrived_at,
           countIf(undoes) AS undone
    FROM (
        SELECT order_id, source, event_id, event_type, occurred_at, store_id, currency,
               JSONExtract(payload, 'Tuple(channel String, by String, delivered_at String, agreed_with_customer Bool, promise Tuple(until String, from String))') AS said,
               {{template "moment" "said.promise.until"}} AS until, {{template "moment" "said.promise.from"}} AS since, {{template "moment" "said.delivered_at"}} AS delivered_at,
               event_type = {{event "order.placed"}} OR event_type = {{event "order.promise_changed"}} AND said.agreed_with_customer
                   OR event_type = {{event "order.changed"}} AND said.by = 'customer' AND JSONHas(payload, 'promise') AS sets,
               event_type = {{event "order.cancelled"}} AND said.by = 'business' AND JSONLength(payload, 'lines') = 0
                   AND (source, event_id) NOT IN (SELECT source, event_id FROM {{.Failures}} WHERE has(flag_code, 'part_unknown')) AS undoes
        FROM ledger
        WHERE order_id IN in_question AND {{template "standing" .}}
            AND event_type IN {{events "order.placed" "order.promise_changed" "order.changed" "order.cancelled" "order.delivered"}})
    GROUP BY order_id)
WHERE placed > 0
