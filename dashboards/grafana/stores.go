package grafana

import "github.com/makegood/makegood/domain"

// stores compares places, and asks who finds failures first: the counter or the customer.
func stores() Board {
	return Board{
		UID: "makegood-stores", Title: "Stores and counter", From: "now-30d",
		Description: "Which places lose money on fixes, and who meets the failures first.",
		Variables:   []Variable{currencyVariable(), storeVariable()},
		Rows: []Row{
			{Height: 9, Panels: []Panel{storeTable()}},
			{Height: 9, Panels: []Panel{leakageByStore(), whoFound()}},
			{Height: 9, Panels: []Panel{whatGoesWrong(), soldAndFixed()}},
		},
	}
}

func storeTable() Panel {
	placed := `(SELECT store_id, uniqExact(order_id) AS orders
    FROM ledger FINAL
    WHERE ` + is(domain.TypeOrderPlaced) + ` AND ` + stands + ` AND ` + months + ` AND ` + inView + `
    GROUP BY store_id)`
	return Panel{Kind: table, Title: "Stores ($currency)", Width: 24, Unit: "locale",
		Money: []string{"Net leakage", "Hidden", "A case", "An order"},
		Description: "Leakage by store beside its orders, so that a large store isn't blamed for being large. Orders are " +
			"those placed in the time in view; cases those with a cost in it.",
		SQL: `SELECT s.store_id AS "Store", o.orders AS "Orders", s.cases AS "Cases",
       ` + share("s.cases", "o.orders") + ` AS "Cases an order", s.net AS "Net leakage", s.hidden AS "Hidden",
       ` + each("s.net", "s.cases") + ` AS "A case", ` + each("s.net", "o.orders") + ` AS "An order"
FROM (SELECT store_id, ` + caseCount + ` AS cases, ` + net + ` AS net, ` + hidden + ` AS hidden
    FROM ` + leaks + `
    GROUP BY store_id) AS s
LEFT JOIN ` + placed + ` AS o ON o.store_id = s.store_id
ORDER BY "Net leakage" DESC`,
		Columns: []Column{{Name: "Store", Link: &Link{"Only this store", "makegood-causes?var-store=" + clicked}},
			{Name: "Cases an order", Unit: "percentunit"}}}
}

func leakageByStore() Panel {
	return Panel{Kind: timeSeries, Title: "Net leakage by day and store ($currency)", Width: 14, Unit: money,
		Stacked: true, OverTime: true,
		Description: "Net leakage of each day by store. Below zero: more was recovered than lost.",
		SQL: `SELECT toDateTime(day) AS time, store_id AS store, ` + net + ` AS net
FROM ` + leaks + `
GROUP BY day, store_id ORDER BY day, store_id`}
}

func whoFound() Panel {
	return Panel{Kind: bars, Title: "Who found it", Width: 10, Unit: "locale", Decimals: digits(0), Stacked: true,
		Description: "Founded errors reported, by who met them first. What employees and systems find before the customer " +
			"does costs a fraction.",
		SQL: `SELECT if(store_id = '', 'no store', store_id) AS "Store", countIf(detected_by = 'customer') AS "Customer",
       countIf(detected_by = 'employee') AS "Employee", countIf(detected_by = 'system') AS "System",
       countIf(detected_by = 'carrier') AS "Carrier"
FROM (SELECT store_id, JSONExtractString(payload, 'detected_by') AS detected_by FROM ledger FINAL
    WHERE ` + is(domain.TypeErrorReported) + ` AND ` + stands + ` AND ` + months + ` AND $__dateFilter(day)
      AND ` + chosen("store_id", "store") + `
      AND (order_id, error_id) NOT IN (SELECT order_id, error_id FROM cases WHERE NOT founded))
GROUP BY store_id ORDER BY store_id`}
}

func whatGoesWrong() Panel {
	return Panel{Kind: table, Title: "What goes wrong where ($currency)", Width: 14, Unit: "locale",
		Money:       []string{"Net leakage"},
		Description: "Store, kind and cause together: the first lines are what to talk about at which counter.",
		SQL: `SELECT store_id AS "Store", kind AS "Kind", root_cause AS "Root cause", ` + caseCount + ` AS "Cases",
       ` + net + ` AS "Net leakage"
FROM ` + leaks + `
GROUP BY store_id, kind, root_cause ORDER BY "Net leakage" DESC LIMIT 50`}
}

func soldAndFixed() Panel {
	return Panel{Kind: table, Title: "Sold here, fixed there ($currency)", Width: 10, Unit: "locale",
		Money: []string{"Net leakage"},
		Description: "Net leakage by the store that sold and the store that fixed: who makes the failures, and who pays " +
			"for them.",
		SQL: `SELECT if(selling_store = '', 'not known', selling_store) AS "Sold by", store_id AS "Fixed by",
       ` + caseCount + ` AS "Cases", ` + net + ` AS "Net leakage"
FROM ` + leaks + `
GROUP BY selling_store, store_id ORDER BY "Net leakage" DESC LIMIT 50`}
}
