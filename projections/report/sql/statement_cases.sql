{{template "statement_cases_known" .}},
    lines AS (
        SELECT if(l_order != '', l_order, e.unit) AS unit, l_case, l_currency, l_store, toString(k_) AS k, x, e.{{.Month}} AS in_month
        FROM events AS e
        ARRAY JOIN e.element AS k_, e.amount AS x, e.line_case AS l_case, e.line_currency AS l_currency, e.line_store AS l_store,
                   e.line_order AS l_order
        WHERE in_month <= toDate(@month) AND {{leaks "k"}}),
    evidence AS (
        SELECT about.1 AS unit, about.2 AS of, groupUniqArray((occurred_at, source, event_id, moved)) AS events FROM (
            SELECT occurred_at, source, event_id,
                   arrayMap(o -> if(o != '', o, e.unit), line_order) AS units,
                   arrayJoin(arrayDistinct(arrayConcat([(e.unit, error_id)], arrayZip(units, line_case),
                       arrayMap((o, c) -> (if(o != '', o, e.unit), c), fact_order, fact_case)))) AS about,
                   arrayDistinct(arrayFilter((c, k, u) -> (u, k) = about, line_currency, line_case, units)) AS moved
            FROM events AS e WHERE e.{{.Month}} <= toDate(@month) AND NOT (error_id = '' AND empty(account) AND empty(fact_case)))
        GROUP BY unit, of),
    homes AS (SELECT unit, max(order_id) AS order_id FROM events GROUP BY unit)
SELECT l.l_currency AS of_currency, l.l_case AS id, any(h.order_id), any(c.kind), any(c.root_cause), any(c.party_at_fault), any(c.vendor_id),
       toBool(any(c.founded) = 'yes'), toBool(any(c.was_founded) = 'no'),
       toDecimalString({{.Sum (cost "k")}}, 4),
       toDecimalString(-{{.Sum (recovery "k")}}, 4),
       toDecimalString({{.Sum (leaks "k")}}, 4),
       arrayMap(x -> concat(x.2, ' ', x.3),
           arrayFilter(x -> empty(x.4) OR has(x.4, of_currency), arraySort(any(s.events)))) AS evidence
FROM lines AS l LEFT JOIN cases AS c ON c.unit = l.unit AND c.error_id = l.l_case
LEFT JOIN evidence AS s ON s.unit = l.unit AND s.of = l.l_case
LEFT JOIN homes AS h ON h.unit = l.unit
WHERE (@store = '' OR l.l_store = @store) AND (@vendor = '' OR l.l_case != '' AND c.vendor_id = @vendor)
GROUP BY of_currency, id, l.unit
HAVING countIf(in_month = toDate(@month)) > 0
    AND NOT (any(c.gone OR c.same_as != '') AND {{.Sum (cost "k")}} = 0 AND {{.Sum (recovery "k")}} = 0)
ORDER BY of_currency, id, any(h.order_id)
