SELECT source, event_id, order_id, error_id, content, toString(stream), partition, offset, said, posted, {{.Leaf}}
FROM (
    SELECT CAST(source AS String) AS source, event_id, order_id, error_id, content, stream, partition, offset,
           {{.Said}} AS said, {{.Posted}} AS posted
    FROM {{.From}})
ORDER BY {{.Order}}
