WITH events AS (SELECT * FROM failures FINAL WHERE refused = ''),
    {{- template "case_facts" .Gone}},
    facts AS (
        SELECT order_id, if(countIf({{template "placed"}}) > 0, argMinIf(store_id, occurred_at, {{template "placed"}}), argMin(store_id, (occurred_at, source, event_id))) AS store_id,
               minIf(occurred_at, {{template "placed"}}) AS placed_at,
               maxIf(coalesce(parseDateTime64BestEffortOrNull(JSONExtractString(payload, 'delivered_at'), 6, 'UTC'), occurred_at),
                     event_type = {{event "order.delivered"}} AND standing = '') AS delivered_at
        FROM ledger FINAL WHERE order_id != '' AND refused = '' GROUP BY order_id),
    counted AS (SELECT unit, countIf(NOT gone) AS n FROM cases GROUP BY unit),
    lines AS (
        -- What is said of an order's case alone, and what was decided, names no order.
        SELECT l_unit AS order_id, l_currency AS currency, l_case, toString(e_) AS e, toString(b_) AS b, toString(s_) AS s, x,
               {{profit_and_loss "a"}} AS pl
        FROM (SELECT *, {{line_case}} AS of_case, {{line_currency}} AS of_currency, {{line_unit}} AS of_unit
              FROM ledger FINAL WHERE (order_id != '' OR settled_with != '') AND refused = '' AND notEmpty(account))
        ARRAY JOIN account AS a, element AS e_, basis AS b_, step AS s_, amount AS x, of_case AS l_case, of_currency AS l_currency, of_unit AS l_unit),
    money AS (
        SELECT order_id, currency,
               -sumIf({{money "x"}}, pl AND s = 'perfect') AS perfect_contribution, -sumIf({{money "x"}}, pl) AS contribution,
               -sumIf({{money "x"}}, pl AND s = 'change' AND NOT {{leaks "e"}}) AS customer_changes,
               sumIf({{money "x"}}, {{leaks "e"}} AND part = 'changed_mind') AS changed_mind,
               sumIf({{money "x"}}, {{leaks "e"}} AND part = 'unfounded') AS unfounded,
               sumIf({{money "x"}}, {{cost "e"}} AND part = 'leakage') AS gross,
               sumIf({{money "x"}}, {{leaks "e"}} AND part = 'leakage') AS net,
               sumIf({{money "x"}}, {{cost "e"}} AND {{imputed "b"}} AND part = 'leakage') AS hidden
        FROM (SELECT l.*, {{template "part_of" .Part}} AS part FROM lines AS l LEFT JOIN cases AS c ON c.unit = l.order_id AND c.error_id = l.l_case)
        GROUP BY order_id, currency)
SELECT f.order_id AS order_id, f.store_id AS store_id, f.placed_at AS placed_at,
       nullIf(f.delivered_at, toDateTime64(0, 6, 'UTC')) AS delivered_at, n.n AS cases,
       m.currency AS currency, m.perfect_contribution AS perfect_contribution, m.contribution AS contribution,
       m.customer_changes AS customer_changes, m.changed_mind AS changed_mind, m.unfounded AS unfounded,
       m.gross AS gross, m.net AS net, m.hidden AS hidden
FROM facts AS f LEFT JOIN money AS m ON m.order_id = f.order_id LEFT JOIN counted AS n ON n.unit = f.order_id
