{{if .Vendor}}{{template "statement_cases_known" .}}
{{end -}}
SELECT of_currency, a, toDecimalString(opening, 4), toDecimalString(debit, 4), toDecimalString(credit, 4),
       toDecimalString(opening + debit - credit, 4)
FROM (
    SELECT l_currency AS of_currency, a, sumIf({{money "x"}}, {{.Month}} < toDate(@month) AND {{balance_sheet "a"}}) AS opening,
           sumIf({{money "x"}}, {{.Month}} = toDate(@month) AND x > 0) AS debit,
           -sumIf({{money "x"}}, {{.Month}} = toDate(@month) AND x < 0) AS credit
    FROM {{.Ledger}}
    ARRAY JOIN account AS a, amount AS x, {{line_case}} AS l_case, {{line_currency}} AS l_currency, {{line_store}} AS l_store, {{line_unit}} AS l_unit
    WHERE refused = '' AND {{.Month}} <= toDate(@month) AND {{.Known}}
        AND {{if .Vendor}}l_case != '' AND (l_unit, l_case) IN (SELECT unit, error_id FROM cases WHERE vendor_id = @vendor)
        {{- else}}l_store = @store{{end}}
    GROUP BY of_currency, a)
WHERE opening != 0 OR debit != 0 OR credit != 0
ORDER BY of_currency, a
