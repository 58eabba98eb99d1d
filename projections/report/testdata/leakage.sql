SELECT groupUniqArray(currency) FROM leakage_daily FINAL WHERE lines > 0 AND day >= toDate(@from) AND day < toDate(@to) AND true;
-- with [{from 2026-01-01} {to 2026-02-01}]

SELECT
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE')), 4) AS gross,
    toDecimalString(sum(amount), 4) AS net,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE') AND NOT basis = 'IMPUTED'), 4) AS booked,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE') AND basis = 'IMPUTED'), 4) AS hidden,
    toDecimalString(-sumIf(amount, element IN ('RECOVERY', 'SALVAGE')), 4) AS recoveries,
    uniqExactIf(error_id, error_id != '') AS cases,
    uniqExactIf(order_id, order_id != '') AS orders
FROM leakage_daily FINAL
WHERE kind NOT IN ('changed_mind') AND lines > 0 AND day >= toDate(@from) AND day < toDate(@to) AND true;
-- with [{from 2026-01-01} {to 2026-02-01}]

SELECT
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE')), 4) AS gross,
    toDecimalString(sum(amount), 4) AS net,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE') AND NOT basis = 'IMPUTED'), 4) AS booked,
    toDecimalString(sumIf(amount, element NOT IN ('', 'RECOVERY', 'SALVAGE') AND basis = 'IMPUTED'), 4) AS hidden,
    toDecimalString(-sumIf(amount, element IN ('RECOVERY', 'SALVAGE')), 4) AS recoveries,
    uniqExactIf(error_id, error_id != '') AS cases,
    uniqExactIf(order_id, order_id != '') AS orders
FROM leakage_daily FINAL
WHERE kind NOT IN ('changed_mind') AND lines > 0 AND day >= toDate(@from) AND day < toDate(@to) AND true;
-- with [{from 2026-01-01} {to 2026-02-01}]

SELECT toDecimalString(sum(amount), 4) FROM leakage_daily FINAL WHERE kind IN ('changed_mind') AND lines > 0 AND day >= toDate(@from) AND day < toDate(@to) AND true;
-- with [{from 2026-01-01} {to 2026-02-01}]

SELECT toDecimalString(-sumIf(x, placed AND (a >= 4000 AND a < 5000)), 4), toDecimalString(-sumIf(x, placed AND pl), 4),
       toDecimalString(-sumIf(x, pl), 4), toDecimalString(sumIf(x, e != ''), 4),
       toDecimalString(sumIf(x, pl AND NOT e != '' AND NOT placed), 4), uniqExactIf(order_id, placed AND voids_type = '')
FROM (
    SELECT order_id, voids_type, 'makegood.order.placed.v1' IN (event_type, voids_type) AS placed, a, toString(e_) AS e, toString(b_) AS b,
           (a >= 4000 AND a < 6000) AS pl, CAST(x_ AS Decimal(38, 4)) AS x
    FROM ledger AS l FINAL
    ARRAY JOIN l.account AS a, l.element AS e_, l.basis AS b_, l.amount AS x_
    WHERE currency = @currency AND refused = '' AND true
        AND occurred_at < toDate(@to) + INTERVAL 2 DAY
        -- No zone is further than a day from UTC; the months outside are not read.
        AND occurred_at >= toDate(@from) - INTERVAL 2 DAY AND day >= toDate(@from) AND day < toDate(@to))
WHERE true;
-- with [{from 2026-01-01} {to 2026-02-01} {currency }]

