{{- /* How many rows the ledger has of orders, with the sum of their versions and these bit by bit. Of a row the highest version counts. */ -}}
SELECT order_id, count(), sum(highest), groupBitXor(highest)
FROM (
    SELECT order_id, max(version) AS highest FROM ledger
    WHERE order_id IN (SELECT name FROM names)
    GROUP BY order_id, source, event_id, content)
GROUP BY order_id
