package grafana

// explorer tells one order's story, down to the journal lines.
func explorer() Board {
	return Board{
		UID: "makegood-case", Title: "Case explorer", From: "now-90d",
		Description: "One order: what was promised, what went wrong, what was done about it, and what each step cost.",
		Variables: []Variable{currencyVariable(), storeVariable(),
			{Name: "order", Label: "Order",
				Description: "The order's id; a click in the table below or in Causes and suppliers fills it in"}},
		Rows: []Row{
			{Height: 4, Panels: orderFigures()},
			{Height: 4, Panels: []Panel{everyCurrency()}},
			{Height: 8, Panels: []Panel{whatHappened()}},
			{Height: 10, Panels: []Panel{orderLines()}},
			{Title: "Which orders to look at", Height: 10, Panels: []Panel{costliestOrders()}},
			{Title: "What waits for a decision, and what can't be right", Height: 8, Panels: []Panel{saidTwice()}},
			{Height: 8, Panels: []Panel{flagged()}},
		},
	}
}

// eventName is an event's type in words: makegood.order.placed.v1 is order placed.
const eventName = `translate(replaceRegexpOne(event_type, '^makegood\\.(.*)\\.v1', '\\1'), '._', '  ')`

// figure is one of an order's numbers: its name, what it is, and its SQL over the order's lines.
type figure struct{ title, description, sql string }

var figuresOfOrder = []figure{
	{"Was to bring", "What the order was to bring, its perfect contribution: −Σ of the lines on 4xxx and 5xxx of the " +
		"order as placed and of its charges.", `-sumIf(x, ` + profitAndLoss + ` AND step = 'perfect')`},
	{"Brought", "What it brought, its fixes included: −Σ of all its lines on 4xxx and 5xxx.",
		`-sumIf(x, ` + profitAndLoss + `)`},
	{"Net cost", "Σ of its lines with an element, of failures: changed minds and unfounded cases stand beside it.",
		`sumIf(x, element != '' AND ` + ofFailure + `)`},
	{"Hidden", hiddenMeans, `sumIf(x, ` + isCost + ` AND ` + isHidden + ` AND ` + ofFailure + `)`},
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
		all = append(all, Panel{Kind: number, Title: f.title, Width: 6, Unit: "string", Nothing: "choose an order",
			Description: f.description + " Nothing is shown until an order is chosen.",
			SQL: `SELECT ` + exactly(f.sql) + ` AS "` + f.title + `"
FROM ` + linesOfOrder + ` WHERE currency = ` + value("currency") + ` HAVING count() > 0`})
	}
	return all
}

func everyCurrency() Panel {
	var columns string
	shown := []Column{{Name: "Currency"}}
	for _, f := range figuresOfOrder {
		columns += `, ` + exactlyIn("currency", f.sql) + ` AS "` + f.title + `"`
		shown = append(shown, Column{Name: f.title, Shows: exact})
	}
	return Panel{Kind: table, Title: "In every currency", Width: 24,
		Description: "The same figures in each currency that the order has amounts in. They are never summed.",
		SQL: `SELECT currency AS "Currency"` + columns + `
FROM ` + linesOfOrder + ` GROUP BY currency ORDER BY currency`,
		Columns: shown}
}

func whatHappened() Panel {
	return Panel{Kind: table, Title: "What happened", Width: 24,
		Description: "The order's events in the order in which they happened, with what was said of goods, promises and " +
			"deliveries. Recorded is when makegood first heard of it.",
		SQL: `SELECT occurred_at AS "Happened", ` + eventName + ` AS "Event", error_id AS "Case",
       refused AS "Refused", recorded_at AS "Recorded", event_id AS "Event id", payload AS "Data"
FROM ledger FINAL
WHERE order_id = ` + value("order") + `
ORDER BY occurred_at, source, event_id`,
		Columns: []Column{{Name: "Happened", Shows: moment}, {Name: "Event", Width: 170}, {Name: "Case", Width: 120},
			{Name: "Refused", Width: 90}, {Name: "Recorded", Shows: moment}, {Name: "Event id", Width: 150}, {Name: "Data"}}}
}

func orderLines() Panel {
	return Panel{Kind: table, Title: "Journal lines", Width: 24,
		Description: "Every line that the order's events posted, debit above zero, with all four decimals and its " +
			"currency. Lines that say what the money went on are failure costs.",
		SQL: `SELECT occurred_at AS "Happened", ` + eventName + ` AS "Event", toString(account) AS "Account", name AS "Name",
       ` + word("element", "element") + ` AS "What it went on", ` + word("basis", "basis") + ` AS "How",
       ` + exactlyIn("currency", "amount") + ` AS "Amount", posting_period AS "Period"
FROM journal
WHERE order_id = ` + value("order") + `
ORDER BY occurred_at, source, event_id, journal.account`,
		Columns: []Column{{Name: "Happened", Shows: moment, Width: 135}, {Name: "Event"}, {Name: "Account", Width: 75},
			{Name: "Name", Width: 115}, {Name: "What it went on", Width: 140}, {Name: "How", Width: 130},
			{Name: "Amount", Shows: exact, Width: 150}, {Name: "Period", Width: 75}}}
}

func costliestOrders() Panel {
	return Panel{Kind: table, Title: "Costliest orders", Width: 24,
		Description: "The 100 orders with the most net cost in the time in view. A click on one tells its story above.",
		SQL: `SELECT order_id AS "Order", ` + word("store", "any(store_id)") + ` AS "Store",
       arrayStringConcat(groupUniqArray(5)(` + kind + `), ', ') AS "What went wrong",
       ` + caseCount + ` AS "Cases", ` + net + ` AS "Net cost", ` + exactly(net) + ` AS "Exactly"
FROM ` + leaks + ` AND order_id != ''
GROUP BY order_id ORDER BY "Net cost" DESC, order_id LIMIT 100`,
		Columns: []Column{storyOf, {Name: "Store", Width: 120}, {Name: "What went wrong"}, {Name: "Cases", Shows: count},
			{Name: "Net cost", Shows: amount}, {Name: "Exactly", Shows: exact}}}
}
