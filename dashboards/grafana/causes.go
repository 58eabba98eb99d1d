package grafana

// causes asks why, and who is behind it: from the cause in money down to each case.
func causes() Board {
	return Board{
		UID: "makegood-causes", Title: "Causes and suppliers", From: "now-30d",
		Description: "Why fixes were needed, in money, down to each case.",
		Variables: []Variable{currencyVariable(), storeVariable(),
			{Name: "cause", Label: "Cause", Description: "Why it happened, as the case was last classified", Several: true,
				Query: `SELECT DISTINCT ` + cause + ` AS cause FROM leakage_daily
WHERE lines > 0 AND ` + leakage + ` ORDER BY cause`},
			{Name: "kind", Label: "What went wrong", Description: "The kind of failure", Several: true,
				Query: `SELECT DISTINCT ` + kind + ` AS kind FROM leakage_daily
WHERE kind != '' AND ` + leakage + ` ORDER BY kind`},
			{Name: "vendor", Label: "Supplier", Description: "Whose goods they were", Several: true,
				Query: `SELECT DISTINCT vendor_id FROM leakage_daily WHERE vendor_id != '' ORDER BY vendor_id`}},
		Rows: []Row{
			{Height: 11, Panels: []Panel{
				costBy("Net cost by cause", "Cause", cause, "root_cause",
					"Net cost of the cases in view by their cause, as last classified."),
				costBy("Net cost by what went wrong", "What went wrong", kind, "kind",
					"Net cost of the cases in view by what went wrong. No case recorded are orders that the business itself "+
						"cancelled, and the like."),
			}},
			{Height: 10, Panels: []Panel{vendorTable()}},
			{Height: 9, Panels: []Panel{avoidableTable(), noFailures()}},
			{Title: "Cases", Height: 13, Panels: []Panel{caseTable()}},
			{Height: 10, Panels: []Panel{notReported()}},
		},
	}
}

// chosenLeaks are the failure lines of what is chosen on this board.
var chosenLeaks = leaks + ` AND ` + chosen(cause, "cause") + ` AND ` + chosen(kind, "kind") + ` AND ` +
	chosen("vendor_id", "vendor")

// costBy are lying bars, the costliest first.
func costBy(title, name, what, column, description string) Panel {
	return Panel{Kind: bars, Title: title, Width: 12, Unit: money, Horizontal: true, Labelled: true,
		Nothing: "nothing in that time", Description: description + " The twelve costliest.",
		SQL: `SELECT ` + what + ` AS "` + name + `", ` + net + ` AS "Net cost"
FROM ` + chosenLeaks + `
GROUP BY ` + column + ` ORDER BY "Net cost" DESC LIMIT 12`,
		Columns: []Column{{Name: "Net cost", Shows: amount, Color: lossColor}}}
}

func vendorTable() Panel {
	return Panel{Kind: table, Title: "Suppliers", Width: 24,
		Description: "What cases with a supplier's goods cost, and what the supplier has paid of it. Paid back ÷ gross is " +
			"how well claims work.",
		SQL: `SELECT vendor_id AS "Supplier", ` + caseCount + ` AS "Cases", ` + gross + ` AS "Gross cost",
       ` + recoveries + ` AS "Paid back", ` + net + ` AS "Net cost",
       ` + share(`"Paid back"`, `"Gross cost"`) + ` AS "Share paid back"
FROM ` + chosenLeaks + ` AND vendor_id != ''
GROUP BY vendor_id ORDER BY "Net cost" DESC LIMIT 100`,
		Columns: []Column{{Name: "Supplier", Link: &Link{"Only this supplier", "makegood-causes?var-vendor=" + clicked}},
			{Name: "Cases", Shows: count}, {Name: "Gross cost", Shows: amount}, {Name: "Paid back", Shows: amount},
			{Name: "Net cost", Shows: amount}, {Name: "Share paid back", Shows: shareOf, Bar: true, Width: 200}}}
}

func avoidableTable() Panel {
	return Panel{Kind: table, Title: "Could it have been avoided?", Width: 12,
		Description: "Net cost of founded cases by whether somebody marked them avoidable. The avoidable share of the " +
			"contract divides the avoidable by those with the mark known.",
		SQL: `SELECT ` + word("avoidable", "avoidable") + ` AS "Avoidable",
       ` + word("party_at_fault", "party_at_fault") + ` AS "At fault", ` + caseCount + ` AS "Cases",
       ` + net + ` AS "Net cost"
FROM ` + chosenLeaks + ` AND founded = 'yes'
GROUP BY avoidable, party_at_fault ORDER BY "Net cost" DESC`,
		Columns: []Column{{Name: "Avoidable", Width: 105}, {Name: "At fault"}, {Name: "Cases", Shows: count, Width: 70},
			{Name: "Net cost", Shows: amount}}}
}

func caseTable() Panel {
	return Panel{Kind: table, Title: "The costliest cases", Width: 24,
		Description: "The 200 costliest cases of what is chosen above. A click on an order tells its whole story, with all " +
			"four decimals.",
		SQL: `SELECT error_id AS "Case", order_id AS "Order", min(day) AS "First cost", ` + storeOf + ` AS "Store",
       ` + kind + ` AS "What went wrong", ` + cause + ` AS "Cause",
       ` + net + ` AS "Net cost", ` + hidden + ` AS "Hidden"
FROM ` + chosenLeaks + ` AND error_id != ''
GROUP BY error_id, order_id, store_id, kind, root_cause ORDER BY "Net cost" DESC, error_id LIMIT 200`,
		Columns: []Column{{Name: "Case"}, storyOf, {Name: "First cost", Shows: day}, {Name: "Store", Width: 100},
			{Name: "What went wrong", Width: 140}, {Name: "Cause", Width: 140},
			{Name: "Net cost", Shows: amount, Width: 120}, {Name: "Hidden", Shows: amount, Width: 110}}}
}

func noFailures() Panel {
	return Panel{Kind: table, Title: "What is no failure", Width: 12,
		Description: "What is in no figure of cost here: cases in which the customer changed their mind, cases that were " +
			"unfounded, and what customers changed or cancelled of their orders themselves. Below zero: it brought something.",
		SQL: `SELECT transform(part, ['changed_mind', 'unfounded', 'customer_changes'],
           ['Minds changed', 'Unfounded cases', 'Orders changed'], part) AS "What",
       ` + caseCount + ` AS "Cases", ` + exactly(net) + ` AS "Cost, exactly"
FROM leakage_daily FINAL
WHERE lines > 0 AND NOT (` + leakage + `) AND ` + inView + `
GROUP BY part ORDER BY ` + net + ` DESC`,
		Columns: []Column{{Name: "What"}, {Name: "Cases", Shows: count}, {Name: "Cost, exactly", Shows: exact}}}
}

func notReported() Panel {
	return Panel{Kind: table, Title: "Fixed, and never reported", Width: 24,
		Description: "The 100 costliest cases that nobody reported: a fix made them. Somebody put right what no report " +
			"asks about, so its cause is not known.",
		SQL: `SELECT error_id AS "Case", order_id AS "Order", toDate(reported_at) AS "First fix",
       ` + storeOf + ` AS "Store", toDecimal128(net, 4) AS "Net cost", ` + exactly("net") + ` AS "Exactly"
FROM cases
WHERE NOT reported AND founded AND reported_at >= $__fromTime AND reported_at <= $__toTime
  AND currency = ` + value("currency") + ` AND ` + chosen("store_id", "store") + `
ORDER BY net DESC, error_id LIMIT 100`,
		Columns: []Column{{Name: "Case"}, storyOf, {Name: "First fix", Shows: day}, {Name: "Store", Width: 150},
			{Name: "Net cost", Shows: amount}, {Name: "Exactly", Shows: exact}}}
}
