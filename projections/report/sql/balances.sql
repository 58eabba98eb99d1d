SELECT toString(a) AS number,
       multiIf(a IN ({{account "return_asset"}}, {{account "goods_owed"}}), l_case, a = {{account "claims_receivable"}}, {{template "said" "claim_id"}},
           a = {{account "dispute_receivable"}}, {{template "said" "dispute_id"}},
           a = {{account "voucher_liability"}}, if({{template "said" "concession_id"}} != '', {{template "said" "concession_id"}}, {{template "said" "refund_id"}}),
           formatDateTime(posting_period, '%Y-%m')) AS reference,
       argMin(l_store, (occurred_at, source, event_id)) AS store, l_currency AS currency,
       toDecimalString(sum({{money "x"}}), 4) AS balance, min(occurred_at) AS since,
       arraySlice(arrayMap(e -> concat(e.2, ' ', e.3), arraySort(groupArray((occurred_at, source, event_id)))), 1, 20) AS events
FROM (SELECT *, {{line_case}} AS cases, {{line_currency}} AS currencies, {{line_store}} AS stores FROM {{.Ledger}})
ARRAY JOIN account AS a, amount AS x, cases AS l_case, currencies AS l_currency, stores AS l_store
WHERE refused = '' AND {{.Known}}
{{- if .Close}} AND posting_period <= toDate(@month){{end}}
    AND hasAny(account, [{{accounts .Accounts}}]) AND a IN ({{accounts .Accounts}})
GROUP BY a, reference, l_currency, if(a = {{account "accrued_costs"}}, l_store, '')
HAVING sum({{money "x"}}) != 0
ORDER BY since, number, reference, currency LIMIT @limit
