SELECT formatDateTime(booked_on, '%Y-%m') AS month, toDecimalString(-sum(sales), 4), toDecimalString(-sumIf(profit, stands), 4),
       uniqExactIf(order_id, stands), toDecimalString(sum(prevention), 4), toDecimalString(sum(appraisal), 4)
FROM (
    SELECT {{template "booked_day" .}} AS booked_on, order_id,
           event_type = {{event "order.placed"}} AND (source, event_id) NOT IN ({{template "voided_events" .}}) AS stands,
           {{sum_lines (is_account "sales")}} AS sales,
           {{sum_lines (profit_and_loss "a")}} AS profit,
           {{sum_lines (is_account "prevention")}} AS prevention,
           {{sum_lines (is_account "appraisal")}} AS appraisal
    FROM ledger FINAL
    WHERE (notEmpty(account) OR event_type = {{event "order.placed"}}) AND refused = '' AND {{template "booked" .}}
        AND currency = @currency AND {{.Known}})
GROUP BY month WITH ROLLUP
