package grafana

import "github.com/makegood/makegood/domain"

// waterfall is the steps from sales to the true margin as a table: their order, name, amount, where their bar begins
// and ends, and whether they are a sum of what stands before them. The steps are those of the contract: the perfect
// orders, what customers changed, changed minds and unfounded cases, and the failures by what the money went on.
var waterfall = `WITH perfect AS (
    SELECT ` + brought(`a = `+account(domain.Sales)) + ` AS sales,
           ` + brought(`a = `+account(domain.CostOfGoods)) + ` AS goods,
           ` + brought(profitAndLoss) + ` - sales - goods AS costs
    FROM ` + journalLines + `
    WHERE s = 'perfect'),
failed AS (
    SELECT ` + lost(domain.Refund, domain.Concession) + ` AS given_back,
           ` + lost(domain.Goods, domain.WriteDownElement) + ` AS lost_goods,
           ` + lost(domain.FreightOut, domain.FreightReturn) + ` AS freight, ` + lost(domain.Fleet) + ` AS trucks,
           ` + lost(domain.Labour) + ` AS labour, ` + lost(domain.Dispute, domain.Marketplace) + ` AS penalties,
           ` + recoveries + ` AS recovered
    FROM ` + leaks + `),
beside AS (
    SELECT -sumIf(amount, ` + customerChanges + `) AS customers, -sumIf(amount, ` + changedMind + `) AS minds,
           -sumIf(amount, ` + unfounded + `) AS mistaken
    FROM leakage_daily FINAL
    WHERE lines > 0 AND ` + inView + `),
parts AS (
    SELECT arrayJoin([(1, 'Sales as ordered', 0, sales), (2, 'Cost of goods', 0, goods),
        (3, 'Fees and other costs of orders', 0, costs), (4, 'Margin without failures', 1, toDecimal128(0, 4)),
        (5, 'Customers changed their orders', 0, customers), (6, 'Minds changed', 0, minds),
        (7, 'Unfounded cases', 0, mistaken), (8, 'Refunds and credits', 0, given_back),
        (9, 'Goods and write-downs', 0, lost_goods), (10, 'Freight', 0, freight), (11, 'Trucks', 0, trucks),
        (12, 'Labour', 0, labour), (13, 'Disputes, marketplaces', 0, penalties), (14, 'Recovered', 0, recovered),
        (15, 'True margin', 1, toDecimal128(0, 4))]) AS p
    FROM perfect, failed, beside),
steps AS (
    SELECT p.1 AS n, p.2 AS step, p.3 = 1 AS is_total, p.4 AS amount,
           sum(p.4) OVER (ORDER BY p.1 ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS after,
           if(is_total, toDecimal128(0, 4), after - amount) AS before
    FROM parts)
`

// brought is the sum of the journal lines that a condition is true of, with the sign of profit.
func brought(condition string) string { return `-sumIf(x, ` + condition + `)` }

// lost is what failures of these elements cost, below zero.
func lost(elements ...domain.Element) string {
	var of []string
	for _, e := range elements {
		of = append(of, e.String())
	}
	return `-sumIf(amount, element IN ` + names(of) + `)`
}
