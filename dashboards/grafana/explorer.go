package grafana

// explorer tells one order's story, down to the journal lines.
func explorer() Board {
	return Board{
		UID: "makegood-case", Title: "Case explorer", From: "now-90d",
		Description: "One order: what was promised, what went wrong, what was done about it, and what each step cost.",
		Variables: []Variable{currencyVariable(), storeVariable(),
			{Name: "order", Label: "Order",
				Description: "The order's id; a click in the table below or in Causes and vendors fills it in"}},
		Rows: []Row{
			{Height: 4, Panels: orderFigures()},
			{Height: 4, Panels: []Panel{everyCurrency()}},
			{Height: 8, Panels: []Panel{whatHappened()}},
			{Height: 10, Panels: []Panel{orderLines()}},
			{Title: "Which orders to look at", Height: 10, Panels: []Panel{costliestOrders()}},
			{Title: "What waits for a decision, and what can't be right", Height: 9, Panels: []Panel{saidTwice(), flagged()}},
		},
	}
}

// eventName is an event's type without what all types have in common.
const eventName = `replaceRegexpOne(event_type, '^makegood\\.(.*)\\.v1', '\\1')`

// figure is one of an order's numbers: its name, what it is, and its SQL over the order's lines.
type figure struct{ title, description, sql string }

var figuresOfOrder = []figure{
	{"Perfect contribution", "What the order was to bring: −Σ of the lines on 4xxx and 5xxx of the order as placed and " +
		"of its charges.", `-sumIf(x, ` + profitAndLoss + ` AND step = 'perfect')`},
	{"Contribution", "What it brought, its fixes included: −Σ of all its lines on 4xxx and 5xxx.",
		`-sumIf(x, ` + profitAndLoss + `)`},
	{"Net leakage", "Σ of its lines with an element, of failures: changed minds and unfounded cases stand beside it.",
		`sumIf(x, element != '' AND ` + ofFailure + `)`},
	{"Hidden", "The part of it on basis IMPUTED: wages and fleet that the general ledger doesn't show as cost of it.",
		`sumIf(x, ` + isCost + ` AND ` + isHidden + ` AND ` + ofFailure + `)`},
}

// ofFailure is true of lines without a case and of cases that are founded.
var ofFailure = `error_id NOT IN (SELECT error_id FROM cases WHERE NOT founded AND order_id = ` + value("order") + `)`

// linesOfOrder are the lines of the order that is chosen, in all its currencies.
var linesOfOrder = `(SELECT error_id, currency, toUInt16(account) AS a, element, basis, step,
        CAST(amount AS Decimal(38, 4)) AS x
    FROM journal
    WHERE order_id = ` + value("order") + `)`

func orderFigures() []Panel {
	var all []Panel
	for _, f := range figuresOfOrder {
		all = append(all, Panel{Kind: number, Title: f.title + " ($currency)", Width: 6, Unit: "string",
			Description: f.description + " Nothing is shown until an order is chosen.",
			SQL: `SELECT ` + exactly(f.sql) + ` AS "` + f.title + `"
FROM ` + linesOfOrder + ` WHERE currency = ` + value("currency")})
	}
	return all
}

func everyCurrency() Panel {
	var columns string
	for _, f := range figuresOfOrder {
		columns += `, ` + exactly(f.sql) + ` AS "` + f.title + `"`
	}
	return Panel{Kind: table, Title: "In every currency", Width: 24, Unit: "string",
		Description: "The same figures in each currency that the order has amounts in. They are never summed.",
		SQL: `SELECT currency AS "Currency"` + columns + `
FROM ` + linesOfOrder + ` GROUP BY currency ORDER BY currency`}
}

func whatHappened() Panel {
	return Panel{Kind: table, Title: "What happened", Width: 24, Unit: "string",
		Description: "The order's events in the order in which they happened, with what was said of goods, promises and " +
			"deliveries. recorded is when makegood first heard of it.",
		SQL: `SELECT occurred_at AS "Happened", ` + eventName + ` AS "Event", error_id AS "Case",
       refused AS "Out of the books", recorded_at AS "Recorded", source AS "Source",
       event_id AS "Event id", payload AS "Data"
FROM ledger FINAL
WHERE order_id = ` + value("order") + `
ORDER BY occurred_at, source, event_id`}
}

func orderLines() Panel {
	return Panel{Kind: table, Title: "Journal lines", Width: 24, Unit: "string",
		Description: "Every line that the order's events posted, debit above zero, with all four decimals and its " +
			"currency. Lines with an element are failure costs.",
		SQL: `SELECT occurred_at AS "Happened", ` + eventName + ` AS "Event", account AS "Account", name AS "Name",
       element AS "Element", basis AS "Basis", ` + exactly("amount") + ` AS "Amount", currency AS "Currency",
       posting_period AS "Period", event_id AS "Event id"
FROM journal
WHERE order_id = ` + value("order") + `
ORDER BY occurred_at, source, event_id, account`}
}

func costliestOrders() Panel {
	return Panel{Kind: table, Title: "Costliest orders ($currency)", Width: 24, Unit: "locale",
		Money:       []string{"Net leakage"},
		Description: "The 100 orders with the most net leakage in the time in view. A click on one tells its story above.",
		SQL: `SELECT order_id AS "Order", any(store_id) AS "Store", groupUniqArray(5)(kind) AS "Kinds",
       ` + caseCount + ` AS "Cases", ` + net + ` AS "Net leakage", ` + exactly(net) + ` AS "Exactly"
FROM ` + leaks + ` AND order_id != ''
GROUP BY order_id ORDER BY "Net leakage" DESC, order_id LIMIT 100`,
		Columns: []Column{storyOf, asText("Exactly")}}
}
