{{- /* The journal lines of the cases' costs, by event. */ -}}
SELECT if(l_order != '', l_order, unit) AS of_unit, l_case AS of_case, toString(l_element) AS of_element, toString(source) AS of_source, event_id, occurred_at,
       toString(l_account) AS of_account, toDecimalString(sum({{money "l_amount"}}), 4) AS of_amount
FROM {{.Failures}}
ARRAY JOIN account AS l_account, element AS l_element, amount AS l_amount, line_case AS l_case, line_currency AS l_currency, line_store AS l_store, line_order AS l_order
WHERE refused = '' AND {{.Known}} AND day >= toDate(@from) AND day < toDate(@to) AND l_currency = @currency AND (@store = '' OR l_store = @store)
    AND {{cost "l_element"}} AND l_case != '' AND unit IN ({{template "vendor_units" .}})
GROUP BY of_unit, of_case, of_element, of_source, event_id, occurred_at, of_account
HAVING sum({{money "l_amount"}}) != 0
ORDER BY of_unit, of_case, of_element, occurred_at, of_source, event_id, of_account
