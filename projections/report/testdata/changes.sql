SELECT source, event_id, event_type, order_id, error_id, store_id, currency, occurred_at, recorded_at, origin, posting, touches,
       toDecimalString(net_amount, 4) AS net, toDecimalString(profit_amount, 4) AS profit, toDecimalString(cash_amount, 4) AS cash
FROM (
WITH late AS (
        SELECT *, line_currency FROM ledger FINAL WHERE refused = '' AND NOT ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7))
            AND event_type NOT IN ('makegood.period.closed.v1', 'makegood.period.reopened.v1', 'makegood.books.sealed.v1')),
    voided AS (
        SELECT source, event_id FROM ledger FINAL
        WHERE (source, event_id) IN (SELECT voids_source, voids_id FROM late WHERE voids_id != '')
            AND toDate(@month) IN (origin_period, posting_period)),
    classified AS (
        SELECT DISTINCT error_id FROM failures FINAL
        WHERE refused = '' AND error_id IN (SELECT error_id FROM late WHERE event_type IN ('makegood.error.classified.v1', 'makegood.error.rejected.v1'))
            AND toDate(@month) IN (origin_period, posting_period) AND arrayExists(e -> e != '', element))
SELECT source, event_id, event_type, order_id, error_id, store_id, of_currency AS currency, occurred_at, recorded_at, stream, partition, offset,
       formatDateTime(origin_period, '%Y-%m') AS origin, formatDateTime(posting_period, '%Y-%m') AS posting,
       multiIf(posting_period = toDate(@month), 'posting', origin_period = toDate(@month), 'origin',
               voids_id != '' AND (voids_source, voids_id) IN voided, 'void',
               event_type IN ('makegood.error.classified.v1', 'makegood.error.rejected.v1') AND error_id IN classified, 'case', '') AS touches,
       arraySum(arrayMap((c, e, x) -> if(c = of_currency AND e != '', CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), currencies, element, amount)) AS net_amount,
       -arraySum(arrayMap((c, a, x) -> if(c = of_currency AND (a >= 4000 AND a < 6000), CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), currencies, account, amount)) AS profit_amount,
       arraySum(arrayMap((c, a, x) -> if(c = of_currency AND a = 1010, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), currencies, account, amount)) AS cash_amount
FROM (SELECT * EXCEPT (currency), toString(currency) AS own_currency, if(empty(line_currency), arrayWithConstant(length(account), toString(currency)), line_currency) AS currencies FROM late) AS l
ARRAY JOIN if(empty(currencies), [own_currency], arrayDistinct(currencies)) AS of_currency
WHERE touches != '') ORDER BY recorded_at, stream, partition, offset, currency LIMIT @limit;
-- with [{month 2026-01-01} {limit 10}]

SELECT currency, count() AS events, toDecimalString(sum(net_amount), 4) AS net, toDecimalString(sum(profit_amount), 4) AS profit,
       toDecimalString(sum(cash_amount), 4) AS cash
FROM (
WITH late AS (
        SELECT *, line_currency FROM ledger FINAL WHERE refused = '' AND NOT ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7))
            AND event_type NOT IN ('makegood.period.closed.v1', 'makegood.period.reopened.v1', 'makegood.books.sealed.v1')),
    voided AS (
        SELECT source, event_id FROM ledger FINAL
        WHERE (source, event_id) IN (SELECT voids_source, voids_id FROM late WHERE voids_id != '')
            AND toDate(@month) IN (origin_period, posting_period)),
    classified AS (
        SELECT DISTINCT error_id FROM failures FINAL
        WHERE refused = '' AND error_id IN (SELECT error_id FROM late WHERE event_type IN ('makegood.error.classified.v1', 'makegood.error.rejected.v1'))
            AND toDate(@month) IN (origin_period, posting_period) AND arrayExists(e -> e != '', element))
SELECT source, event_id, event_type, order_id, error_id, store_id, of_currency AS currency, occurred_at, recorded_at, stream, partition, offset,
       formatDateTime(origin_period, '%Y-%m') AS origin, formatDateTime(posting_period, '%Y-%m') AS posting,
       multiIf(posting_period = toDate(@month), 'posting', origin_period = toDate(@month), 'origin',
               voids_id != '' AND (voids_source, voids_id) IN voided, 'void',
               event_type IN ('makegood.error.classified.v1', 'makegood.error.rejected.v1') AND error_id IN classified, 'case', '') AS touches,
       arraySum(arrayMap((c, e, x) -> if(c = of_currency AND e != '', CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), currencies, element, amount)) AS net_amount,
       -arraySum(arrayMap((c, a, x) -> if(c = of_currency AND (a >= 4000 AND a < 6000), CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), currencies, account, amount)) AS profit_amount,
       arraySum(arrayMap((c, a, x) -> if(c = of_currency AND a = 1010, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), currencies, account, amount)) AS cash_amount
FROM (SELECT * EXCEPT (currency), toString(currency) AS own_currency, if(empty(line_currency), arrayWithConstant(length(account), toString(currency)), line_currency) AS currencies FROM late) AS l
ARRAY JOIN if(empty(currencies), [own_currency], arrayDistinct(currencies)) AS of_currency
WHERE touches != '') WHERE currency != '' GROUP BY currency ORDER BY currency;
-- with [{month 2026-01-01}]

SELECT uniqExact((source, event_id, order_id)) FROM (
WITH late AS (
        SELECT *, line_currency FROM ledger FINAL WHERE refused = '' AND NOT ((stream != 'books' AND ((stream = 'errors' AND partition = 3 AND offset < 4) OR (stream = 'orders' AND partition = 0 AND offset < 12))) OR (stream = 'books' AND offset < 7))
            AND event_type NOT IN ('makegood.period.closed.v1', 'makegood.period.reopened.v1', 'makegood.books.sealed.v1')),
    voided AS (
        SELECT source, event_id FROM ledger FINAL
        WHERE (source, event_id) IN (SELECT voids_source, voids_id FROM late WHERE voids_id != '')
            AND toDate(@month) IN (origin_period, posting_period)),
    classified AS (
        SELECT DISTINCT error_id FROM failures FINAL
        WHERE refused = '' AND error_id IN (SELECT error_id FROM late WHERE event_type IN ('makegood.error.classified.v1', 'makegood.error.rejected.v1'))
            AND toDate(@month) IN (origin_period, posting_period) AND arrayExists(e -> e != '', element))
SELECT source, event_id, event_type, order_id, error_id, store_id, of_currency AS currency, occurred_at, recorded_at, stream, partition, offset,
       formatDateTime(origin_period, '%Y-%m') AS origin, formatDateTime(posting_period, '%Y-%m') AS posting,
       multiIf(posting_period = toDate(@month), 'posting', origin_period = toDate(@month), 'origin',
               voids_id != '' AND (voids_source, voids_id) IN voided, 'void',
               event_type IN ('makegood.error.classified.v1', 'makegood.error.rejected.v1') AND error_id IN classified, 'case', '') AS touches,
       arraySum(arrayMap((c, e, x) -> if(c = of_currency AND e != '', CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), currencies, element, amount)) AS net_amount,
       -arraySum(arrayMap((c, a, x) -> if(c = of_currency AND (a >= 4000 AND a < 6000), CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), currencies, account, amount)) AS profit_amount,
       arraySum(arrayMap((c, a, x) -> if(c = of_currency AND a = 1010, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), currencies, account, amount)) AS cash_amount
FROM (SELECT * EXCEPT (currency), toString(currency) AS own_currency, if(empty(line_currency), arrayWithConstant(length(account), toString(currency)), line_currency) AS currencies FROM late) AS l
ARRAY JOIN if(empty(currencies), [own_currency], arrayDistinct(currencies)) AS of_currency
WHERE touches != '');
-- with [{month 2026-01-01}]

