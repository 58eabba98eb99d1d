{{- /* What follows FROM: rows of the ledger that were not fed to failures or unpriced, of events that those may hold another copy of. */ -}}
ledger FINAL
WHERE refused = '' AND NOT settled AND (
    error_id = '' AND (order_id, source, event_id, content) IN (
        SELECT order_id, source, event_id, content FROM candidates WHERE of_failures)
    OR empty(unpriced) AND version % 256 = 0 AND NOT bitTest(version, 63) AND (order_id, source, event_id, content) IN (
        SELECT order_id, source, event_id, content FROM candidates WHERE NOT of_failures))
