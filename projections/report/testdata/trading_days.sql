SELECT arrayMap(d -> toString(d), arraySort(groupUniqArray(day))) FROM ledger
PREWHERE event_type = 'makegood.order.placed.v1'
WHERE occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY
    AND day >= toDate(@from) AND day < toDate(@to) AND refused = '' AND recorded_at <= toDateTime64('2026-01-15 00:00:00.000', 3, 'UTC') AND (@store = '' OR store_id = @store);
-- with [{from 2026-01-01} {to 2026-02-01} {store s1}]

