SELECT source, event_id, event_type, order_id, error_id, store_id, currency, occurred_at, recorded_at, origin, posting, touches,
       toDecimalString(net_amount, 4) AS net, toDecimalString(profit_amount, 4) AS profit, toDecimalString(cash_amount, 4) AS cash
FROM ({{template "changed_rows" .}}) ORDER BY recorded_at, stream, partition, offset, currency LIMIT @limit
