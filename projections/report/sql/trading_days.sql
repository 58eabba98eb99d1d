{{- /* Copies of an event are of its day: nothing has to be folded. The other columns are read of orders alone. */ -}}
SELECT arrayMap(d -> toString(d), arraySort(groupUniqArray(day))) FROM ledger
PREWHERE event_type = {{event "order.placed"}}
WHERE occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY
    AND day >= toDate(@from) AND day < toDate(@to) AND refused = '' AND {{.Known}} AND (@store = '' OR store_id = @store)
