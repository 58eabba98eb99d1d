{{- /* Customers who were assigned to the arms of an experiment in the time, by the first report of theirs that says so, and who of them came back
within 90 days on another day. Rejected cases count too: their customers were assigned before anybody knew. */ -}}
WITH reports AS (
        SELECT order_id, JSONExtractString(payload, 'experiment', 'name') AS experiment, JSONExtractString(payload, 'experiment', 'arm') AS arm, occurred_at AS at,
               toString(source) AS of_source, event_id
        FROM {{.Ledger}}
        {{.First}} event_type = {{event "error.reported"}} AND order_id != ''
        {{.Then}} {{template "in_period" .}} AND refused = '' AND {{.Known}} AND {{template "counts" .}}
            AND JSONHas(payload, 'experiment')),
    purchases AS ({{template "purchases" .}})
{{if .Listed}}SELECT experiment, arm, of_order AS `order`, came_back AS back{{else -}}
SELECT experiment, arm, count() AS customers, countIf(came_back) AS back, toFloat64(sum(earlier)) AS orders_before{{end}}
FROM (
    SELECT experiment, d.1 AS arm, d.3 AS of_order, arrayExists(p -> p.3 > toDate(d.2, @zone) AND p.1 <= d.2 + INTERVAL 90 DAY, bought) AS came_back,
           arrayCount(p -> p.1 < d.2, bought) AS earlier
    FROM (
        SELECT experiment, customer_id, any(bought) AS bought, argMin((arm, at, r.order_id), (at, of_source, event_id)) AS d
        FROM reports AS r
        INNER JOIN (SELECT customer_id, bought, arrayJoin(bought).2 AS order_id FROM purchases) AS p ON p.order_id = r.order_id
        GROUP BY experiment, customer_id)
    WHERE d.2 + INTERVAL 90 DAY <= {{template "moment_now" .}})
{{- if not .Listed}}
GROUP BY experiment, arm ORDER BY experiment, arm != {{holdout}}, arm
{{- end}}
