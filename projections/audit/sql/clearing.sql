SELECT day,
       multiIf(said.refund_id != '', said.refund_id, said.dispute_id != '', said.dispute_id,
           said.charge_id != '', said.charge_id, said.concession_id) AS reference,
       order_id, source, event_id, toDecimalString(moved, 4)
FROM (
    SELECT day, order_id, source, event_id,
           -- A void carries the whole event that it takes back.
           JSONExtract(if(voids_id = '', payload, JSONExtractRaw(payload, 'original', 'data')),
               'Tuple(refund_id String, dispute_id String, charge_id String, concession_id String)') AS said,
           arraySum(arrayMap((a, x, c) -> if({{is_account "clearing"}} AND c = @currency, {{money "x"}}, {{zero}}),
               account, amount, {{line_currency}})) AS moved
    FROM ledger FINAL
    WHERE refused = '' AND has(account, {{account "clearing"}}) AND (currency = @currency OR has(line_currency, @currency))
      AND day >= toDate(@from) AND day <= toDate(@to)
      AND occurred_at >= toDateTime64(@from, 6, 'UTC') - INTERVAL 1 DAY
      AND occurred_at < toDateTime64(@to, 6, 'UTC') + INTERVAL 2 DAY
      AND if(voids_type = '', event_type, voids_type) NOT IN {{paid_elsewhere}})
ORDER BY day, source, event_id
