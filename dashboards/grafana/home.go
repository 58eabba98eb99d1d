package grafana

import (
	"fmt"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/insight/estimate"
)

// home begins the queries of the first rows: what is in view, and what was in as many days before it.
var home = statements.Text("home", map[string]string{
	"written": inWords, "cost": isCost, "hidden": isHidden, "recovery": isBack, "leakage": leakage,
	"days": bothSpans, "currency": value("currency"), "store": chosen("store_id", "store"), "months": monthsOfBoth,
})

const (
	// bothSpans are the days in view and as many before them.
	bothSpans = `day >= from_day - span AND day <= to_day`
	// monthsOfBoth is months for both of them.
	monthsOfBoth = `occurred_at >= $__fromTime - toIntervalDay(span + 2) AND occurred_at <= $__toTime + INTERVAL 2 DAY`
)

// before says what a figure was in as many days before those in view, and where the two can't be held against each
// other, since one has books of far fewer days.
func before(written string) string {
	return `multiIf(days_before = 0, 'nothing known before',
           least(days, days_before) * 10 >= greatest(days, days_before) * 8, concat('before: ', ` + written + `),
           concat('before: ', ` + written + `, ', of ', toString(days_before), ' of ', toString(span), ' days'))`
}

// card is a figure of money with what it was before; nothing where there are no books of the time in view.
func card(title, figure, was, description string) Panel {
	return Panel{Kind: number, Title: title, Width: 6, Unit: money, Named: true, Nothing: "nothing yet",
		Description: description + " Above it stands the same of as many days before; where those have books of far fewer " +
			"or more days, it says of how many.",
		SQL: home + `
SELECT ` + was + ` AS "Before", if(days = 0, NULL, ` + figure + `) AS "` + title + `"
FROM money, known`}
}

func conclusion() Panel {
	const dayInWords = `trim(LEADING ' ' FROM formatDateTime(`
	return Panel{Kind: number, Title: "In a sentence", Width: 24, Unit: "string", Size: 17,
		Description: "What the figures below come to. " + netMeans + " " + hiddenMeans + " What would be saved is a year " +
			"of what failures cost in the last whole weeks, up to 52; makegood what-if says how sure that is.",
		SQL: home + statements.Text("sentence", map[string]string{
			"from": dayInWords + `from_day, '%e %b %Y'))`, "to": dayInWords + `to_day, '%e %b %Y'))`,
			"leakage": leakage, "currency": value("currency"), "store": chosen("store_id", "store"),
			"leastWeeks": fmt.Sprint(estimate.LeastWeeks), "weeksAYear": fmt.Sprint(estimate.WeeksAYear)})}
}

func firstCards() []Panel {
	cost := card("Real cost, net", "net", before("written(net_before)"), netMeans)
	cost.Links = []Link{{"What caused it", "makegood-causes"}}
	avoidable := card("Avoidable", "avoidable_net",
		`concat(`+before("written(avoidable_before)")+`, if(unmarked > 0, concat('; not marked: ', written(unmarked)), ''))`,
		"Net cost of the cases that somebody marked avoidable. Cases that nobody has marked stand above it; makegood "+
			"what-if says what a year of each cause would save.")
	avoidable.Links = []Link{{"What to do next", "makegood-next"}}
	return []Panel{
		cost,
		card("Hidden", "hidden", before("written(hidden_before)"), hiddenMeans),
		card("Your ledger shows", "ledger", before("written(ledger_before)"), "All that the general ledger alone shows of "+
			"the real cost: net less hidden. Below zero it looks like a gain."),
		avoidable,
	}
}

func secondCards() []Panel {
	recovered := card("Paid back", "recovered", before("written(recovered_before)"),
		"What suppliers, carriers and others paid or accepted to pay, and what salvage brought. The real cost is less "+
			"by it.")
	recoverable := Panel{Kind: number, Title: "Still to be claimed", Width: 6, Unit: "locale", Decimals: digits(2),
		Nothing: "no terms yet",
		Description: "What the terms of suppliers and carriers cover and nobody has claimed yet, now, of all stores, in " +
			"each currency. Without terms (makegood claim terms) nothing is known of it.",
		PromQL: []Series{{`sum by (currency) (max by (currency, vendor) (makegood_claims_to_file_amount))`, "{{currency}}"}},
		Links:  []Link{{"Whose it is, and until when", "makegood-next"}}}
	return []Panel{recovered, recoverable, shareOfSales(), unpriced()}
}

func shareOfSales() Panel {
	was := `ifNull(concat(toString(round(100 * ` + share("net_before", "sales_before") + `, 2)), ' %'), 'no sales')`
	return Panel{Kind: number, Title: "Share of net sales", Width: 6, Unit: "percentunit", Decimals: digits(2),
		Named: true, Nothing: "no sales",
		Description: "Real cost, net ÷ net sales (account " + account(domain.Sales) + ": net of tax, cancellations taken " +
			"off). Above it stands the same of as many days before.",
		Steps: []Step{
			{0.02, "orange", "distributors commonly earn two to four per cent of sales, so two are half of it or more"},
			{0.04, "red", "more than what is commonly earned is lost again"}},
		SQL: home + `,
    trade AS (
        SELECT -sumIf(x, day >= from_day) AS sales, -sumIf(x, day < from_day) AS sales_before
        FROM ` + linesOf(monthsOfBoth+` AND `+bothSpans) + `
        WHERE a = ` + account(domain.Sales) + `)
SELECT ` + before(was) + ` AS "Before",
       ` + share("net", "sales") + ` AS "Share of net sales"
FROM money, known, trade`}
}

func unpriced() Panel {
	return Panel{Kind: number, Title: "Without a price", Width: 6, Unit: "locale", Decimals: digits(0), Named: true,
		Description: "Events in view with work, driving or goods that no rate could price, of all stores and currencies: " +
			"the cost shown is too low by these. makegood unpriced lists them and the rates that they lack.",
		Steps: []Step{{1, "orange", "a rate is missing, so the real cost is higher than what is shown"}},
		SQL: `SELECT if(count() = 0, 'everything has its price', 'the cost shown is too low by these') AS "So",
       count() AS "Without a price"
FROM (SELECT argMax(missing, version) AS missing FROM unpriced
    WHERE occurred_at >= $__fromTime AND occurred_at <= $__toTime
    GROUP BY source, event_id, content)
WHERE notEmpty(missing)`}
}
