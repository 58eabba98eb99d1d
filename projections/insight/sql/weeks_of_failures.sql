{{- /* Net leakage by week from @since on, week 0 being its first, by the store that sold and what With names. cash is what money is
paid for, the rest is what wages and fleet absorb. */ -}}
SELECT store, toString(keyed) AS keyed, week, toFloat64(sum(net)) AS net, toFloat64(sum(paid)) AS cash, sum(minutes) / 60 AS hours
FROM (
    SELECT toString(if(selling_store = '', store_id, selling_store)) AS store, {{.With}} AS keyed,
           toUInt32(intDiv(dateDiff('day', toDate(@since), day), 7)) AS week, sum(amount) AS net, sumIf(amount, NOT {{imputed "basis"}}) AS paid,
           toFloat64(0) AS minutes
    FROM {{.Leakage}}
    WHERE part = 'leakage' AND lines > 0 AND day >= toDate(@since) AND day < toDate(@end) AND currency = @currency
    GROUP BY store, keyed, week
    UNION ALL
    SELECT toString(c.store), c.keyed, toUInt32(intDiv(dateDiff('day', toDate(@since), l.day), 7)) AS week, {{zero}}, {{zero}}, sum(l.minutes)
    FROM (
        SELECT {{unit}} AS unit, error_id, day, toFloat64OrZero(trim(BOTH '"' FROM JSONExtractRaw(payload, 'minutes'))) AS minutes FROM {{.Ledger}}
        {{.First}} event_type = {{event "labour.spent"}} AND occurred_at >= toDateTime64(@since, 6, 'UTC') - INTERVAL 1 DAY
        {{.Then}} day >= toDate(@since) AND day < toDate(@end) AND refused = '' AND {{.Known}} AND notEmpty(account)) AS l
    INNER JOIN (
        SELECT unit, error_id, any(toString(if(selling_store = '', store_id, selling_store))) AS store, any({{.With}}) AS keyed FROM {{.Leakage}}
        WHERE part = 'leakage' AND lines > 0 AND currency = @currency GROUP BY unit, error_id) AS c ON c.unit = l.unit AND c.error_id = l.error_id
    GROUP BY c.store, c.keyed, week)
WHERE @store = '' OR store = @store
GROUP BY store, keyed, week ORDER BY store, keyed, week
