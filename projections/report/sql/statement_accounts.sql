{{if .Vendor}}{{template "statement_cases_known" .}}
{{end -}}
SELECT currency, a, toDecimalString(opening, 4), toDecimalString(debit, 4), toDecimalString(credit, 4),
       toDecimalString(opening + debit - credit, 4)
FROM (
    SELECT currency, a, sumIf({{money "x"}}, {{.Month}} < toDate(@month) AND {{balance_sheet "a"}}) AS opening,
           sumIf({{money "x"}}, {{.Month}} = toDate(@month) AND x > 0) AS debit,
           -sumIf({{money "x"}}, {{.Month}} = toDate(@month) AND x < 0) AS credit
    FROM ledger FINAL ARRAY JOIN account AS a, amount AS x
    WHERE refused = '' AND {{.Month}} <= toDate(@month) AND {{.Known}}
        AND {{if .Vendor}}error_id != '' AND error_id IN (SELECT error_id FROM cases WHERE vendor_id = @vendor)
        {{- else}}store_id = @store{{end}}
    GROUP BY currency, a)
WHERE opening != 0 OR debit != 0 OR credit != 0
ORDER BY currency, a
