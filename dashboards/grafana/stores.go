package grafana

// stores compares places, and asks who finds failures first: the counter or the customer.
func stores() Board {
	placed := `(SELECT store_id, uniqExact(order_id) AS orders FROM ledger FINAL
    WHERE event_type = 'makegood.order.placed.v1' AND refused = '' AND $__dateFilter(day) AND occurred_at >= $__fromTime - INTERVAL 2 DAY AND occurred_at <= $__toTime + INTERVAL 2 DAY
      AND currency = ${currency:singlequote} AND ` + chosen("store_id", "store") + ` GROUP BY store_id)`
	reports := `failures FINAL
WHERE event_type = 'makegood.error.reported.v1' AND kind != 'changed_mind' AND refused = '' AND $__dateFilter(day) AND ` + chosen("store_id", "store") + `
  AND (source, event_id) NOT IN (SELECT voids_source, voids_id FROM voids FINAL WHERE refused = '')`
	return Board{
		UID: "makegood-stores", Title: "Stores and counter", From: "now-30d",
		Description: "Which places lose money on fixes, and who meets the failures first.",
		Variables:   []Variable{currencyVariable(), storeVariable()},
		Rows: []Row{
			{Height: 9, Panels: []Panel{
				{Kind: table, Title: "Stores ($currency)", Width: 24, Unit: "locale", Money: []string{"Net leakage", "Hidden", "A case", "An order"},
					Description: "Leakage by store beside its orders, so that a large store isn't blamed for being large. Orders are those placed in the time in view; cases those with a cost in it.",
					SQL: `SELECT s.store_id AS "Store", o.orders AS "Orders", s.cases AS "Cases", ` + share("s.cases", "o.orders") + ` AS "Cases an order", s.net AS "Net leakage", s.hidden AS "Hidden",
       if(s.cases = 0, NULL, toDecimal64(s.net, 4) / s.cases) AS "A case", if(o.orders = 0, NULL, toDecimal64(s.net, 4) / o.orders) AS "An order"
FROM (SELECT store_id, ` + caseCount + ` AS cases, ` + net + ` AS net, ` + hidden + ` AS hidden FROM ` + leaks + ` GROUP BY store_id) AS s
LEFT JOIN ` + placed + ` AS o ON o.store_id = s.store_id ORDER BY "Net leakage" DESC`,
					Columns: []Column{{Name: "Store", Link: &Link{"Only this store", "makegood-causes?var-store=${__value.raw}"}}, {Name: "Cases an order", Unit: "percentunit"}}},
			}},
			{Height: 9, Panels: []Panel{
				{Kind: timeSeries, Title: "Net leakage by day and store ($currency)", Width: 14, Unit: money, Stacked: true, OverTime: true,
					Description: "Net leakage of each day by store. Below zero: more was recovered than lost.",
					SQL:         `SELECT toDateTime(day) AS time, store_id AS store, ` + net + ` AS net FROM ` + leaks + ` GROUP BY day, store_id ORDER BY day, store_id`},
				{Kind: bars, Title: "Who found it", Width: 10, Unit: "locale", Decimals: digits(0), Stacked: true,
					Description: "Errors reported by who met them first. What employees and systems find before the customer does costs a fraction.",
					SQL: `SELECT if(store_id = '', 'no store', store_id) AS "Store", countIf(detected_by = 'customer') AS "Customer", countIf(detected_by = 'employee') AS "Employee", countIf(detected_by = 'system') AS "System", countIf(detected_by = 'carrier') AS "Carrier"
FROM ` + reports + ` GROUP BY store_id ORDER BY store_id`},
			}},
			{Height: 9, Panels: []Panel{
				{Kind: table, Title: "What goes wrong where ($currency)", Width: 24, Unit: "locale", Money: []string{"Net leakage"},
					Description: "Store, kind and cause together: the first lines are what to talk about at which counter.",
					SQL: `SELECT store_id AS "Store", kind AS "Kind", root_cause AS "Root cause", ` + caseCount + ` AS "Cases", ` + net + ` AS "Net leakage"
FROM ` + leaks + ` GROUP BY store_id, kind, root_cause ORDER BY "Net leakage" DESC LIMIT 50`},
			}},
		},
	}
}
