SELECT toString(a) AS number,
       multiIf(a IN (1210, 2410), l_case, a = 1300, if(voids_id = '', JSONExtractString(payload, 'claim_id'), JSONExtractString(payload, 'original', 'data', 'claim_id')),
           a = 1310, if(voids_id = '', JSONExtractString(payload, 'dispute_id'), JSONExtractString(payload, 'original', 'data', 'dispute_id')),
           a = 2300, if(if(voids_id = '', JSONExtractString(payload, 'concession_id'), JSONExtractString(payload, 'original', 'data', 'concession_id')) != '', if(voids_id = '', JSONExtractString(payload, 'concession_id'), JSONExtractString(payload, 'original', 'data', 'concession_id')), if(voids_id = '', JSONExtractString(payload, 'refund_id'), JSONExtractString(payload, 'original', 'data', 'refund_id'))),
           formatDateTime(posting_period, '%Y-%m')) AS reference,
       argMin(l_store, (occurred_at, source, event_id)) AS store, l_currency AS currency,
       toDecimalString(sum(CAST(x AS Decimal(38, 4))), 4) AS balance, min(occurred_at) AS since,
       arraySlice(arrayMap(e -> concat(e.2, ' ', e.3), arraySort(groupArray((occurred_at, source, event_id)))), 1, 20) AS events
FROM (SELECT *, if(empty(line_case), arrayWithConstant(length(account), error_id), line_case) AS cases, if(empty(line_currency), arrayWithConstant(length(account), toString(currency)), line_currency) AS currencies, if(empty(line_store), arrayWithConstant(length(account), toString(store_id)), line_store) AS stores FROM ledger FINAL)
ARRAY JOIN account AS a, amount AS x, cases AS l_case, currencies AS l_currency, stores AS l_store
WHERE refused = '' AND true
    AND hasAny(account, [1210, 1300, 1310, 2300, 2400, 2410]) AND a IN (1210, 1300, 1310, 2300, 2400, 2410)
GROUP BY a, reference, l_currency, if(a = 2400, l_store, '')
HAVING sum(CAST(x AS Decimal(38, 4))) != 0
ORDER BY since, number, reference, currency LIMIT @limit;
-- with [{limit 10000}]

SELECT toString(a) AS number,
       multiIf(a IN (1210, 2410), l_case, a = 1300, if(voids_id = '', JSONExtractString(payload, 'claim_id'), JSONExtractString(payload, 'original', 'data', 'claim_id')),
           a = 1310, if(voids_id = '', JSONExtractString(payload, 'dispute_id'), JSONExtractString(payload, 'original', 'data', 'dispute_id')),
           a = 2300, if(if(voids_id = '', JSONExtractString(payload, 'concession_id'), JSONExtractString(payload, 'original', 'data', 'concession_id')) != '', if(voids_id = '', JSONExtractString(payload, 'concession_id'), JSONExtractString(payload, 'original', 'data', 'concession_id')), if(voids_id = '', JSONExtractString(payload, 'refund_id'), JSONExtractString(payload, 'original', 'data', 'refund_id'))),
           formatDateTime(posting_period, '%Y-%m')) AS reference,
       argMin(l_store, (occurred_at, source, event_id)) AS store, l_currency AS currency,
       toDecimalString(sum(CAST(x AS Decimal(38, 4))), 4) AS balance, min(occurred_at) AS since,
       arraySlice(arrayMap(e -> concat(e.2, ' ', e.3), arraySort(groupArray((occurred_at, source, event_id)))), 1, 20) AS events
FROM (SELECT *, if(empty(line_case), arrayWithConstant(length(account), error_id), line_case) AS cases, if(empty(line_currency), arrayWithConstant(length(account), toString(currency)), line_currency) AS currencies, if(empty(line_store), arrayWithConstant(length(account), toString(store_id)), line_store) AS stores FROM ledger FINAL)
ARRAY JOIN account AS a, amount AS x, cases AS l_case, currencies AS l_currency, stores AS l_store
WHERE refused = '' AND ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7)) AND posting_period <= toDate(@month)
    AND hasAny(account, [1210, 1300, 1310, 2300, 2400, 2410]) AND a IN (1210, 1300, 1310, 2300, 2400, 2410)
GROUP BY a, reference, l_currency, if(a = 2400, l_store, '')
HAVING sum(CAST(x AS Decimal(38, 4))) != 0
ORDER BY since, number, reference, currency LIMIT @limit;
-- with [{limit 10000} {month 2026-01-01}]

