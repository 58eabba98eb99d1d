
WITH late AS (
        SELECT * FROM ledger FINAL WHERE refused = '' AND NOT {{.StoodBefore}}
            AND event_type NOT IN {{events "period.closed" "period.reopened"}}),
    voided AS (
        SELECT source, event_id FROM ledger FINAL
        WHERE (source, event_id) IN (SELECT voids_source, voids_id FROM late WHERE voids_id != '')
            AND toDate(@month) IN (origin_period, posting_period)),
    classified AS (
        SELECT DISTINCT error_id FROM failures FINAL
        WHERE refused = '' AND error_id IN (SELECT error_id FROM late WHERE event_type IN {{events "error.classified" "error.rejected"}})
            AND toDate(@month) IN (origin_period, posting_period) AND arrayExists(e -> {{leaks "e"}}, element))
SELECT source, event_id, event_type, order_id, error_id, store_id, currency, occurred_at, recorded_at, stream, partition, offset,
       formatDateTime(origin_period, '%Y-%m') AS origin, formatDateTime(posting_period, '%Y-%m') AS posting,
       multiIf(posting_period = toDate(@month), 'posting', origin_period = toDate(@month), 'origin',
               voids_id != '' AND (voids_source, voids_id) IN voided, 'void',
               event_type IN {{events "error.classified" "error.rejected"}} AND error_id IN classified, 'case', '') AS touches,
       {{sum_lines (leaks "e")}} AS net_amount, -{{sum_lines (profit_and_loss "a")}} AS profit_amount,
       {{sum_lines (is_account "clearing")}} AS cash_amount
FROM late WHERE touches != ''
