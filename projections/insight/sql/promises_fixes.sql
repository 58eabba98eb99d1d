{{- /* A redelivery that is sent out again has the promise that it was given last. What a case leaked counts once, with
its redelivery that fell due last. Listed, it gives each redelivery. */ -}}
WITH fixes AS (
        SELECT unit, redelivery_id, argMaxIf((assumeNotNull(until), since, store_id, currency, mode, error_id), (occurred_at, source, event_id), until IS NOT NULL) AS given,
               countIf(until IS NOT NULL) AS promises, countIf(succeeded) AS done, minIf(occurred_at, succeeded) AS done_at
        FROM (
            SELECT {{unit}} AS unit, error_id, JSONExtractString(payload, 'redelivery_id') AS redelivery_id,
                   occurred_at, source, event_id, toString(store_id) AS store_id, toString(currency) AS currency, JSONExtractString(payload, 'mode') AS mode,
                   {{template "moment" "JSONExtractString(payload, 'promise', 'until')"}} AS until,
                   {{template "moment" "JSONExtractString(payload, 'promise', 'from')"}} AS since,
                   event_type = {{event "redelivery.completed"}} AND JSONExtractBool(payload, 'succeeded') AS succeeded
            FROM {{.Ledger}}
            {{.First}} event_type IN {{events "redelivery.dispatched" "redelivery.completed"}}
                AND (order_id, source, event_id) IN (
                    SELECT order_id, source, event_id FROM failures WHERE event_type IN {{events "redelivery.dispatched" "redelivery.completed"}}
                        AND unit IN (SELECT unit FROM failures WHERE event_type = {{event "redelivery.dispatched"}}
                            AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 400 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY))
            {{.Then}} refused = '' AND {{.Known}} AND {{template "counts" .}})
        GROUP BY unit, redelivery_id
        HAVING promises > 0),
    told AS (
        SELECT f.unit AS unit, f.redelivery_id AS redelivery_id, toNullable(f.given.1) AS until, f.given.2 AS since, f.given.3 AS store_id, f.given.5 AS how,
               if(c.same_as != '', c.same_as, f.given.6) AS of_case,
               multiIf(done > 0 AND done_at <= f.given.1, 'kept', done > 0, 'late', f.given.1 <= {{template "moment_now"}}, 'broken', 'open') AS outcome,
               if(outcome = 'late', dateDiff('second', f.given.1, done_at), 0) AS late_by,
               row_number() OVER (PARTITION BY unit, of_case ORDER BY f.given.1 DESC, f.redelivery_id DESC) = 1 AS counts_leakage
        FROM fixes AS f LEFT JOIN ({{template "same_as" .}}) AS c ON c.unit = f.unit AND c.error_id = f.given.6
        WHERE f.given.4 = @currency)
{{if .Listed -}}
SELECT of_case AS `case`, redelivery_id AS redelivery, store_id AS store, ifNull({{template "promise_group" .}}, '') AS `group`, toDate(until, @zone) AS due, outcome,
       if(outcome = 'late', toDecimalString(late_by / 3600, 2), NULL) AS late, toDecimalString(leaked, 4) AS leakage
{{- else -}}
SELECT store_id AS store, {{template "promise_group" .}} AS grouped,
{{- template "promise_figures"}}
{{- end}}
FROM (
    SELECT t.*, if(t.counts_leakage, l.net, {{zero}}) AS leaked
    FROM told AS t
    LEFT JOIN (
        SELECT unit, error_id, sum(amount) AS net FROM {{.Leakage}}
        WHERE part = 'leakage' AND lines > 0 AND currency = @currency AND error_id != '' GROUP BY unit, error_id) AS l
        ON l.unit = t.unit AND l.error_id = t.of_case
    WHERE toDate(t.until, @zone) >= toDate(@from) AND toDate(t.until, @zone) < toDate(@to) AND (@store = '' OR t.store_id = @store))
{{- if not .Listed}}
GROUP BY store, grouped ORDER BY store, grouped
{{- end}}
