SELECT multiIf(l.order_id = '', 'no_order', o.order_id = '', 'none', o.outcome) AS outcome, uniqExactIf(l.order_id, l.order_id != '') AS orders,
       toDecimalString(sum(l.net), 4) AS leakage
FROM (
    SELECT order_id, sum(amount) AS net FROM {{.Leakage}}
    WHERE part = 'leakage' AND lines > 0 AND day >= toDate(@from) AND day < toDate(@to) AND currency = @currency AND (@store = '' OR store_id = @store)
    GROUP BY order_id) AS l
LEFT JOIN ({{template "order_outcomes" .}}) AS o ON o.order_id = l.order_id
GROUP BY outcome ORDER BY outcome
