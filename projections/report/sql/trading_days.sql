{{- /* Copies of an event are of its day: nothing has to be folded. */ -}}
SELECT arraySort(groupUniqArray(toString(day))) FROM ledger
WHERE event_type = {{event "order.placed"}} AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY
    AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY AND day >= toDate(@from) AND day < toDate(@to)
    AND refused = '' AND {{.Known}} AND (@store = '' OR store_id = @store)
