WITH in_question AS (
        SELECT arrayJoin(arrayConcat([order_id], {{line_unit}})) FROM {{.Ledger}}
        WHERE (notEmpty(account) OR event_type = {{event "order.placed"}}) AND refused = '' AND {{template "booked_days" .}} AND {{.Known}}),
    gone AS ({{template "cancelled_whole" .}})
SELECT formatDateTime(booked_on, '%Y-%m') AS month, toDecimalString(-sum(sales), 4), toDecimalString(-sum(perfect), 4),
       uniqExactIf(order_id, stands AND stays), toDecimalString(sum(prevention), 4), toDecimalString(sum(appraisal), 4)
FROM (
    SELECT {{template "booked_day" .}} AS booked_on, order_id,
           order_id NOT IN gone AS stays,
           event_type = {{event "order.placed"}} AND currency = @currency AND (@store = '' OR store_id = @store) AND {{template "counts" .}} AS stands,
           arrayMap((c, t) -> c = @currency AND (@store = '' OR t = @store), {{line_currency}}, {{line_store}}) AS own,
           -- A decision, or an event of an order that names the same case, may hold lines of this one.
           arrayMap(o -> o NOT IN gone, {{line_unit}}) AS remains,
           arraySum(arrayMap((a, o, x) -> if(o AND {{is_account "sales"}}, {{money "x"}}, {{zero}}), account, own, amount)) AS sales,
           arraySum(arrayMap((a, s, o, r, x) -> if(o AND r AND s = 'perfect' AND {{profit_and_loss "a"}}, {{money "x"}}, {{zero}}), account, step, own, remains, amount)) AS perfect,
           arraySum(arrayMap((a, o, x) -> if(o AND {{is_account "prevention"}}, {{money "x"}}, {{zero}}), account, own, amount)) AS prevention,
           arraySum(arrayMap((a, o, x) -> if(o AND {{is_account "appraisal"}}, {{money "x"}}, {{zero}}), account, own, amount)) AS appraisal
    FROM {{.Ledger}}
    WHERE (notEmpty(account) OR event_type = {{event "order.placed"}}) AND refused = '' AND {{template "booked_days" .}} AND {{.Known}})
GROUP BY month WITH ROLLUP
