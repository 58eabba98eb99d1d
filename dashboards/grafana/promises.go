package grafana

import (
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/report"
)

// promises asks how what was promised was kept, and what it cost where it wasn't.
func promises() Board {
	return Board{
		UID: "makegood-promises", Title: "Promises", From: "now-30d",
		Description: "Whether what was promised was kept, what nobody complained about, and what broken promises cost.",
		Variables:   []Variable{currencyVariable(), storeVariable()},
		Rows: []Row{
			{Title: "How promises were kept this month", Height: 5, Panels: []Panel{
				kept("Right first time", "right_first_time", 6,
					"Of the orders delivered in the running month, all stores: the promise kept and no founded error."),
				kept("Perfect orders", "perfect", 6,
					"SCOR RL.1.1, of the orders delivered in the running month, all stores: on time, in full, undamaged, documents "+
						"right."),
				kept("On time", "on_time", 4, "Of the orders that had a time promised: delivered no later than the last promise "+
					"agreed with the customer."),
				kept("In full", "in_full", 4, "Every promised line came."),
				kept("Silent failures", "silent_failure", 4,
					"A promise was broken and nobody reported an error: what complaints alone never show."),
			}},
			{Height: 8, Panels: []Panel{
				{Kind: timeSeries, Title: "How the month developed", Width: 24, Unit: "percentunit",
					Description: "The same shares as Prometheus saw them; each month begins at zero, and its first days swing since " +
						"few orders are in them.",
					PromQL: []Series{{`outcome:makegood_delivered_orders:ratio`, "{{outcome}}"}}},
			}},
			{Title: "Where", Height: 9, Panels: []Panel{promisesByStore()}},
			{Title: "What broken promises cost", Height: 10, Panels: []Panel{brokenInMoney(), brokenByDay()}},
			{Title: "Promises that moved", Height: 9, Panels: []Panel{promisesMoved()}},
		},
	}
}

func kept(title, outcome string, width uint32, description string) Panel {
	return Panel{Kind: number, Title: title, Width: width, Unit: "percentunit", Decimals: digits(2),
		Description: description,
		PromQL:      []Series{{`outcome:makegood_delivered_orders:ratio{outcome="` + outcome + `"}`, ""}}}
}

func promisesByStore() Panel {
	return Panel{Kind: table, Title: "Promises by store", Width: 24, Unit: "percentunit",
		Description: "Of the orders whose last delivery falls in the time in view, by the store that sold them. A silent " +
			"failure is a broken promise that nobody reported: a store with many of them and few complaints doesn't serve " +
			"better, it hears less. On time is of the orders that had a time promised. Shares of few orders swing.",
		SQL: `SELECT store_id AS "Store", count() AS "Delivered", countIf(is_right) / count() AS "Right first time",
       countIf(is_kept) / count() AS "Perfect",
       countIf(is_promised AND is_on_time) / nullIf(countIf(is_promised), 0) AS "On time",
       countIf(is_in_full) / count() AS "In full", countIf(is_silent) AS "Silent failures",
       countIf(is_silent) / count() AS "Silent share"
FROM (` + report.KeptPromises("toDate($__fromTime)", "(toDate($__toTime) + 1)") + `)
WHERE (currency = '' OR currency = ` + value("currency") + `) AND ` + chosen("store_id", "store") + `
GROUP BY store_id ORDER BY "Right first time", store_id`,
		Columns: []Column{{Name: "Store", Link: &Link{"What goes wrong there", "makegood-causes?var-store=" + clicked}},
			{Name: "Delivered", Unit: "locale"}, {Name: "Silent failures", Unit: "locale"}}}
}

// brokenPromise is which of its parts a kind of error breaks.
const brokenPromise = `multiIf(kind IN ('late', 'not_delivered', 'wrong_address'), 'on time',
    kind IN ('missing_item', 'over_shipped'), 'in full', kind IN ('wrong_item', 'not_as_described'), 'the right thing',
    kind IN ('damaged', 'defective'), 'in order', 'the rest')`

func brokenInMoney() Panel {
	return Panel{Kind: bars, Title: "Net leakage by the promise that was broken ($currency)", Width: 12, Unit: money,
		Horizontal: true,
		Description: "On time: late, not_delivered, wrong_address. In full: missing_item, over_shipped. The right thing: " +
			"wrong_item, not_as_described. In order: damaged, defective. The rest: billing, documents, conduct and what " +
			"nobody specified.",
		SQL: `SELECT ` + brokenPromise + ` AS "Promise", ` + net + ` AS "Net leakage"
FROM ` + leaks + `
GROUP BY "Promise" ORDER BY "Net leakage" DESC`}
}

func brokenByDay() Panel {
	return Panel{Kind: timeSeries, Title: "Cases by day and the promise that was broken", Width: 12, Unit: "locale",
		Decimals: digits(0), Stacked: true, OverTime: true,
		Description: "Cases by the first day on which they cost something. Steady is the process, a step is an event.",
		SQL: `SELECT toDateTime(first) AS time, promise AS promise, count() AS cases FROM (
    SELECT unit, error_id, min(day) AS first, any(` + brokenPromise + `) AS promise
    FROM ` + leaks + ` AND error_id != ''
    GROUP BY unit, error_id)
GROUP BY first, promise ORDER BY first, promise`}
}

func promisesMoved() Panel {
	return Panel{Kind: timeSeries, Title: "Promises moved, by whether the customer agreed", Width: 24, Unit: "locale",
		Decimals: digits(0), Stacked: true, OverTime: true,
		Description: "A promise that is moved with the customer's agreement is a new promise; one that is moved without is " +
			"a broken one as soon as its time has passed.",
		SQL: `SELECT toDateTime(day) AS time, countIf(agreed) AS "Agreed", countIf(NOT agreed) AS "Not agreed"
FROM (SELECT day, JSONExtractBool(payload, 'agreed_with_customer') AS agreed
    FROM ledger FINAL
    WHERE ` + is(domain.TypePromiseChanged) + ` AND ` + stands + ` AND $__dateFilter(day) AND ` + months + `
      AND ` + chosen("store_id", "store") + `)
GROUP BY day ORDER BY day`}
}
