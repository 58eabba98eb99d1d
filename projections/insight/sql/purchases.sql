{{- /* All orders of the customers of the time, by customer: moment, order, day, contribution, store, channel, basket; each the oldest first. */ -}}
SELECT customer_id, arraySort(groupArray((occurred_at, order_id, day, contribution, store, channel, basket))) AS bought
        FROM (
            SELECT customer_id, order_id, day, occurred_at, toString(store_id) AS store, JSONExtractString(payload, 'channel') AS channel,
                   toFloat64(-arraySum(arrayMap((a, s, x) -> if(s = 'perfect' AND {{revenue "a"}}, {{money "x"}}, {{zero}}), account, step, amount))) AS basket,
                   toFloat64(-arraySum(arrayMap((a, s, x) -> if(s = 'perfect' AND {{profit_and_loss "a"}}, {{money "x"}}, {{zero}}), account, step, amount))) AS contribution
            FROM {{.Ledger}}
            {{.First}} event_type = {{event "order.placed"}}
            {{.Then}} currency = @currency AND {{template "standing" .}} AND customer_id IN (
                {{- if eq .With "drawn"}}
                SELECT customer_id FROM ledger WHERE customer_id != '' AND event_type = {{event "order.placed"}} AND order_id IN (SELECT order_id FROM reports)
                {{- else}}
                SELECT customer_id FROM ledger WHERE customer_id != '' AND {{template "in_period" .}}
                {{- end}}))
        GROUP BY customer_id
