{{- /* A fix that nobody reported is a case as well. What was found before delivery never reached the customer. */}}
    WITH events AS (
        SELECT * FROM {{.Failures}}
        {{.First}} (unit IN ({{template "delivered_orders" .}}) OR unit IN ({{.Shared}}))
        {{.Then}} refused = '' AND {{.Known}}),
        {{.Cases}}
    SELECT unit AS order_id, countIf(NOT gone) AS reports, countIf(founded = 'yes') AS wrong,
           countIf(founded = 'yes' AND category != 'internal' AND kind IN {{kinds "missing_item" "not_delivered"}}) AS not_in_full,
           countIf(founded = 'yes' AND category != 'internal' AND kind IN {{kinds "damaged" "defective"}}) AS damaged,
           countIf(founded = 'yes' AND category != 'internal' AND kind IN {{kinds "wrong_item" "not_as_described" "over_shipped"}}) AS not_right
    FROM cases GROUP BY order_id
