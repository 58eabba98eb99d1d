SELECT count() FROM ledger FINAL WHERE notEmpty(unpriced) AND refused = '' AND greatest(day, posting_period) >= toDate(@from) AND greatest(day, posting_period) < toDate(@to)
 AND true
    AND NOT (posting_period = toDate('2026-01-01') AND NOT ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7)));
-- with [{from 2026-01-01} {to 2026-02-01} {currency }]

SELECT toString(least(toLastDayOfMonth(greatest(day, posting_period)), toDate(@to) - 1)) AS entry_date,
       b = 'IMPUTED' AS memo, l_currency,
       '' AS e_source, '' AS e_id, '' AS e_type, '' AS e_order, '' AS e_case,
       l_store, a, toDecimalString(sum(CAST(x AS Decimal(38, 4))), 4)
FROM ledger FINAL ARRAY JOIN account AS a, basis AS b, amount AS x, if(empty(line_currency), arrayWithConstant(length(account), toString(currency)), line_currency) AS l_currency, if(empty(line_store), arrayWithConstant(length(account), toString(store_id)), line_store) AS l_store
WHERE refused = '' AND greatest(day, posting_period) >= toDate(@from) AND greatest(day, posting_period) < toDate(@to)
 AND true
    AND NOT (posting_period = toDate('2026-01-01') AND NOT ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7)))
GROUP BY entry_date, memo, l_currency, e_source, e_id, e_type, e_order, e_case, l_store, a
ORDER BY entry_date, memo, l_currency, e_source, e_id, e_type, e_order, e_case, l_store, a;
-- with [{from 2026-01-01} {to 2026-02-01} {currency }]

