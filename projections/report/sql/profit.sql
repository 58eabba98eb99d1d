SELECT toDecimalString(-sumIf(x, placed AND {{revenue "a"}}), 4), toDecimalString(-sumIf(x, placed AND pl), 4),
       toDecimalString(-sumIf(x, pl), 4), toDecimalString(sumIf(x, {{leaks "e"}}), 4),
       toDecimalString(sumIf(x, pl AND NOT {{leaks "e"}} AND NOT placed), 4), uniqExactIf(order_id, placed AND voids_type = '')
FROM (
    SELECT order_id, voids_type, {{event "order.placed"}} IN (event_type, voids_type) AS placed, a, toString(e_) AS e, toString(b_) AS b,
           {{profit_and_loss "a"}} AS pl, CAST(x_ AS Decimal(38, 4)) AS x
    FROM ledger AS l FINAL
    ARRAY JOIN l.account AS a, l.element AS e_, l.basis AS b_, l.amount AS x_
    WHERE currency = @currency AND refused = '' AND {{.Known}}
        AND occurred_at < toDate(@to) + INTERVAL 2 DAY
{{- if .Posting}}
        AND greatest(day, posting_period) >= toDate(@from) AND greatest(day, posting_period) < toDate(@to)
{{- else}}
        -- No zone is further than a day from UTC; the months outside are not read.
        AND occurred_at >= toDate(@from) - INTERVAL 2 DAY AND day >= toDate(@from) AND day < toDate(@to)
{{- end}})
WHERE {{.Bases}}
