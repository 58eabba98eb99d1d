SELECT count() FROM ledger FINAL WHERE notEmpty(unpriced) AND refused = '' AND day >= toDate(@from) AND day < toDate(@to)
 AND recorded_at <= toDateTime64('2026-01-15 00:00:00.000', 3, 'UTC') AND currency = @currency;
-- with [{from 2026-01-01} {to 2026-02-01} {currency USD}]

SELECT toString(day) AS entry_date,
       b = 'IMPUTED' AS memo, l_currency,
       source AS e_source, event_id AS e_id, event_type AS e_type, order_id AS e_order, error_id AS e_case,
       l_store, a, toDecimalString(sum(CAST(x AS Decimal(38, 4))), 4)
FROM ledger FINAL ARRAY JOIN account AS a, basis AS b, amount AS x, if(empty(line_currency), arrayWithConstant(length(account), toString(currency)), line_currency) AS l_currency, if(empty(line_store), arrayWithConstant(length(account), toString(store_id)), line_store) AS l_store
WHERE refused = '' AND day >= toDate(@from) AND day < toDate(@to)
 AND recorded_at <= toDateTime64('2026-01-15 00:00:00.000', 3, 'UTC') AND l_currency = @currency
GROUP BY entry_date, memo, l_currency, e_source, e_id, e_type, e_order, e_case, l_store, a
ORDER BY entry_date, memo, l_currency, e_source, e_id, e_type, e_order, e_case, l_store, a;
-- with [{from 2026-01-01} {to 2026-02-01} {currency USD}]

