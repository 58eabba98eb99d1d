package grafana

// quality is finance's first page: what fixing things really costs, and what it is made of.
func quality() Board {
	sales := `(SELECT -sum(x) FROM ` + journalLines + ` WHERE a = 4000)`
	return Board{
		UID: "makegood-quality", Title: "Cost of quality service", From: "now-30d",
		Description: "What every fix really costs, in cash and in profit. From each number a link leads to the cases behind it.",
		Variables:   []Variable{currencyVariable(), storeVariable()},
		Rows: []Row{
			{Height: 5, Panels: []Panel{
				{Kind: number, Title: "Net leakage ($currency)", Width: 5, Unit: money,
					Description: "Contribution of the perfect orders less contribution of the orders as they went: all failure costs, what was recovered taken off. Customers who changed their mind are left out.",
					SQL:         `SELECT ` + net + ` AS "Net leakage" FROM ` + leaks,
					Links:       []Link{{"What caused it", "makegood-causes"}}},
				{Kind: number, Title: "Share of net sales", Width: 4, Unit: "percentunit", Decimals: digits(2),
					Description: "Net leakage ÷ net sales (account 4000: net of tax, cancellations taken off).",
					SQL:         `SELECT ` + share(net, sales) + ` AS "Share of net sales" FROM ` + leaks,
					Steps: []Step{{0.02, "orange", "distributors commonly earn two to four per cent of sales, so two are half of it or more"},
						{0.04, "red", "more than what is commonly earned is lost again"}}},
				{Kind: number, Title: "Hidden share", Width: 4, Unit: "percentunit", Decimals: digits(1),
					Description: "The part of gross leakage that the general ledger doesn't show as such: wages and fleet that the fixes absorbed (basis IMPUTED ÷ gross).",
					SQL:         `SELECT ` + share(hidden, gross) + ` AS "Hidden share" FROM ` + leaks},
				{Kind: number, Title: "Recovered ($currency)", Width: 4, Unit: money,
					Description: "What suppliers, carriers and others accepted to pay, and what salvage brought. Already taken off net leakage.",
					SQL:         `SELECT ` + recoveries + ` AS "Recovered" FROM ` + leaks},
				{Kind: number, Title: "Cost of a case ($currency)", Width: 4, Unit: money,
					Description: "Net leakage of cases ÷ cases with a leakage line.",
					SQL:         `SELECT if(` + caseCount + ` = 0, NULL, toDecimal64(sumIf(amount, error_id != ''), 4) / ` + caseCount + `) AS "Cost of a case" FROM ` + leaks},
				{Kind: number, Title: "Cases", Width: 3, Unit: "locale", Decimals: digits(0),
					Description: "Promises that weren't kept, with at least one leakage line in view.",
					SQL:         `SELECT ` + caseCount + ` AS "Cases" FROM ` + leaks},
			}},
			{Title: "Booked and hidden, cash and profit", Height: 9, Panels: []Panel{
				{Kind: timeSeries, Title: "Gross leakage by day: booked and hidden ($currency)", Width: 12, Unit: money, Stacked: true, OverTime: true,
					Description: "Booked is what the general ledger has as a cost of its own (basis CASH and ACCRUED); hidden is inside wages and fleet there (IMPUTED). Together they are gross leakage.",
					SQL:         `SELECT toDateTime(day) AS time, ` + booked + ` AS "Booked", ` + hidden + ` AS "Hidden" FROM ` + leaks + ` GROUP BY day ORDER BY day`},
				{Kind: bars, Title: "What the fixes did to cash and to profit, by month ($currency)", Width: 12, Unit: money,
					Description: "Cash is Σ of the lines on 1010 clearing (taxes included), profit is −Σ of the lines on 4xxx and 5xxx, over the events of cases and of orders that the business itself cancelled. Below zero: it left. The two differ where a cost is booked before it is paid, or is never paid apart.",
					SQL: `SELECT formatDateTime(day, '%Y-%m') AS "Month", sumIf(x, a = 1010) AS "Cash", -sumIf(x, a >= 4000 AND a < 6000) AS "Profit"
FROM ` + journalLines + `
WHERE (error_id != '' OR e != '') AND error_id NOT IN (SELECT error_id FROM leakage_daily FINAL WHERE kind = 'changed_mind')
GROUP BY "Month" ORDER BY "Month"`},
			}},
			{Title: "From sales to the true margin", Height: 10, Panels: []Panel{
				{Kind: bars, Title: "Waterfall ($currency)", Width: 14, Unit: money, Stacked: true,
					Description: "Each bar begins where the one before ended. Contribution of the perfect orders less all failure costs is the true margin; it equals −Σ of all lines on 4xxx and 5xxx. The picture supposes a margin above zero; the table beside it is exact in any case.",
					SQL:         waterfall + `SELECT step AS "Step", least(before, after) AS "Base", if(is_total, after, 0) AS "Total", if(NOT is_total AND amount > 0, amount, 0) AS "Gain", if(NOT is_total AND amount < 0, -amount, 0) AS "Loss" FROM steps ORDER BY n`,
					Columns:     []Column{{Name: "Base", Color: "transparent", Hidden: true}, {Name: "Total", Color: "blue"}, {Name: "Gain", Color: "green"}, {Name: "Loss", Color: "red"}},
					Category:    "Step", Bare: true},
				{Kind: table, Title: "The same, exactly ($currency)", Width: 10, Unit: "string",
					Description: "Every step of the waterfall with all four decimals. A minus is a cost.",
					SQL:         waterfall + `SELECT step AS "Step", toDecimalString(if(is_total, after, amount), 4) AS "Amount" FROM steps ORDER BY n`},
			}},
			{Title: "Where it comes from", Height: 10, Panels: []Panel{
				{Kind: bars, Title: "Prevention, appraisal, internal and external failure by month ($currency)", Width: 10, Unit: money, Stacked: true,
					Description: "PAF: what is spent so that things go right (prevention 6100, appraisal 6110) beside net leakage found before the customer met it (internal) and after (external). More of the first two should make less of the last.",
					SQL: `SELECT month AS "Month", sum(p) AS "Prevention", sum(q) AS "Appraisal", sum(i) AS "Internal failure", sum(o) AS "External failure" FROM (
    SELECT formatDateTime(day, '%Y-%m') AS month, sumIf(x, a = 6100) AS p, sumIf(x, a = 6110) AS q, toDecimal128(0, 4) AS i, toDecimal128(0, 4) AS o FROM ` + journalLines + ` WHERE a IN (6100, 6110) GROUP BY month
    UNION ALL
    SELECT formatDateTime(day, '%Y-%m') AS month, toDecimal128(0, 4), toDecimal128(0, 4), sumIf(amount, category = 'internal'), sumIf(amount, category = 'external') FROM ` + leaks + ` GROUP BY month)
GROUP BY month ORDER BY month`},
				{Kind: table, Title: "Pareto: causes in money ($currency)", Width: 14, Unit: "locale", Money: []string{"Net leakage", "A case"},
					Description: "Root causes by net leakage, with the running share of the whole: the first few lines are where work pays. A click shows the cases.",
					SQL: `SELECT ` + cause + ` AS "Root cause", toDecimalString(` + net + `, 4) AS "Exactly", ` + net + ` AS "Net leakage", ` + caseCount + ` AS "Cases",
       if("Cases" = 0, NULL, toDecimal64("Net leakage", 4) / "Cases") AS "A case",
       toFloat64(sum("Net leakage") OVER (ORDER BY "Net leakage" DESC, root_cause ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) / toFloat64(nullIf(sum("Net leakage") OVER (), 0)) AS "Running share"
FROM ` + leaks + ` GROUP BY root_cause ORDER BY "Net leakage" DESC, root_cause`,
					Columns: []Column{{Name: "Root cause", Link: &Link{"Its cases", `makegood-causes?var-cause=${__data.fields["Root cause"]}`}}, {Name: "Running share", Unit: "percentunit", Bar: true}}},
			}},
		},
	}
}

// waterfall is the steps from sales to the true margin as a table: their order, name, amount, where their bar begins and
// ends, and whether they are a sum of what stands before them.
var waterfall = `WITH trade AS (SELECT -sumIf(x, a = 4000) AS sales, -sumIf(x, a = 5000) AS goods, -sumIf(x, a = 5050) AS fees FROM ` + journalLines + ` WHERE e = ''),
    failed AS (SELECT
        -sumIf(amount, element IN ('REFUND', 'CONCESSION')) AS given_back, -sumIf(amount, element IN ('GOODS', 'WRITE_DOWN')) AS lost_goods,
        -sumIf(amount, element IN ('FREIGHT_OUT', 'FREIGHT_RETURN')) AS freight, -sumIf(amount, element = 'FLEET') AS trucks, -sumIf(amount, element = 'LABOUR') AS labour,
        -sumIf(amount, element IN ('DISPUTE', 'MARKETPLACE')) AS penalties, -sumIf(amount, element IN ('RECOVERY', 'SALVAGE')) AS recovered
        FROM ` + leaks + `),
    minds AS (SELECT -sum(amount) AS changed FROM leakage_daily FINAL
        WHERE lines > 0 AND kind = 'changed_mind' AND $__dateFilter(day) AND currency = ${currency:singlequote} AND ` + chosen("store_id", "store") + `),
    parts AS (SELECT arrayJoin([
        (1, 'Sales before failures', 0, sales), (2, 'Cost of goods', 0, goods), (3, 'Payment fees', 0, fees), (4, 'Margin without failures', 1, toDecimal128(0, 4)),
        (5, 'Refunds and credits', 0, given_back), (6, 'Goods and write-downs', 0, lost_goods), (7, 'Freight', 0, freight), (8, 'Trucks', 0, trucks),
        (9, 'Labour', 0, labour), (10, 'Disputes, marketplaces', 0, penalties), (11, 'Recovered', 0, recovered), (12, 'Minds changed', 0, changed),
        (13, 'True margin', 1, toDecimal128(0, 4))]) AS p FROM trade, failed, minds),
    steps AS (SELECT p.1 AS n, p.2 AS step, p.3 = 1 AS is_total, p.4 AS amount,
        sum(p.4) OVER (ORDER BY p.1 ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS after, if(is_total, toDecimal128(0, 4), after - amount) AS before FROM parts)
`
