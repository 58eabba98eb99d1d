WITH events AS (
        SELECT * FROM failures FINAL WHERE refused = '' AND {{.Known}}
            AND error_id IN (SELECT error_id FROM ledger WHERE {{template "fixes" .}} AND error_id != '')),
    {{.Cases}}
SELECT toDecimalString(sum({{sum_lines (is_account "clearing")}}), 4), toDecimalString(-sum({{sum_lines (profit_and_loss "a")}}), 4)
FROM ledger FINAL
WHERE {{template "fixes" .}} AND error_id NOT IN (SELECT error_id FROM cases WHERE {{not_failed "kind"}})
