{{/* What the figures come to. What would be saved is the year of what-if: the mean of up to 52 whole weeks before the end. */ -}}
,
    last_day AS (SELECT least(to_day, today() - 1) AS whole),
    yearly AS (
        SELECT if(count() = 0, 0, max(week) + 1) AS weeks, toDecimal128(toFloat64(sum(x)) / greatest(weeks, 1) * {{.weeksAYear}}, 4) AS saving
        FROM (
            SELECT intDiv(dateDiff('day', day, (SELECT whole FROM last_day)), 7) AS week, sum(amount) AS x
            FROM leakage_daily FINAL
            WHERE lines > 0 AND {{.leakage}} AND day > (SELECT whole FROM last_day) - 7 * 52 AND day <= (SELECT whole FROM last_day)
              AND currency = {{.currency}} AND {{.store}}
            GROUP BY week))
SELECT multiIf(
    NOT books, concat('The books are empty. Send a first event (README, Use it), look at made-up ones (makegood demo), or ',
        'plug in a till (makegood till --help).'),
    days = 0, 'Nothing was booked of what is chosen above: choose a longer time, another currency or all stores.',
    concat('Quality service cost ', written(net), ' from ', {{.from}}, ' to ', {{.to}}, '. Of the cost before paybacks, ', written(hidden),
        ' is hidden inside wages and fleet, where no ledger shows it. ',
        if(weeks >= {{.leastWeeks}}, concat('Getting it right the first time would save ', written(saving), ' a year, as the last ',
                toString(weeks), ' weeks went.'),
            concat('Can''t tell yet what getting it right the first time would save: ', toString(weeks), ' of {{.leastWeeks}} weeks that are needed are known.')),
        if(days * 10 < span * 8, concat(' There are books of ', toString(days), ' of these ', toString(span), ' days only.'), ''))) AS "In a sentence"
FROM money, known, anything, yearly
