{{- /* What each case cost in the time, by the store that sold. What an order cost without a case stands as a row without one. */ -}}
SELECT error_id AS `case`, min(order_id) AS `order`, toString(if(selling_store = '', store_id, selling_store)) AS store, toString(root_cause) AS cause,
       toString(vendor_id) AS vendor, toString(any(kind)) AS kind, toDecimalString(sum(amount), 4) AS net
FROM {{.Leakage}}
WHERE part = 'leakage' AND lines > 0 AND day >= toDate(@from) AND day < toDate(@to) AND currency = @currency
GROUP BY unit, error_id, store, cause, vendor
HAVING @store = '' OR store = @store
