{{- /* What was spent on prevention, by the cause and the store it was meant for. It sums to account 6100. What a void takes back is of the
original's cause. Listed, it gives each event of the time. */ -}}
{{if .Listed -}}
SELECT toString(source) AS source, event_id AS event, day, if(said = '', JSONExtractString(payload, 'original', 'data', 'target_cause'), said) AS cause,
       toString(store_id) AS meant_for, toDecimalString({{sum_lines (is_account "prevention")}}, 4) AS spent
{{- else -}}
SELECT toString(store_id) AS store, if(said = '', JSONExtractString(payload, 'original', 'data', 'target_cause'), said) AS cause,
       toString(minIf(day, event_type = {{event "quality.spent"}})) AS first,
       toDecimalString(sumIf({{sum_lines (is_account "prevention")}}, day >= toDate(@from)), 4) AS spent,
       toFloat64(sum({{sum_lines (is_account "prevention")}})) AS since,
       toFloat64(sumIf({{sum_lines (is_account "prevention")}}, day >= toDate(@to) - 365)) AS year
{{- end}}
FROM (
    SELECT *, JSONExtractString(payload, 'target_cause') AS said FROM {{.Ledger}}
    {{.First}} order_id = ''
    {{.Then}} refused = '' AND day < toDate(@to) AND currency = @currency AND (@store = '' OR store_id = @store) AND {{.Known}}
        AND has(account, {{account "prevention"}}))
{{- if .Listed}}
WHERE day >= toDate(@from)
{{- else}}
GROUP BY store, cause ORDER BY cause, store
{{- end}}
