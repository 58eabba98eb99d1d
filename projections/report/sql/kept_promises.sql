
    WITH outcomes AS ({{template "delivery_outcomes" .}}),
        reported AS ({{template "reported_errors" .}})
    SELECT o.order_id AS order_id, o.day AS day, o.store_id AS store_id, o.currency AS currency, o.promised AS is_promised, o.promised AND o.on_time AS is_on_time,
           o.in_full AND r.not_in_full = 0 AS is_in_full,
           o.on_time AND is_in_full AND NOT o.damaged AND NOT o.documents_wrong AND r.damaged = 0 AND r.not_right = 0 AS is_kept,
           is_kept AND r.wrong = 0 AS is_right,
           r.reports = 0 AND NOT (o.on_time AND (o.in_full OR o.known_full) AND NOT o.damaged AND NOT o.documents_wrong) AS is_silent
    FROM outcomes AS o LEFT JOIN reported AS r ON r.order_id = o.order_id
    WHERE o.day >= toDate(@from) AND o.day < toDate(@to)
