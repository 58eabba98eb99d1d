package grafana

import (
	"fmt"

	"github.com/makegood/makegood/domain"
)

// quality is finance's first page: what fixing things really costs, and what it is made of.
func quality() Board {
	return Board{
		UID: "makegood-quality", Title: "Cost of quality service", From: "now-30d",
		Description: "What every fix really costs, in cash and in profit. From each number a link leads to the cases " +
			"behind it.",
		Variables: []Variable{currencyVariable(), storeVariable()},
		Rows: []Row{
			{Height: 5, Panels: headline()},
			{Title: "Booked and hidden, cash and profit", Height: 9, Panels: []Panel{bookedAndHidden(), cashAndProfit()}},
			{Title: "From sales to the true margin", Height: 10, Panels: []Panel{waterfallChart(), waterfallTable()}},
			{Title: "Where it comes from", Height: 10, Panels: []Panel{paf(), pareto()}},
		},
	}
}

func headline() []Panel {
	sales := `(SELECT -sum(x) FROM ` + journalLines + ` WHERE a = ` + account(domain.Sales) + `)`
	inCases := `sumIf(amount, error_id != '')`
	figure := func(title, what, description string, width uint32) Panel {
		return Panel{Kind: number, Title: title, Width: width, Description: description,
			SQL: `SELECT ` + what + ` AS "` + title + `"` + "\nFROM " + leaks}
	}
	inMoney := func(title, what, description string, width uint32) Panel {
		p := figure(title, what, description, width)
		p.Title, p.Unit = title+" ($currency)", money
		return p
	}
	inShares := func(title, what, description string, decimals float64, steps ...Step) Panel {
		p := figure(title, what, description, 4)
		p.Unit, p.Decimals, p.Steps = "percentunit", &decimals, steps
		return p
	}
	all := []Panel{
		inMoney("Net leakage", net, "Contribution of the perfect orders less contribution of the orders as they went: all "+
			"failure costs, what was recovered taken off. Changed minds and unfounded cases are left out.", 5),
		inShares("Share of net sales", share(net, sales),
			"Net leakage ÷ net sales (account 4000: net of tax, cancellations taken off).", 2,
			Step{0.02, "orange", "distributors commonly earn two to four per cent of sales, so two are half of it or more"},
			Step{0.04, "red", "more than what is commonly earned is lost again"}),
		inShares("Hidden share", share(hidden, gross), "The part of gross leakage that the general ledger doesn't show as "+
			"such: wages and fleet that the fixes absorbed (basis IMPUTED ÷ gross).", 1),
		inMoney("Recovered", recoveries,
			"What suppliers, carriers and others accepted to pay, and what salvage brought. Already taken off net leakage.", 4),
		inMoney("Cost of a case", each(inCases, caseCount), "Net leakage of cases ÷ cases with a leakage line.", 4),
		figure("Cases", caseCount, "Promises that weren't kept, with at least one leakage line in view.", 3),
	}
	all[0].Links = []Link{{"What caused it", "makegood-causes"}}
	all[5].Unit, all[5].Decimals = "locale", digits(0)
	return all
}

// account is an account's number, as SQL compares it.
func account(a domain.Account) string { return fmt.Sprint(uint16(a)) }

func bookedAndHidden() Panel {
	return Panel{Kind: timeSeries, Title: "Gross leakage by day: booked and hidden ($currency)", Width: 12, Unit: money,
		Stacked: true, OverTime: true,
		Description: "Booked is what the general ledger has as a cost of its own (basis CASH and ACCRUED); hidden is " +
			"inside wages and fleet there (IMPUTED). Together they are gross leakage.",
		SQL: `SELECT toDateTime(day) AS time, ` + booked + ` AS "Booked", ` + hidden + ` AS "Hidden"
FROM ` + leaks + `
GROUP BY day ORDER BY day`}
}

func cashAndProfit() Panel {
	return Panel{Kind: bars, Title: "What the fixes did to cash and to profit, by month ($currency)", Width: 12,
		Unit: money,
		Description: "Cash is Σ of the lines on 1010 clearing (taxes included), profit is −Σ of the lines on 4xxx and " +
			"5xxx, over the events of cases and of orders that the business itself cancelled. Below zero: it left. The two " +
			"differ where a cost is booked before it is paid, or is never paid apart.",
		SQL: `SELECT formatDateTime(day, '%Y-%m') AS "Month", sumIf(x, a = ` + account(domain.Clearing) + `) AS "Cash",
       -sumIf(x, ` + profitAndLoss + `) AS "Profit"
FROM ` + journalLines + `
WHERE (of_case != '' OR e != '')
  AND of_case NOT IN (SELECT error_id FROM leakage_daily FINAL WHERE ` + changedMind + ` OR ` + unfounded + `)
GROUP BY "Month" ORDER BY "Month"`}
}

func waterfallChart() Panel {
	return Panel{Kind: bars, Title: "Waterfall ($currency)", Width: 14, Unit: money, Stacked: true,
		Category: "Step", Bare: true,
		Description: "Each bar begins where the one before ended. Contribution of the perfect orders, and what customers " +
			"changed, less what was no failure and all failure costs is the true margin: −Σ of all lines on 4xxx and " +
			"5xxx. The picture supposes a margin above zero; the table beside it is exact in any case.",
		SQL: waterfall + `
SELECT step AS "Step", least(before, after) AS "Base", if(is_total, after, 0) AS "Total",
       if(NOT is_total AND amount > 0, amount, 0) AS "Gain", if(NOT is_total AND amount < 0, -amount, 0) AS "Loss"
FROM steps ORDER BY n`,
		Columns: []Column{{Name: "Base", Color: "transparent", Hidden: true}, {Name: "Total", Color: "blue"},
			{Name: "Gain", Color: "green"}, {Name: "Loss", Color: "red"}}}
}

func waterfallTable() Panel {
	return Panel{Kind: table, Title: "The same, exactly ($currency)", Width: 10, Unit: "string",
		Description: "Every step of the waterfall with all four decimals. A minus is a cost.",
		SQL: waterfall + `
SELECT step AS "Step", ` + exactly("if(is_total, after, amount)") + ` AS "Amount"
FROM steps ORDER BY n`}
}

func paf() Panel {
	return Panel{Kind: bars, Title: "Prevention, appraisal, internal and external failure by month ($currency)", Width: 10,
		Unit: money, Stacked: true,
		Description: "PAF: what is spent so that things go right (prevention 6100, appraisal 6110) beside net leakage " +
			"found before the customer met it (internal) and after (external). More of the first two should make less of the " +
			"last.",
		SQL: statements.Text("paf", map[string]string{"prevention": account(domain.Prevention),
			"appraisal": account(domain.Appraisal), "lines": journalLines, "leaks": leaks})}
}

func pareto() Panel {
	so := `sum("Net leakage") OVER (ORDER BY "Net leakage" DESC, root_cause
           ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)`
	return Panel{Kind: table, Title: "Pareto: causes in money ($currency)", Width: 14, Unit: "locale",
		Money: []string{"Net leakage", "A case"},
		Description: "Root causes by net leakage, with the running share of the whole: the first few lines are where work " +
			"pays. A click shows the cases.",
		SQL: `SELECT ` + cause + ` AS "Root cause", ` + exactly(net) + ` AS "Exactly", ` + net + ` AS "Net leakage",
       ` + caseCount + ` AS "Cases", ` + each(`"Net leakage"`, `"Cases"`) + ` AS "A case",
       toFloat64(` + so + `)
           / toFloat64(nullIf(sum("Net leakage") OVER (), 0)) AS "Running share"
FROM ` + leaks + `
GROUP BY root_cause ORDER BY "Net leakage" DESC, root_cause`,
		Columns: []Column{{Name: "Root cause", Link: &Link{"Its cases",
			`makegood-causes?var-cause=${__data.fields["Root cause"]:percentencode}`}},
			asText("Exactly"), {Name: "Running share", Unit: "percentunit", Bar: true}}}
}
