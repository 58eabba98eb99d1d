SELECT unit, error_id, any(order_id) AS of_order, min(toString(store_id)) AS of_store, any(vendor_id) AS vendor, any(kind) AS of_kind, any(root_cause) AS cause, any(party_at_fault) AS party,
       toString(element) AS of_element, toDecimalString(sum(amount), 4) AS amount
FROM {{.Leakage}}
WHERE part = 'leakage' AND lines > 0 AND error_id != '' AND day >= toDate(@from) AND day < toDate(@to) AND currency = @currency
    AND (@store = '' OR store_id = @store) AND {{template "vendor_caused"}}
GROUP BY unit, error_id, of_element
ORDER BY unit, error_id, of_element
