WITH events AS (
        SELECT * FROM {{.Failures}}
        {{.First}} (unit IN (SELECT arrayJoin(arrayConcat([unit], line_order)) FROM {{.Failures}} WHERE {{template "booked_days" .}}) OR unit IN ({{.Shared}}))
        {{.Then}} refused = '' AND {{.Known}}),
    {{.Cases}}
SELECT toDecimalString(sumIf({{money "x"}}, {{is_account "clearing"}}), 4), toDecimalString(-sumIf({{money "x"}}, {{profit_and_loss "a"}}), 4)
FROM (
    -- An entry may hold what a customer changed and what the business changed: one with failure cost is the business's.
    SELECT if(l_order != '', l_order, e.unit) AS unit, l_case, a, x
    FROM events AS e
    ARRAY JOIN account AS a, amount AS x, step AS s, line_case AS l_case, line_currency AS l_currency, line_store AS l_store, line_order AS l_order
    WHERE {{template "booked_days" .}} AND (@store = '' OR l_store = @store) AND l_currency = @currency
        AND (s = 'fix' OR s = 'change' AND arrayExists((e, t) -> {{leaks "e"}} AND t = 'change', element, step))) AS l
LEFT JOIN cases AS c ON c.unit = l.unit AND c.error_id = l.l_case
WHERE {{failed "c.kind"}} AND c.was_founded != 'no'
