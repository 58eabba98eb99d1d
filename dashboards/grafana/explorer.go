package grafana

// explorer tells one order's story, down to the journal lines.
func explorer() Board {
	story := `ledger AS l FINAL ARRAY JOIN l.account AS a, l.element AS e, l.basis AS b, l.amount AS x
WHERE order_id = ${order:singlequote} AND currency = ${currency:singlequote}`
	figure := func(title, description, sql string) Panel {
		return Panel{Kind: number, Title: title + " ($currency)", Description: description + " Nothing is shown until an order is chosen.", Width: 6, Unit: "string",
			SQL: `SELECT toDecimalString(` + sql + `, 4) AS "` + title + `" FROM ` + story}
	}
	return Board{
		UID: "makegood-case", Title: "Case explorer", From: "now-90d",
		Description: "One order: what was promised, what went wrong, what was done about it, and what each step cost.",
		Variables: []Variable{currencyVariable(), storeVariable(),
			{Name: "order", Label: "Order", Description: "The order's id; a click in the table below or in Causes and vendors fills it in"}},
		Rows: []Row{
			{Height: 4, Panels: []Panel{
				figure("Perfect contribution", "What the order would have brought: −Σ of the lines on 4xxx and 5xxx of its placing.", `-sumIf(x, a >= 4000 AND a < 6000 AND 'makegood.order.placed.v1' IN (event_type, voids_type))`),
				figure("Contribution", "What it brought, its fixes included: −Σ of all its lines on 4xxx and 5xxx.", `-sumIf(x, a >= 4000 AND a < 6000)`),
				figure("Net leakage", "Σ of its lines with an element. Perfect contribution less contribution, but for what a customer's own cancellation undid.", `sumIf(x, e != '')`),
				figure("Hidden", "The part of it on basis IMPUTED: wages and fleet that the general ledger doesn't show as cost of this order.", `sumIf(x, b = 'IMPUTED' AND e NOT IN ('', 'RECOVERY', 'SALVAGE'))`),
			}},
			{Height: 8, Panels: []Panel{
				{Kind: table, Title: "What happened", Width: 24, Unit: "string",
					Description: "The order's events in the order in which they happened, with what was said of each. recorded is when makegood first heard of it.",
					SQL: `SELECT occurred_at AS "Happened", replaceRegexpOne(event_type, '^makegood\\.(.*)\\.v1$', '\\1') AS "Event", error_id AS "Case", refused AS "Out of the books", recorded_at AS "Recorded", source AS "Source", event_id AS "Event id", payload AS "Data"
FROM ledger FINAL WHERE order_id = ${order:singlequote} ORDER BY occurred_at, source, event_id`},
			}},
			{Height: 10, Panels: []Panel{
				{Kind: table, Title: "Journal lines ($currency)", Width: 24, Unit: "string",
					Description: "Every line that the order's events posted, debit above zero, with all four decimals. Lines with an element are failure costs.",
					SQL: `SELECT j.occurred_at AS "Happened", replaceRegexpOne(j.event_type, '^makegood\\.(.*)\\.v1$', '\\1') AS "Event", j.account AS "Account", j.name AS "Name", j.element AS "Element", j.basis AS "Basis", toDecimalString(j.amount, 4) AS "Amount", j.posting_period AS "Period", j.event_id AS "Event id"
FROM journal AS j WHERE j.order_id = ${order:singlequote} AND j.currency = ${currency:singlequote} ORDER BY j.occurred_at, j.source, j.event_id, j.account`},
			}},
			{Title: "Which orders to look at", Height: 10, Panels: []Panel{
				{Kind: table, Title: "Costliest orders ($currency)", Width: 24, Unit: "locale", Money: []string{"Net leakage"},
					Description: "The 100 orders with the most net leakage in the time in view. A click on one tells its story above.",
					SQL: `SELECT order_id AS "Order", any(store_id) AS "Store", groupUniqArray(5)(kind) AS "Kinds", ` + caseCount + ` AS "Cases", ` + net + ` AS "Net leakage", toDecimalString(` + net + `, 4) AS "Exactly"
FROM ` + leaks + ` AND order_id != '' GROUP BY order_id ORDER BY "Net leakage" DESC, order_id LIMIT 100`,
					Columns: []Column{{Name: "Order", Link: &Link{"Its story", "makegood-case?var-order=${__value.raw}"}}}},
			}},
		},
	}
}
