SELECT count() FROM ledger FINAL WHERE notEmpty(unpriced) AND refused = '' AND day >= toDate(@from) AND day < toDate(@to)
 AND recorded_at <= toDateTime64('2026-01-15 00:00:00.000', 3, 'UTC') AND currency = @currency;
-- with [{from 2026-01-01} {to 2026-02-01} {currency USD}]

SELECT toString(day) AS entry_date,
       b = 'IMPUTED' AS memo, currency,
       source AS e_source, event_id AS e_id, event_type AS e_type, order_id AS e_order, error_id AS e_case,
       store_id, a, toDecimalString(sum(CAST(x AS Decimal(38, 4))), 4)
FROM ledger FINAL ARRAY JOIN account AS a, basis AS b, amount AS x
WHERE refused = '' AND day >= toDate(@from) AND day < toDate(@to)
 AND recorded_at <= toDateTime64('2026-01-15 00:00:00.000', 3, 'UTC') AND currency = @currency
GROUP BY entry_date, memo, currency, e_source, e_id, e_type, e_order, e_case, store_id, a
ORDER BY entry_date, memo, currency, e_source, e_id, e_type, e_order, e_case, store_id, a;
-- with [{from 2026-01-01} {to 2026-02-01} {currency USD}]

