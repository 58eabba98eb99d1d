{{template "leakage_amounts" .}},
    uniqExactIf((unit, error_id), error_id != '' AND founded != '') AS cases,
    uniqExactIf(order_id, order_id != '' AND (error_id = '' OR founded != '')) AS orders
