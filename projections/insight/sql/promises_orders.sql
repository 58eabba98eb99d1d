SELECT store_id AS store, {{template "promise_group" .}} AS grouped,
{{- template "promise_figures"}}
FROM (
    SELECT o.*, o.channel AS how, l.net AS leaked
    FROM ({{template "order_outcomes" .}}) AS o
    LEFT JOIN (
        SELECT order_id, sum(amount) AS net FROM {{.Leakage}}
        WHERE part = 'leakage' AND lines > 0 AND currency = @currency AND order_id != '' GROUP BY order_id) AS l ON l.order_id = o.order_id
    WHERE toDate(o.until, @zone) >= toDate(@from) AND toDate(o.until, @zone) < toDate(@to)
        AND (@store = '' OR o.store_id = @store) AND o.currency = @currency)
GROUP BY store, grouped ORDER BY store, grouped
