SELECT DISTINCT order_id, error_id, '' AS spend FROM ledger FINAL
WHERE toYYYYMM(occurred_at) = {{.Month}} AND (
    (error_id != '' OR refused != '' OR settled) AND (order_id, source, event_id, content, version) NOT IN (
        SELECT order_id, source, event_id, content, version FROM failures WHERE toYYYYMM(occurred_at) = {{.Month}})
    OR (notEmpty(unpriced) OR refused != '' OR version % 256 != 0) AND (order_id, source, event_id, content, version) NOT IN (
        SELECT order_id, source, event_id, content, version FROM unpriced WHERE toYYYYMM(occurred_at) = {{.Month}}))
