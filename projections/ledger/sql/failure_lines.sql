    WITH events AS (SELECT * FROM {{.Failures}} WHERE refused = '' AND {{.Known}}),
    {{- template "case_facts" .Gone}},
    sold AS (
        SELECT unit, max(order_id) AS of_order,
               -- What a close saw doesn't know what came later: the last row that may know says who sold the order.
               argMaxIf(sold_by, (epoch, occurred_at, source, event_id), sold_by != '' OR NOT {{.PostsAlone}}) AS by_store
        FROM events GROUP BY unit),
    lines AS (
        SELECT if(l_order != '', l_order, e.unit) AS of_unit, e.day AS on_day, greatest(e.day, e.posting_period) AS posted_on,
               l_currency, l_store, l_case, l_account, toString(l_element) AS l_of, toString(l_basis) AS l_on, l_amount
        FROM events AS e
        ARRAY JOIN e.account AS l_account, e.element AS l_element, e.basis AS l_basis, e.amount AS l_amount, e.step AS l_step,
                   e.line_case AS l_case, e.line_currency AS l_currency, e.line_store AS l_store,
                   e.line_order AS l_order
        WHERE {{leaks "l_element"}} OR l_step = 'change' AND {{profit_and_loss "l_account"}})
    SELECT l.of_unit AS unit, l.on_day AS day, l.posted_on AS posting_day, l_currency AS currency, l_store AS store_id,
           any(s.by_store) AS selling_store, l_case AS error_id, any(s.of_order) AS order_id, l_account AS account, l_of AS element, l_on AS basis,
           any(c.vendor_id) AS vendor_id, any(c.kind) AS kind, any(c.root_cause) AS root_cause, any(c.party_at_fault) AS party_at_fault,
           any(c.employee_id) AS employee_id, any(c.avoidable) AS avoidable, if(any(c.category) = '', 'external', any(c.category)) AS category,
           any(c.founded) AS founded, {{template "part_of" .Part}} AS part,
           sum({{money "l_amount"}}) AS amount, countIf(l_amount != 0) AS lines
    FROM lines AS l
    LEFT JOIN cases AS c ON c.unit = l.of_unit AND c.error_id = l.l_case
    LEFT JOIN sold AS s ON s.unit = l.of_unit
    GROUP BY unit, day, posting_day, currency, store_id, error_id, account, element, basis
