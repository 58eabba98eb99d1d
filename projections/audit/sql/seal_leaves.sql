SELECT leaf FROM (
    SELECT {{.Order}}, {{.Leaf}} AS leaf
    FROM (
        SELECT CAST(source AS String) AS source, event_id, order_id, error_id, content,
               {{.Said}} AS said, {{.Posted}} AS posted
        FROM {{.From}}))
ORDER BY {{.Order}}
