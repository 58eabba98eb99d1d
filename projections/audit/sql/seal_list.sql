INSERT INTO sealed_events (root, source, event_id, order_id, error_id, content, stream, partition, offset, said, posted)
SELECT unhex('{{.Root}}'), source, event_id, order_id, error_id, content, stream, partition, offset,
       {{.Said}}, {{.Posted}}
FROM {{.From}}
