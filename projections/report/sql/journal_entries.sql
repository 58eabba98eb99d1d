SELECT toString({{if .Monthly}}least(toLastDayOfMonth({{template "booked_day" .}}), toDate(@to) - 1){{else}}{{template "booked_day" .}}{{end}}) AS entry_date,
       {{imputed "b"}} AS memo, l_currency,
{{- if .Events}}
       source AS e_source, event_id AS e_id, event_type AS e_type, order_id AS e_order, error_id AS e_case,
{{- else}}
       '' AS e_source, '' AS e_id, '' AS e_type, '' AS e_order, '' AS e_case,
{{- end}}
       l_store, a, toDecimalString(sum({{money "x"}}), 4)
FROM {{.Ledger}} ARRAY JOIN account AS a, basis AS b, amount AS x, {{line_currency}} AS l_currency, {{line_store}} AS l_store
WHERE {{template "journal_where" .}}
{{- if .Currency}} AND l_currency = @currency{{end}}
GROUP BY entry_date, memo, l_currency, e_source, e_id, e_type, e_order, e_case, l_store, a
ORDER BY entry_date, memo, l_currency, e_source, e_id, e_type, e_order, e_case, l_store, a
