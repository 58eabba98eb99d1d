{{- /* The orders under which a case is named that another order names too: they are settled together, and what is of one may
stand with an event of the other. */ -}}
SELECT order_id FROM case_units WHERE order_id != '' AND error_id IN (
    SELECT error_id FROM case_units WHERE order_id != '' GROUP BY error_id HAVING uniqExact(order_id) > 1)
