WITH perfect AS (
    SELECT {{.sales}} AS sales,
           {{.goods}} AS goods,
           {{.brought}} - sales - goods AS costs
    FROM {{.lines}}
    WHERE s = 'perfect'),
failed AS (
    SELECT {{.given_back}} AS given_back,
           {{.lost_goods}} AS lost_goods,
           {{.freight}} AS freight, {{.trucks}} AS trucks,
           {{.labour}} AS labour, {{.penalties}} AS penalties,
           {{.recovered}} AS recovered
    FROM {{.leaks}}),
beside AS (
    SELECT -sumIf(amount, {{.customers}}) AS customers, -sumIf(amount, {{.minds}}) AS minds,
           -sumIf(amount, {{.mistaken}}) AS mistaken
    FROM leakage_daily FINAL
    WHERE lines > 0 AND {{.in_view}}),
parts AS (
    SELECT arrayJoin([(1, 'Sales as ordered', 0, sales), (2, 'Cost of goods', 0, goods),
        (3, 'Fees and other costs', 0, costs), (4, 'Margin without failures', 1, toDecimal128(0, 4)),
        (5, 'Orders changed', 0, customers), (6, 'Minds changed', 0, minds),
        (7, 'Unfounded cases', 0, mistaken), (8, 'Refunds and credits', 0, given_back),
        (9, 'Goods and write-downs', 0, lost_goods), (10, 'Freight', 0, freight), (11, 'Own trucks', 0, trucks),
        (12, 'Staff time', 0, labour), (13, 'Disputes and fees', 0, penalties), (14, 'Paid back', 0, recovered),
        (15, 'True margin', 1, toDecimal128(0, 4))]) AS p
    FROM perfect, failed, beside),
steps AS (
    SELECT p.1 AS n, p.2 AS step, p.3 = 1 AS is_total, p.4 AS amount,
           sum(p.4) OVER (ORDER BY p.1 ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS after,
           if(is_total, toDecimal128(0, 4), after - amount) AS before
    FROM parts)
