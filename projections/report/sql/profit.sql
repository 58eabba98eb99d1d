SELECT toDecimalString(-sumIf(x, seen AND s = 'perfect' AND {{revenue "a"}}), 4), toDecimalString(-sumIf(x, seen AND s = 'perfect' AND pl), 4),
       toDecimalString(-sumIf(x, seen AND pl), 4), toDecimalString(sumIf(x, seen AND {{leaks "e"}}), 4),
       toDecimalString(sumIf(x, seen AND pl AND NOT {{leaks "e"}} AND s != 'perfect'), 4), uniqExactIf(order_id, placed)
FROM (
    SELECT order_id, event_type = {{event "order.placed"}} AND {{template "counts" .}} AND currency = @currency AS placed, a, toString(s_) AS s, toString(e_) AS e,
           toString(b_) AS b, {{profit_and_loss "a"}} AS pl, CAST(x_ AS Decimal(38, 4)) AS x, l_currency = @currency AND {{.Bases}} AS seen
    FROM {{.Ledger}}
    -- An order counts where nothing of it stands with the event that placed it: given away, or decided for after a close.
    LEFT ARRAY JOIN account AS a, element AS e_, basis AS b_, step AS s_, amount AS x_, {{line_currency}} AS l_currency
    WHERE (l_currency = @currency OR event_type = {{event "order.placed"}}) AND refused = '' AND {{.Known}}
        AND occurred_at < toDate(@to) + INTERVAL 2 DAY
{{- if .Posting}}
        AND greatest(day, posting_period) >= toDate(@from) AND greatest(day, posting_period) < toDate(@to)
{{- else}}
        -- No zone is further than a day from UTC; the months outside are not read.
        AND occurred_at >= toDate(@from) - INTERVAL 2 DAY AND day >= toDate(@from) AND day < toDate(@to)
{{- end}})
