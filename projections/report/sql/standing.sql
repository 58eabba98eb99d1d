{{.Known}} AND refused = '' AND (source, event_id, content) NOT IN (
    SELECT source, event_id, content FROM ledger FINAL
    WHERE order_id IN (SELECT order_id FROM failures WHERE refused != '') AND refused != '')
