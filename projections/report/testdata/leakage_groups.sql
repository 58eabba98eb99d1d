SELECT
    formatDateTime(posting_day, '%Y-%m') AS key0,
    store_id AS key1,
    toString(posting_day) AS key2,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE')), 4) AS gross,
    toDecimalString(sum(amount), 4) AS net,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE') AND NOT basis = 'IMPUTED'), 4) AS booked,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE') AND basis = 'IMPUTED'), 4) AS hidden,
    toDecimalString(-sumIf(amount, element IN ('RECOVERY', 'SALVAGE')), 4) AS recoveries,
    uniqExactIf((unit, error_id), error_id != '' AND founded != '') AS cases,
    uniqExactIf(order_id, order_id != '' AND (error_id = '' OR founded != '')) AS orders
FROM leakage_daily FINAL
WHERE part = 'leakage' AND lines > 0 AND posting_day >= toDate(@from) AND posting_day < toDate(@to) AND NOT basis = 'IMPUTED' AND kind = @only0 AND vendor_id = @only1 AND currency = @currency
GROUP BY key0, key1, key2 WITH TOTALS
HAVING countIf(error_id = '' OR founded != '') > 0 OR sum(amount) != 0 OR sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE')) != 0
ORDER BY abs(sum(amount)) DESC, key0, key1, key2 LIMIT 5
SETTINGS totals_mode = 'before_having';
-- with [{from 2026-01-01} {to 2026-02-01} {currency USD} {only0 late} {only1 v1}]

SELECT
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE')), 4) AS gross,
    toDecimalString(sum(amount), 4) AS net,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE') AND NOT basis = 'IMPUTED'), 4) AS booked,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE') AND basis = 'IMPUTED'), 4) AS hidden,
    toDecimalString(-sumIf(amount, element IN ('RECOVERY', 'SALVAGE')), 4) AS recoveries,
    uniqExactIf((unit, error_id), error_id != '' AND founded != '') AS cases,
    uniqExactIf(order_id, order_id != '' AND (error_id = '' OR founded != '')) AS orders
FROM leakage_daily FINAL
WHERE part = 'leakage' AND lines > 0 AND posting_day >= toDate(@from) AND posting_day < toDate(@to) AND NOT basis = 'IMPUTED' AND kind = @only0 AND vendor_id = @only1 AND currency = @currency;
-- with [{from 2026-01-01} {to 2026-02-01} {currency USD} {only0 late} {only1 v1}]

SELECT toDecimalString(-sumIf(x, seen AND s = 'perfect' AND (a >= 4000 AND a < 5000)), 4), toDecimalString(-sumIf(x, seen AND s = 'perfect' AND pl), 4),
       toDecimalString(-sumIf(x, seen AND pl), 4), toDecimalString(sumIf(x, seen AND e != ''), 4),
       toDecimalString(sumIf(x, seen AND pl AND NOT e != '' AND s != 'perfect'), 4), uniqExactIf(order_id, placed)
FROM (
    SELECT order_id, event_type = 'makegood.order.placed.v1' AND NOT standing IN ('double', 'waits', 'discarded', 'copied', 'voided') AND currency = @currency AS placed, a, toString(s_) AS s, toString(e_) AS e,
           toString(b_) AS b, (a >= 4000 AND a < 6000) AS pl, CAST(x_ AS Decimal(38, 4)) AS x, l_currency = @currency AND NOT b = 'IMPUTED' AS seen
    FROM ledger FINAL
    -- An order counts where nothing of it stands with the event that placed it: given away, or decided for after a close.
    LEFT ARRAY JOIN account AS a, element AS e_, basis AS b_, step AS s_, amount AS x_, if(empty(line_currency), arrayWithConstant(length(account), toString(currency)), line_currency) AS l_currency
    WHERE (l_currency = @currency OR event_type = 'makegood.order.placed.v1') AND refused = '' AND true
        AND occurred_at < toDate(@to) + INTERVAL 2 DAY
        AND greatest(day, posting_period) >= toDate(@from) AND greatest(day, posting_period) < toDate(@to));
-- with [{from 2026-01-01} {to 2026-02-01} {currency USD}]

