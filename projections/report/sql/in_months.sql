occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 1 DAY
