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
			{Height: 6, Panels: []Panel{howKept()}},
			{Height: 9, Panels: []Panel{howNotKept()}},
			{Title: "Where", Height: 9, Panels: []Panel{promisesByStore()}},
			{Title: "What broken promises cost", Height: 10, Panels: []Panel{brokenInMoney(), brokenInTime()}},
			{Title: "Promises that moved", Height: 9, Panels: []Panel{promisesMoved()}},
		},
	}
}

// deliveredFrom are the orders whose last delivery falls between two days, the second exclusive, of what is chosen.
func deliveredFrom(from, to string) string {
	return `(` + report.KeptPromises(from, to) + `)
WHERE (currency = '' OR currency = ` + value("currency") + `) AND ` + chosen("store_id", "store")
}

var delivered = deliveredFrom("toDate($__fromTime)", "(toDate($__toTime) + 1)")

func howKept() Panel {
	both := deliveredFrom(`(toDate($__fromTime) - `+daysInView+`)`, "(toDate($__toTime) + 1)")
	of := func(is, all string) string {
		return `(countIf(now AND ` + is + `) / nullIf(countIf(now AND ` + all + `), 0),
        countIf(NOT now AND ` + is + `) / nullIf(countIf(NOT now AND ` + all + `), 0))`
	}
	return Panel{Kind: number, Title: "How promises were kept", Width: 24, Unit: "percentunit", Decimals: digits(1),
		Named: true, Nothing: "none delivered",
		Description: "Of the orders whose last delivery falls in the time in view, and of as many days before. Right first " +
			"time: the promise kept and no founded error. Perfect (SCOR RL.1.1): on time, in full, undamaged, documents " +
			"right. On time: of those that had a time promised, no later than the last promise agreed with the customer. " +
			"Silent failures: a promise was broken and nobody reported an error, which complaints alone never show.",
		SQL: statements.Text("kept", map[string]string{"right": of("is_right", "true"), "perfect": of("is_kept", "true"),
			"on_time": of("is_promised AND is_on_time", "is_promised"), "in_full": of("is_in_full", "true"),
			"silent": of("is_silent", "true"), "delivered": both})}
}

func howNotKept() Panel {
	return Panel{Kind: bars, Title: "How they were not kept", Width: 24, Unit: "percentunit", Decimals: digits(1),
		Category: "When", Nothing: "none delivered",
		Description: "Shares of the orders delivered by day, or by week or month where the time in view is longer than 45 " +
			"or 200 days. Few orders make shares that swing.",
		SQL: `SELECT ` + bucketName + ` AS "When", countIf(NOT is_right) / count() AS "Not right first time",
       countIf(is_promised AND NOT is_on_time) / nullIf(countIf(is_promised), 0) AS "Late",
       countIf(NOT is_in_full) / count() AS "Not in full", countIf(is_silent) / count() AS "Silent"
FROM (SELECT ` + bucket + ` AS bucket, * FROM ` + delivered + `)
GROUP BY bucket ORDER BY bucket`,
		Columns: []Column{{Name: "Not right first time", Shows: shareOf, Color: lossColor},
			{Name: "Late", Shows: shareOf, Color: bookedColor}, {Name: "Not in full", Shows: shareOf, Color: "yellow"},
			{Name: "Silent", Shows: shareOf, Color: hiddenColor}}}
}

func promisesByStore() Panel {
	return Panel{Kind: table, Title: "Promises by store", Width: 24,
		Description: "Of the orders whose last delivery falls in the time in view, by the store that sold them. A silent " +
			"failure is a broken promise that nobody reported: a store with many of them and few complaints doesn't serve " +
			"better, it hears less. On time is of the orders that had a time promised. Shares of few orders swing.",
		SQL: `SELECT ` + storeOf + ` AS "Store", count() AS "Delivered", countIf(is_right) / count() AS "Right first time",
       countIf(is_kept) / count() AS "Perfect",
       countIf(is_promised AND is_on_time) / nullIf(countIf(is_promised), 0) AS "On time",
       countIf(is_in_full) / count() AS "In full", countIf(is_silent) AS "Silent failures",
       countIf(is_silent) / count() AS "Silent share"
FROM ` + delivered + `
GROUP BY store_id ORDER BY "Right first time", store_id`,
		Columns: []Column{{Name: "Store", Link: &Link{"What goes wrong there", "makegood-causes?var-store=" + clicked}},
			{Name: "Delivered", Shows: count, Width: 95}, {Name: "Right first time", Shows: shareOf, Width: 135},
			{Name: "Perfect", Shows: shareOf}, {Name: "On time", Shows: shareOf}, {Name: "In full", Shows: shareOf},
			{Name: "Silent failures", Shows: count, Width: 125}, {Name: "Silent share", Shows: shareOf, Width: 110}}}
}

// brokenPromise is which of its parts a kind of error breaks.
const brokenPromise = `multiIf(kind IN ('late', 'not_delivered', 'wrong_address'), 'On time',
    kind IN ('missing_item', 'over_shipped'), 'In full', kind IN ('wrong_item', 'not_as_described'), 'The right thing',
    kind IN ('damaged', 'defective'), 'In order', 'The rest')`

const whatIsBroken = "On time: late, not delivered, wrong address. In full: missing or too many. The right thing: " +
	"wrong item, not as described. In order: damaged, defective. The rest: billing, documents, conduct and " +
	"what nobody specified."

func brokenInMoney() Panel {
	return Panel{Kind: bars, Title: "Net cost by the promise that was broken", Width: 12, Unit: money,
		Horizontal: true, Labelled: true, Nothing: "nothing in that time", Description: whatIsBroken,
		SQL: `SELECT ` + brokenPromise + ` AS "Promise", ` + net + ` AS "Net cost"
FROM ` + leaks + `
GROUP BY "Promise" ORDER BY "Net cost" DESC`,
		Columns: []Column{{Name: "Net cost", Shows: amount, Color: lossColor}}}
}

func brokenInTime() Panel {
	var columns string
	var shown []Column
	for i, p := range []string{"On time", "In full", "The right thing", "In order", "The rest"} {
		columns += `, countIf(promise = '` + p + `') AS "` + p + `"`
		color := []string{bookedColor, "yellow", hiddenColor, lossColor, "text"}[i]
		shown = append(shown, Column{Name: p, Shows: count, Color: color})
	}
	return Panel{Kind: bars, Title: "Cases by the promise that was broken", Width: 12, Unit: "locale",
		Decimals: digits(0), Stacked: true, Category: "When", Nothing: "nothing in that time",
		Description: "Cases by the first day on which they cost something; by week or month in a long time. Steady is the " +
			"process, a step is an event. " + whatIsBroken,
		SQL: `SELECT ` + bucketName + ` AS "When"` + columns + `
FROM (SELECT ` + bucket + ` AS bucket, promise FROM (
        SELECT unit, error_id, min(day) AS first, any(` + brokenPromise + `) AS promise
        FROM ` + leaks + ` AND error_id != ''
        GROUP BY unit, error_id) AS c
    INNER JOIN ` + daysOf + ` AS d ON d.day = c.first
    UNION ALL SELECT ` + bucket + ` AS bucket, '' AS promise FROM ` + daysOf + `)
GROUP BY bucket ORDER BY bucket`,
		Columns: shown}
}

func promisesMoved() Panel {
	return Panel{Kind: bars, Title: "Promises moved, by whether the customer agreed", Width: 24, Unit: "locale",
		Decimals: digits(0), Stacked: true, Category: "When", Nothing: "nothing in that time",
		Description: "A promise that is moved with the customer's agreement is a new promise; one that is moved without is " +
			"a broken one as soon as its time has passed. By day; by week or month in a long time.",
		SQL: `SELECT ` + bucketName + ` AS "When", countIf(agreed = 1) AS "Agreed", countIf(agreed = 0) AS "Not agreed"
FROM (SELECT ` + bucket + ` AS bucket, toInt8(JSONExtractBool(payload, 'agreed_with_customer')) AS agreed
    FROM ledger FINAL
    WHERE ` + is(domain.TypePromiseChanged) + ` AND ` + stands + ` AND $__dateFilter(day) AND ` + months + `
      AND ` + chosen("store_id", "store") + `
    UNION ALL SELECT ` + bucket + ` AS bucket, toInt8(-1) AS agreed FROM ` + daysOf + `)
GROUP BY bucket ORDER BY bucket`,
		Columns: []Column{{Name: "Agreed", Shows: count, Color: bookedColor},
			{Name: "Not agreed", Shows: count, Color: lossColor}}}
}
