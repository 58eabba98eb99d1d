SELECT count() FROM ledger FINAL WHERE notEmpty(unpriced) AND refused = '' AND greatest(day, posting_period) >= toDate(@from) AND greatest(day, posting_period) < toDate(@to)
 AND true
    AND NOT (posting_period = toDate('2026-01-01') AND NOT ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7)));
-- with [{from 2026-01-01} {to 2026-02-01} {currency }]

SELECT toString(least(toLastDayOfMonth(greatest(day, posting_period)), toDate(@to) - 1)) AS entry_date,
       b = 'IMPUTED' AS memo, currency,
       '' AS e_source, '' AS e_id, '' AS e_type, '' AS e_order, '' AS e_case,
       store_id, a, toDecimalString(sum(CAST(x AS Decimal(38, 4))), 4)
FROM ledger FINAL ARRAY JOIN account AS a, basis AS b, amount AS x
WHERE refused = '' AND greatest(day, posting_period) >= toDate(@from) AND greatest(day, posting_period) < toDate(@to)
 AND true
    AND NOT (posting_period = toDate('2026-01-01') AND NOT ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7)))
GROUP BY entry_date, memo, currency, e_source, e_id, e_type, e_order, e_case, store_id, a
ORDER BY entry_date, memo, currency, e_source, e_id, e_type, e_order, e_case, store_id, a;
-- with [{from 2026-01-01} {to 2026-02-01} {currency }]

