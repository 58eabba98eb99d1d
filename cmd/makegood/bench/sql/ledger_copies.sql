INSERT INTO ledger
SELECT * REPLACE (
    if(order_id = '', '', concat(order_id, @mark)) AS order_id, if(error_id = '', '', concat(error_id, @mark)) AS error_id,
    if(settled_with = '', '', concat(settled_with, @mark)) AS settled_with, concat(event_id, @mark) AS event_id,
    if(of_id = '', '', concat(of_id, @mark)) AS of_id, if(voids_id = '', '', concat(voids_id, @mark)) AS voids_id,
    if(customer_id = '', '', concat(customer_id, @mark)) AS customer_id, cityHash64(content, @mark) AS content,
    arrayMap(l -> (if(l.1 = '', '', concat(l.1, @mark)), l.2, l.3, if(l.4 = '', '', concat(l.4, @mark))), own_lines) AS own_lines,
    arrayMap(f -> (if(f.1 = '', '', concat(f.1, @mark)), f.2, f.3, f.4, f.5, f.6, f.7, f.8, f.9, f.10, f.11,
        if(f.12 = '', '', concat(f.12, @mark)), if(f.13 = '', '', concat(f.13, @mark))), facts) AS facts,
    arrayMap(f -> (f.1, if(f.2 = '', '', concat(f.2, @mark)), f.3, f.4), flags) AS flags,
    occurred_at - toIntervalYear(@years) AS occurred_at, recorded_at - toIntervalYear(@years) AS recorded_at,
    day - toIntervalYear(@years) AS day, posting_period - toIntervalYear(@years) AS posting_period,
    origin_period - toIntervalYear(@years) AS origin_period, %s AS payload)
FROM ledger
WHERE (order_id != '' OR error_id != '') AND cityHash64(multiIf(settled_with != '', settled_with, order_id != '', order_id, error_id)) %% 1000 < @share
SETTINGS max_partitions_per_insert_block = 0
