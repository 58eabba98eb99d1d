WITH events AS (SELECT * FROM {{.Failures}} WHERE refused = '' AND {{.Known}}),
    {{.Cases}}
SELECT toDecimalString(sumIf({{money "x"}}, {{is_account "clearing"}}), 4), toDecimalString(-sumIf({{money "x"}}, {{profit_and_loss "a"}}), 4)
FROM (
    SELECT unit, l_case, a, x
    FROM events
    ARRAY JOIN account AS a, amount AS x, line_case AS l_case, line_currency AS l_currency, line_store AS l_store
    WHERE {{template "booked_days" .}} AND (@store = '' OR l_store = @store) AND l_currency = @currency
        AND (l_case != '' OR arrayExists(e -> {{leaks "e"}}, element))) AS l
LEFT JOIN cases AS c ON c.unit = l.unit AND c.error_id = l.l_case
WHERE {{failed "c.kind"}} AND c.was_founded != 'no'
