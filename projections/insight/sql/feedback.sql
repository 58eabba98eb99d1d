{{- /* Ratings of the time by what became of the order: of its promise, and of its founded cases by the time of the rating. Listed, it gives each rating. */ -}}
WITH events AS (
        SELECT * FROM {{.Failures}} {{.First}} unit IN ({{template "order_candidates" .}}) {{.Then}} refused = '' AND {{.Known}}),
    {{.Cases}}
SELECT if(o.order_id = '', 'none', o.outcome) AS promise,
       multiIf(w.founded_cases = 0, 'no_case', x.fixed_at IS NOT NULL AND x.fixed_at <= f.at, 'fixed', 'not_fixed') AS fix,
       {{if .Listed}}f.order_id AS `order`, toDate(f.at, @zone) AS rated, f.rating AS rating, 1 AS ratings, f.open AS public{{else -}}
       count() AS ratings, sum(f.rating) AS points, countIf(f.rating <= 2) AS low, countIf(f.open) AS public{{end}}
FROM (
    SELECT order_id, occurred_at AS at, toUInt64OrZero(JSONExtract(payload, 'rating', 'String')) AS rating, JSONExtractBool(payload, 'public') AS open
    FROM {{.Ledger}}
    {{.First}} event_type = {{event "feedback.received"}}
    {{.Then}} refused = '' AND {{template "in_days" .}} AND {{.Known}} AND {{template "counts" .}}
        AND (@store = '' OR store_id = @store)) AS f
LEFT JOIN ({{template "order_outcomes" .}}) AS o ON o.order_id = f.order_id
LEFT JOIN (SELECT unit, countIf(founded = 'yes') AS founded_cases FROM cases GROUP BY unit) AS w ON w.unit = f.order_id
LEFT JOIN (
    SELECT unit, min(toNullable(occurred_at)) AS fixed_at FROM events
    WHERE event_type IN {{events "redelivery.completed" "refund.issued" "concession.granted"}} AND {{template "counts" .}} GROUP BY unit) AS x ON x.unit = f.order_id
{{- if not .Listed}}
GROUP BY promise, fix ORDER BY promise, fix
{{- end}}
