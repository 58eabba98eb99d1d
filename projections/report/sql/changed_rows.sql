
WITH late AS (
        SELECT *, line_currency FROM ledger FINAL WHERE refused = '' AND NOT {{.StoodBefore}}
            AND event_type NOT IN {{events "period.closed" "period.reopened" "books.sealed"}}),
    voided AS (
        SELECT source, event_id FROM ledger FINAL
        WHERE (source, event_id) IN (SELECT voids_source, voids_id FROM late WHERE voids_id != '')
            AND toDate(@month) IN (origin_period, posting_period)),
    classified AS (
        SELECT DISTINCT error_id FROM failures FINAL
        WHERE refused = '' AND error_id IN (SELECT error_id FROM late WHERE event_type IN {{events "error.classified" "error.rejected"}})
            AND toDate(@month) IN (origin_period, posting_period) AND arrayExists(e -> {{leaks "e"}}, element))
SELECT source, event_id, event_type, order_id, error_id, store_id, of_currency AS currency, occurred_at, recorded_at, stream, partition, offset,
       formatDateTime(origin_period, '%Y-%m') AS origin, formatDateTime(posting_period, '%Y-%m') AS posting,
       multiIf(posting_period = toDate(@month), 'posting', origin_period = toDate(@month), 'origin',
               voids_id != '' AND (voids_source, voids_id) IN voided, 'void',
               event_type IN {{events "error.classified" "error.rejected"}} AND error_id IN classified, 'case', '') AS touches,
       arraySum(arrayMap((c, e, x) -> if(c = of_currency AND {{leaks "e"}}, {{money "x"}}, {{zero}}), currencies, element, amount)) AS net_amount,
       -arraySum(arrayMap((c, a, x) -> if(c = of_currency AND {{profit_and_loss "a"}}, {{money "x"}}, {{zero}}), currencies, account, amount)) AS profit_amount,
       arraySum(arrayMap((c, a, x) -> if(c = of_currency AND {{is_account "clearing"}}, {{money "x"}}, {{zero}}), currencies, account, amount)) AS cash_amount
FROM (SELECT * EXCEPT (currency), toString(currency) AS own_currency, {{line_currency}} AS currencies FROM late) AS l
ARRAY JOIN if(empty(currencies), [own_currency], arrayDistinct(currencies)) AS of_currency
WHERE touches != ''
