INSERT INTO leakage_daily
SELECT * REPLACE (
    concat(unit, @mark) AS unit, if(error_id = '', '', concat(error_id, @mark)) AS error_id,
    if(order_id = '', '', concat(order_id, @mark)) AS order_id,
    day - toIntervalYear(@years) AS day, posting_day - toIntervalYear(@years) AS posting_day)
FROM leakage_daily FINAL
WHERE unit != '' AND cityHash64(unit) % 1000 < @share
SETTINGS max_partitions_per_insert_block = 0
