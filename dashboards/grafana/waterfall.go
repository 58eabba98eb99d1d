package grafana

import "github.com/makegood/makegood/domain"

// waterfall is the steps from sales to the true margin as a table: their order, name, amount, where their bar begins
// and ends, and whether they are a sum of what stands before them.
var waterfall = `WITH trade AS (
    SELECT -sumIf(x, a = ` + account(domain.Sales) + `) AS sales,
           -sumIf(x, a = ` + account(domain.CostOfGoods) + `) AS goods,
           -sumIf(x, a = ` + account(domain.PaymentFees) + `) AS fees
    FROM ` + journalLines + `
    WHERE e = ''),
failed AS (
    SELECT ` + lost(domain.Refund, domain.Concession) + ` AS given_back,
           ` + lost(domain.Goods, domain.WriteDownElement) + ` AS lost_goods,
           ` + lost(domain.FreightOut, domain.FreightReturn) + ` AS freight, ` + lost(domain.Fleet) + ` AS trucks,
           ` + lost(domain.Labour) + ` AS labour, ` + lost(domain.Dispute, domain.Marketplace) + ` AS penalties,
           ` + recoveries + ` AS recovered
    FROM ` + leaks + `),
minds AS (
    SELECT -sum(amount) AS changed
    FROM leakage_daily FINAL
    WHERE lines > 0 AND NOT (` + failure + `) AND ` + inView + `),
parts AS (
    SELECT arrayJoin([(1, 'Sales before failures', 0, sales), (2, 'Cost of goods', 0, goods),
        (3, 'Payment fees', 0, fees), (4, 'Margin without failures', 1, toDecimal128(0, 4)),
        (5, 'Refunds and credits', 0, given_back), (6, 'Goods and write-downs', 0, lost_goods),
        (7, 'Freight', 0, freight), (8, 'Trucks', 0, trucks), (9, 'Labour', 0, labour),
        (10, 'Disputes, marketplaces', 0, penalties), (11, 'Recovered', 0, recovered),
        (12, 'Minds changed', 0, changed), (13, 'True margin', 1, toDecimal128(0, 4))]) AS p
    FROM trade, failed, minds),
steps AS (
    SELECT p.1 AS n, p.2 AS step, p.3 = 1 AS is_total, p.4 AS amount,
           sum(p.4) OVER (ORDER BY p.1 ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS after,
           if(is_total, toDecimal128(0, 4), after - amount) AS before
    FROM parts)
`

// lost is what failures of these elements cost, below zero.
func lost(elements ...domain.Element) string {
	var of []string
	for _, e := range elements {
		of = append(of, e.String())
	}
	return `-sumIf(amount, element IN ` + names(of) + `)`
}
