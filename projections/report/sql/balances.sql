SELECT toString(a) AS number,
       multiIf(a = {{account "return_asset"}}, error_id, a = {{account "claims_receivable"}}, {{template "said" "claim_id"}},
           a = {{account "dispute_receivable"}}, {{template "said" "dispute_id"}},
           a = {{account "voucher_liability"}}, {{template "said" "concession_id"}},
           formatDateTime(posting_period, '%Y-%m')) AS reference,
       argMin(store_id, (occurred_at, source, event_id)) AS store, currency,
       toDecimalString(sum({{money "x"}}), 4) AS balance, min(occurred_at) AS since,
       arraySlice(arrayMap(e -> concat(e.2, ' ', e.3), arraySort(groupArray((occurred_at, source, event_id)))), 1, 20) AS events
FROM ledger FINAL ARRAY JOIN account AS a, amount AS x
WHERE refused = '' AND {{.Known}}
{{- if .Close}} AND posting_period <= toDate(@month){{end}}
    AND hasAny(account, [{{accounts .Accounts}}]) AND a IN ({{accounts .Accounts}})
GROUP BY a, reference, currency, if(a = {{account "accrued_costs"}}, store_id, '')
HAVING sum({{money "x"}}) != 0
ORDER BY since, number, reference, currency LIMIT @limit
