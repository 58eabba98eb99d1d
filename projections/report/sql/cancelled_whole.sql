{{- /* Of the orders in_question: nobody can earn back anything with one that its customer cancelled whole, at once or line by line. */ -}}
SELECT order_id FROM (
        SELECT order_id, wishes, given_up, {{template "lines_left" "given_up"}} AS wanted
        FROM (
            SELECT order_id, wishes, arrayFlatten(arrayMap(c -> c.6, wishes)) AS given_up, {{template "order_lines" "ordered"}} AS lines
            FROM (
                SELECT order_id, arrayFilter(c -> c.4 = 'customer', edits) AS wishes,
                       arrayConcat(placed, arrayFlatten(arrayMap(c -> c.5, edits))) AS ordered
                FROM (
                    SELECT order_id, groupUniqArrayIf({{template "order_edits" .}}, event_type IN {{events "order.changed" "order.cancelled"}}) AS edits,
                           groupArrayArrayIf(JSONExtract(payload, 'lines', 'Array({{template "order_line"}})'), event_type = {{event "order.placed"}}) AS placed
                    FROM {{.Ledger}}
                    {{.First}} event_type IN {{events "order.placed" "order.changed" "order.cancelled"}} AND order_id IN (
                        SELECT order_id FROM failures WHERE event_type IN {{events "order.changed" "order.cancelled"}} AND order_id IN in_question)
                    {{.Then}} refused = '' AND {{.Known}} AND {{template "counts" .}}
                    GROUP BY order_id))))
    WHERE arrayExists(c -> c.7 = 'whole', wishes) OR notEmpty(given_up) AND notEmpty(wanted) AND arrayAll(w -> w.2 = 0, wanted)
