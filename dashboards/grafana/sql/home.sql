WITH toDate($__fromTime) AS from_day, toDate($__toTime) AS to_day, toUInt32(to_day - from_day + 1) AS span,
    {{.written}},
    money AS (
        SELECT sumIf(amount, day >= from_day) AS net, sumIf(amount, day < from_day) AS net_before,
               sumIf(amount, hides AND day >= from_day) AS hidden, sumIf(amount, hides AND day < from_day) AS hidden_before,
               net - hidden AS ledger, net_before - hidden_before AS ledger_before,
               -sumIf(amount, back AND day >= from_day) AS recovered, -sumIf(amount, back AND day < from_day) AS recovered_before,
               sumIf(amount, avoidable = 'true' AND day >= from_day) AS avoidable_net,
               sumIf(amount, avoidable = 'true' AND day < from_day) AS avoidable_before,
               sumIf(amount, avoidable = '' AND day >= from_day) AS unmarked
        FROM (
            SELECT day, amount, avoidable, {{.cost}} AND {{.hidden}} AS hides, {{.recovery}} AS back
            FROM leakage_daily FINAL
            WHERE lines > 0 AND {{.leakage}} AND {{.days}} AND currency = {{.currency}} AND {{.store}})),
    known AS (
        SELECT uniqExactIf(day, day >= from_day) AS days, uniqExactIf(day, day < from_day) AS days_before
        FROM ledger
        WHERE refused = '' AND {{.months}} AND {{.days}} AND currency = {{.currency}} AND {{.store}}),
    anything AS (SELECT count() > 0 AS books FROM ledger)
