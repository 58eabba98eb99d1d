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
			{Height: 3, Panels: []Panel{conclusion()}},
			{Height: 4, Panels: firstCards()},
			{Height: 4, Panels: secondCards()},
			{Title: "Where it shows: in the ledger, hidden, paid back", Height: 8, Panels: whereItShows()},
			{Title: "From the margin without failures down", Height: 17, Panels: []Panel{waterfallChart(), waterfallTable()}},
			{Title: "Where it comes from", Height: 11, Panels: []Panel{paf(), pareto()}},
			{Height: 10, Panels: []Panel{causeTable()}},
			{Title: "Cash and profit", Height: 8, Panels: cashAndProfit()},
		},
	}
}

// account is an account's number, as SQL compares it.
func account(a domain.Account) string { return fmt.Sprint(uint16(a)) }

// Colors say what an amount is, the same everywhere. None praises a loss.
const (
	bookedColor = "blue"
	hiddenColor = "purple"
	backColor   = "green"
	lossColor   = "orange"
	totalColor  = "semi-dark-blue"
)

// inTime are bars of money over the time in view.
func inTime(title, name, what, from, color, description string, width uint32) Panel {
	return Panel{Kind: bars, Title: title, Width: width, Unit: money, Category: "When", Nothing: "nothing in that time",
		Description: description + " By day; by week or month where the time in view is longer than 45 or 200 days.",
		SQL:         bucketed(name, what, from), Columns: []Column{{Name: name, Shows: amount, Color: color}}}
}

func whereItShows() []Panel {
	return []Panel{
		inTime("Booked in the ledger", "Booked", booked, leaks, bookedColor,
			"What the general ledger has as a cost of its own (basis "+domain.Cash.String()+" and "+domain.Accrued.String()+
				"). Booked and hidden "+
				"together are the gross cost.", 8),
		inTime("Hidden in wages and fleet", "Hidden", hidden, leaks, hiddenColor, hiddenMeans, 8),
		inTime("Paid back by others", "Paid back", recoveries, leaks, backColor,
			"What suppliers, carriers and others accepted to pay, and what salvage brought.", 8),
	}
}

func cashAndProfit() []Panel {
	from := journalLines + `
    WHERE (of_case != '' OR e != '')
      AND of_case NOT IN (SELECT error_id FROM leakage_daily FINAL WHERE ` + changedMind + ` OR ` + unfounded + `)`
	const both = " Of the events of cases and of orders that the business itself cancelled. Below zero: it left. Cash " +
		"and profit differ where a cost is booked before it is paid, or is never paid apart."
	return []Panel{
		inTime("What the fixes did to cash", "Cash", `sumIf(x, a = `+account(domain.Clearing)+`)`, from, bookedColor,
			"Σ of the lines on "+account(domain.Clearing)+" "+domain.Clearing.Name()+", taxes included."+both, 12),
		inTime("What the fixes did to profit", "Profit", `-sumIf(x, `+profitAndLoss+`)`, from, hiddenColor,
			"−Σ of the lines on 4xxx and 5xxx."+both, 12),
	}
}

func paf() Panel {
	return Panel{Kind: bars, Title: "Prevented, checked or failed", Width: 10, Unit: money, Stacked: true,
		Category: "Month", Nothing: "nothing in that time",
		Description: "PAF by month: what is spent so that things go right (prevention " + account(domain.Prevention) +
			", appraisal " + account(domain.Appraisal) + ") beside the net " +
			"cost of what failed before the customer met it (internal) and after (external). More of the first two should " +
			"make less of the last.",
		SQL: statements.Text("paf", map[string]string{"prevention": account(domain.Prevention),
			"appraisal": account(domain.Appraisal), "lines": journalLines, "leaks": leaks}),
		Columns: []Column{{Name: "Prevention", Shows: amount, Color: "green"},
			{Name: "Appraisal", Shows: amount, Color: "light-green"},
			{Name: "Failed before delivery", Shows: amount, Color: "light-orange"},
			{Name: "Failed after delivery", Shows: amount, Color: "dark-orange"}}}
}

// soFar is what share of the cost this cause and the costlier ones make up. Causes of which more was paid back than
// they cost are no part of it: they would bring the first ones above the whole.
const soFar = `sum(greatest(toFloat64("Net cost"), 0)) OVER (ORDER BY "Net cost" DESC, root_cause
           ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
           / nullIf(sum(greatest(toFloat64("Net cost"), 0)) OVER (), 0) AS "Share so far"`

func pareto() Panel {
	return Panel{Kind: bars, Title: "Pareto: the causes that cost most", Width: 14, Unit: money, Slanted: true,
		Category: "Cause", Nothing: "nothing in that time",
		Description: "The ten causes with the most net cost, and in outline, on the axis at the right, what share of the " +
			"whole they make up so far: the first few are where work pays.",
		SQL: `SELECT ` + cause + ` AS "Cause", ` + net + ` AS "Net cost",
       ` + soFar + `
FROM ` + leaks + `
GROUP BY root_cause ORDER BY "Net cost" DESC, root_cause LIMIT 10`,
		Columns: []Column{{Name: "Net cost", Shows: amount, Color: lossColor},
			{Name: "Share so far", Shows: shareOf, Color: "text", Line: true}}}
}

func causeTable() Panel {
	return Panel{Kind: table, Title: "The causes, exactly", Width: 24,
		Description: "Every cause by net cost, with the share of the whole so far. A click shows its cases.",
		SQL: `SELECT ` + cause + ` AS "Cause", ` + net + ` AS "Net cost", ` + exactly(net) + ` AS "Exactly",
       ` + caseCount + ` AS "Cases", ` + each(`"Net cost"`, `"Cases"`) + ` AS "A case",
       ` + soFar + `
FROM ` + leaks + `
GROUP BY root_cause ORDER BY "Net cost" DESC, root_cause`,
		Columns: []Column{{Name: "Cause", Link: &Link{"Its cases", "makegood-causes?var-cause=" + clicked}},
			{Name: "Net cost", Shows: amount}, {Name: "Exactly", Shows: exact}, {Name: "Cases", Shows: count},
			{Name: "A case", Shows: amount}, {Name: "Share so far", Shows: shareOf, Bar: true, Width: 200}}}
}
