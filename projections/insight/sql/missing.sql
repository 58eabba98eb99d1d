{{- /* Dead letters and orders that were never placed are known as of now alone. */ -}}
SELECT code, n FROM (
    SELECT 'unpriced' AS code, count() AS n FROM {{.Ledger}}
    WHERE notEmpty(unpriced) AND refused = '' AND {{template "in_days" .}} AND {{.Known}} AND (@store = '' OR store_id = @store)
    UNION ALL
    SELECT 'waiting', count() FROM {{.Failures}}
    WHERE standing = 'waits' AND refused = '' AND {{template "in_days" .}} AND {{.Known}} AND (@store = '' OR store_id = @store)
{{- if not .Bounded}}
    UNION ALL
    SELECT 'dead_letters', count() FROM {{.DeadLetters}}
    UNION ALL
    SELECT 'unplaced', count() FROM unplaced_orders FINAL WHERE NOT placed
{{- end}})
ORDER BY code
