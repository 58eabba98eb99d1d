SELECT toUInt8(stream), partition, offset, source, event_id, content, recorded_at, posting_period, order_id, error_id, token,
       {{.Said}} AS said
FROM ledger FINAL
WHERE ({{range $n, $of := .Sealed}}{{if $n}}
    OR {{end}}{{$of}}{{end}})
    -- what a rebuild posts for a unit: its record has a row besides, at the same place
    AND NOT (event_type = {{event "books.rebuilt"}} AND (order_id != '' OR error_id != '')
        AND (stream, partition, offset, source, event_id) IN (SELECT stream, partition, offset, source, event_id FROM ledger
            WHERE event_type = {{event "books.rebuilt"}} AND order_id = '' AND error_id = ''))
ORDER BY stream, partition, offset, source, event_id
