package grafana

// causes asks why, and who is behind it: from the cause in money down to each case.
func causes() Board {
	return Board{
		UID: "makegood-causes", Title: "Causes and vendors", From: "now-30d",
		Description: "Why fixes were needed, in money, down to each case.",
		Variables: []Variable{currencyVariable(), storeVariable(),
			{Name: "cause", Label: "Root cause", Description: "Why it happened, as the case was last classified", Several: true,
				Query: `SELECT DISTINCT ` + cause + ` AS cause FROM leakage_daily
WHERE lines > 0 AND ` + leakage + ` ORDER BY cause`},
			{Name: "kind", Label: "Kind", Description: "What went wrong", Several: true,
				Query: `SELECT DISTINCT kind FROM leakage_daily WHERE kind != '' AND ` + leakage + ` ORDER BY kind`},
			{Name: "vendor", Label: "Vendor", Description: "Whose goods they were", Several: true,
				Query: `SELECT DISTINCT vendor_id FROM leakage_daily WHERE vendor_id != '' ORDER BY vendor_id`}},
		Rows: []Row{
			{Height: 9, Panels: []Panel{leakageByCause(), leakageByKind()}},
			{Height: 9, Panels: []Panel{vendorTable(), avoidableTable()}},
			{Title: "Cases", Height: 12, Panels: []Panel{caseTable()}},
			{Title: "Beside it", Height: 9, Panels: []Panel{noFailures(), notReported()}},
		},
	}
}

// chosenLeaks are the failure lines of what is chosen on this board.
var chosenLeaks = leaks + ` AND ` + chosen(cause, "cause") + ` AND ` + chosen("kind", "kind") + ` AND ` +
	chosen("vendor_id", "vendor")

func leakageByCause() Panel {
	return Panel{Kind: bars, Title: "Net leakage by root cause ($currency)", Width: 12, Unit: money, Horizontal: true,
		Description: "Net leakage of the cases in view by their root cause as last classified.",
		SQL: `SELECT ` + cause + ` AS "Root cause", ` + net + ` AS "Net leakage"
FROM ` + chosenLeaks + `
GROUP BY root_cause ORDER BY "Net leakage" DESC`}
}

func leakageByKind() Panel {
	return Panel{Kind: bars, Title: "Net leakage by kind ($currency)", Width: 12, Unit: money, Horizontal: true,
		Description: "Net leakage of the cases in view by what went wrong. not known are cases of nobody's report, such as " +
			"orders that the business cancelled.",
		SQL: `SELECT if(kind = '', 'not known', kind) AS "Kind", ` + net + ` AS "Net leakage"
FROM ` + chosenLeaks + `
GROUP BY kind ORDER BY "Net leakage" DESC`}
}

func vendorTable() Panel {
	return Panel{Kind: table, Title: "Vendors ($currency)", Width: 14, Unit: "locale",
		Money: []string{"Gross leakage", "Recovered", "Net leakage"},
		Description: "What cases with a vendor's goods cost, and what the vendor has paid of it. Recovered ÷ gross is how " +
			"well claims work.",
		SQL: `SELECT vendor_id AS "Vendor", ` + caseCount + ` AS "Cases", ` + gross + ` AS "Gross leakage",
       ` + recoveries + ` AS "Recovered", ` + net + ` AS "Net leakage",
       ` + share(`"Recovered"`, `"Gross leakage"`) + ` AS "Recovered share"
FROM ` + chosenLeaks + ` AND vendor_id != ''
GROUP BY vendor_id ORDER BY "Net leakage" DESC LIMIT 100`,
		Columns: []Column{{Name: "Vendor", Link: &Link{"Only this vendor", "makegood-causes?var-vendor=" + clicked}},
			{Name: "Recovered share", Unit: "percentunit", Bar: true}}}
}

func avoidableTable() Panel {
	return Panel{Kind: table, Title: "Avoidable? ($currency)", Width: 10, Unit: "locale", Money: []string{"Net leakage"},
		Description: "Net leakage of founded cases by whether somebody marked them avoidable. The avoidable share of the " +
			"contract divides the avoidable by those with the mark known.",
		SQL: `SELECT multiIf(avoidable = 'true', 'avoidable', avoidable = 'false', 'not avoidable', 'not marked') AS "Mark",
       party_at_fault AS "At fault", ` + caseCount + ` AS "Cases", ` + net + ` AS "Net leakage"
FROM ` + chosenLeaks + ` AND founded = 'yes'
GROUP BY avoidable, party_at_fault ORDER BY "Net leakage" DESC`}
}

func caseTable() Panel {
	return Panel{Kind: table, Title: "The costliest cases ($currency)", Width: 24, Unit: "locale",
		Money:       []string{"Gross", "Net", "Hidden"},
		Description: "The 200 costliest cases of what is chosen above. A click on an order tells its whole story.",
		SQL: `SELECT error_id AS "Case", order_id AS "Order", min(day) AS "First cost", store_id AS "Store", kind AS "Kind",
       root_cause AS "Root cause", vendor_id AS "Vendor", ` + gross + ` AS "Gross", ` + net + ` AS "Net",
       ` + hidden + ` AS "Hidden", ` + exactly(net) + ` AS "Net, exactly"
FROM ` + chosenLeaks + ` AND error_id != ''
GROUP BY error_id, order_id, store_id, kind, root_cause, vendor_id ORDER BY "Net" DESC, error_id LIMIT 200`,
		Columns: []Column{storyOf,
			asText("Net, exactly")}}
}

func noFailures() Panel {
	return Panel{Kind: table, Title: "No failure ($currency)", Width: 8, Unit: "locale", Money: []string{"Cost"},
		Description: "What is in no leakage: cases in which the customer changed their mind, cases that were unfounded, " +
			"and what customers changed or cancelled of their orders themselves. Below zero: it brought something.",
		SQL: `SELECT transform(part, ['changed_mind', 'unfounded', 'customer_changes'],
           ['customers changed their mind', 'unfounded cases', 'customers changed their orders'], part) AS "What",
       ` + caseCount + ` AS "Cases", ` + net + ` AS "Cost", ` + exactly(net) + ` AS "Exactly"
FROM leakage_daily FINAL
WHERE lines > 0 AND NOT (` + leakage + `) AND ` + inView + `
GROUP BY part ORDER BY "Cost" DESC`,
		Columns: []Column{asText("Exactly")}}
}

func notReported() Panel {
	return Panel{Kind: table, Title: "Fixed, and never reported ($currency)", Width: 16, Unit: "locale",
		Money: []string{"Net"},
		Description: "The 100 costliest cases that nobody reported: a fix made them. Somebody put right what no report " +
			"asks about, so its cause is not known.",
		SQL: `SELECT error_id AS "Case", order_id AS "Order", toDate(reported_at) AS "First fix", store_id AS "Store",
       net AS "Net", ` + exactly("net") + ` AS "Net, exactly"
FROM cases
WHERE NOT reported AND founded AND reported_at >= $__fromTime AND reported_at <= $__toTime
  AND currency = ` + value("currency") + ` AND ` + chosen("store_id", "store") + `
ORDER BY "Net" DESC, error_id LIMIT 100`,
		Columns: []Column{storyOf,
			asText("Net, exactly")}}
}
