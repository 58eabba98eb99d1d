WITH gone AS ({{template "cancelled_whole" .}})
SELECT formatDateTime(booked_on, '%Y-%m') AS month, toDecimalString(-sum(sales), 4), toDecimalString(-sumIf(perfect, stays), 4),
       uniqExactIf(order_id, stands AND stays), toDecimalString(sum(prevention), 4), toDecimalString(sum(appraisal), 4)
FROM (
    SELECT {{template "booked_day" .}} AS booked_on, order_id,
           order_id NOT IN gone AS stays,
           event_type = {{event "order.placed"}} AND NOT {{template "does_not_count"}} AND (source, event_id) NOT IN ({{template "voided_events" .}}) AS stands,
           {{sum_lines (is_account "sales")}} AS sales,
           arraySum(arrayMap((a, s, x) -> if(s = 'perfect' AND {{profit_and_loss "a"}}, {{money "x"}}, {{zero}}), account, step, amount)) AS perfect,
           {{sum_lines (is_account "prevention")}} AS prevention,
           {{sum_lines (is_account "appraisal")}} AS appraisal
    FROM ledger FINAL
    WHERE (notEmpty(account) OR event_type = {{event "order.placed"}}) AND refused = '' AND {{template "booked" .}}
        AND currency = @currency AND {{.Known}})
GROUP BY month WITH ROLLUP
