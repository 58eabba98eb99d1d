SELECT toString({{if .Monthly}}least(toLastDayOfMonth({{template "booked_day" .}}), toDate(@to) - 1){{else}}{{template "booked_day" .}}{{end}}) AS entry_date,
       {{imputed "b"}} AS memo, currency,
{{- if .Events}}
       source AS e_source, event_id AS e_id, event_type AS e_type, order_id AS e_order, error_id AS e_case,
{{- else}}
       '' AS e_source, '' AS e_id, '' AS e_type, '' AS e_order, '' AS e_case,
{{- end}}
       store_id, a, toDecimalString(sum({{money "x"}}), 4)
FROM ledger FINAL ARRAY JOIN account AS a, basis AS b, amount AS x
WHERE {{template "journal_where" .}}
GROUP BY entry_date, memo, currency, e_source, e_id, e_type, e_order, e_case, store_id, a
ORDER BY entry_date, memo, currency, e_source, e_id, e_type, e_order, e_case, store_id, a
