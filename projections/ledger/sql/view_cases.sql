WITH events AS (SELECT * FROM failures FINAL WHERE refused = ''),
    {{- template "case_facts" .Gone}},
    facts AS (
        SELECT if(f_order != '', f_order, of_unit) AS unit, fact AS error_id, argMin(store_id, (occurred_at, source, event_id)) AS store_id,
               min(occurred_at) AS reported_at
        FROM (SELECT * EXCEPT unit, unit AS of_unit FROM events) ARRAY JOIN fact_case AS fact, fact_order AS f_order GROUP BY unit, error_id),
    homes AS (SELECT unit, max(order_id) AS order_id FROM events GROUP BY unit),
    money AS (
        SELECT if(l_order != '', l_order, of_unit) AS unit, l_case AS error_id, l_currency AS currency,
               sumIf({{money "x"}}, {{cost "e"}}) AS gross, sumIf({{money "x"}}, {{leaks "e"}}) AS net,
               sumIf({{money "x"}}, {{cost "e"}} AND {{imputed "b"}}) AS hidden
        FROM (SELECT * EXCEPT unit, unit AS of_unit FROM events)
        ARRAY JOIN element AS e, basis AS b, amount AS x, line_case AS l_case, line_currency AS l_currency, line_order AS l_order
        GROUP BY unit, error_id, currency)
SELECT f.error_id AS error_id, h.order_id AS order_id, f.store_id AS store_id, f.reported_at AS reported_at,
       c.kind AS kind, c.root_cause AS root_cause, c.party_at_fault AS party_at_fault, c.vendor_id AS vendor_id,
       c.avoidable AS avoidable, c.category AS category,
       c.founded = 'yes' AS founded, c.reported = 'yes' AS reported, c.same_as AS same_as,
       m.currency AS currency, m.gross AS gross, m.net AS net, m.hidden AS hidden
FROM facts AS f LEFT JOIN cases AS c ON c.unit = f.unit AND c.error_id = f.error_id
    LEFT JOIN homes AS h ON h.unit = f.unit
    LEFT JOIN money AS m ON m.unit = f.unit AND m.error_id = f.error_id
WHERE NOT c.gone
