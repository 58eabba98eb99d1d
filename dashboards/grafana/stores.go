package grafana

import (
	"fmt"

	"github.com/makegood/makegood/domain"
)

// stores compares places, and asks who finds failures first: the counter or the customer.
func stores() Board {
	return Board{
		UID: "makegood-stores", Title: "Stores and counter", From: "now-30d",
		Description: "Which places lose money on fixes, and who meets the failures first.",
		Variables:   []Variable{currencyVariable(), storeVariable()},
		Rows: []Row{
			{Height: 10, Panels: []Panel{storeTable()}},
			{Title: "The four stores that cost most, each by itself", Height: 8, Panels: storesApart()},
			{Height: 10, Panels: []Panel{whatGoesWrong()}},
			{Height: 9, Panels: []Panel{whoFound(), soldAndFixed()}},
		},
	}
}

func storeTable() Panel {
	placed := `(SELECT store_id, uniqExact(order_id) AS orders
    FROM ledger FINAL
    WHERE ` + is(domain.TypeOrderPlaced) + ` AND ` + stands + ` AND ` + months + ` AND ` + inView + `
    GROUP BY store_id)`
	return Panel{Kind: table, Title: "Stores", Width: 24,
		Description: "Cost by store beside its orders, so that a large store isn't blamed for being large. Orders are " +
			"those placed in the time in view; cases those with a cost in it. " + hiddenMeans,
		SQL: `SELECT ` + word("store", "s.store_id") + ` AS "Store", o.orders AS "Orders", s.cases AS "Cases",
       ` + share("s.cases", "o.orders") + ` AS "Cases an order", s.net AS "Net cost", s.hidden AS "Hidden",
       ` + each("s.net", "s.cases") + ` AS "A case", ` + each("s.net", "o.orders") + ` AS "An order"
FROM (SELECT store_id, ` + caseCount + ` AS cases, ` + net + ` AS net, ` + hidden + ` AS hidden
    FROM ` + leaks + `
    GROUP BY store_id) AS s
LEFT JOIN ` + placed + ` AS o ON o.store_id = s.store_id
ORDER BY "Net cost" DESC`,
		Columns: []Column{{Name: "Store", Link: &Link{"Only this store", "makegood-causes?var-store=" + clicked}},
			{Name: "Orders", Shows: count}, {Name: "Cases", Shows: count, Width: 75},
			{Name: "Cases an order", Shows: shareOf, Width: 125}, {Name: "Net cost", Shows: amount, Width: 130},
			{Name: "Hidden", Shows: amount, Width: 130}, {Name: "A case", Shows: amount, Width: 110},
			{Name: "An order", Shows: amount, Width: 110}}}
}

// storesApart are small pictures of one size: net cost may be below zero, so that a pile of stores would say nothing.
func storesApart() []Panel {
	var all []Panel
	for i, rank := range []string{"The costliest store", "The second", "The third", "The fourth"} {
		its := leaks + ` AND store_id IN (SELECT store_id FROM ` + leaks + `
        GROUP BY store_id ORDER BY ` + net + ` DESC, store_id LIMIT 1 OFFSET ` + fmt.Sprint(i) + `)`
		p := inTime(rank, "Net cost", net, its, lossColor,
			"Net cost of the store that stands in line "+fmt.Sprint(i+1)+" of the table above. Below zero: more was paid back "+
				"than lost.", 6)
		all = append(all, p)
	}
	return all
}

func whoFound() Panel {
	return Panel{Kind: bars, Title: "Who found it", Width: 10, Unit: "locale", Decimals: digits(0), Stacked: true,
		Category: "Store", Nothing: "nothing in that time",
		Description: "Founded errors reported, by who met them first. What employees and systems find before the customer " +
			"does costs a fraction. The 15 stores with the most.",
		SQL: `SELECT ` + storeOf + ` AS "Store", countIf(detected_by = 'customer') AS "Customer",
       countIf(detected_by = 'employee') AS "Employee", countIf(detected_by = 'system') AS "System",
       countIf(detected_by = 'carrier') AS "Carrier"
FROM (SELECT store_id, JSONExtractString(payload, 'detected_by') AS detected_by FROM ledger FINAL
    WHERE ` + is(domain.TypeErrorReported) + ` AND ` + stands + ` AND ` + months + ` AND $__dateFilter(day)
      AND ` + chosen("store_id", "store") + `
      AND (order_id, error_id) NOT IN (SELECT order_id, error_id FROM cases WHERE NOT founded))
GROUP BY store_id ORDER BY count() DESC, store_id LIMIT 15`,
		Columns: []Column{{Name: "Customer", Shows: count, Color: lossColor},
			{Name: "Employee", Shows: count, Color: bookedColor},
			{Name: "System", Shows: count, Color: hiddenColor}, {Name: "Carrier", Shows: count, Color: "yellow"}}}
}

func whatGoesWrong() Panel {
	return Panel{Kind: table, Title: "What goes wrong where", Width: 24,
		Description: "Store, kind and cause together: the first lines are what to talk about at which counter.",
		SQL: `SELECT ` + storeOf + ` AS "Store", ` + kind + ` AS "What went wrong", ` + cause + ` AS "Cause",
       ` + caseCount + ` AS "Cases", ` + net + ` AS "Net cost"
FROM ` + leaks + `
GROUP BY store_id, kind, root_cause ORDER BY "Net cost" DESC LIMIT 50`,
		Columns: []Column{{Name: "Store"}, {Name: "What went wrong", Width: 200}, {Name: "Cause", Width: 220},
			{Name: "Cases", Shows: count}, {Name: "Net cost", Shows: amount}}}
}

func soldAndFixed() Panel {
	return Panel{Kind: table, Title: "Sold here, fixed there", Width: 14,
		Description: "Net cost by the store that sold and the store that fixed: who makes the failures, and who pays " +
			"for them.",
		SQL: `SELECT ` + word("selling_store", "selling_store") + ` AS "Sold by", ` + storeOf + ` AS "Fixed by",
       ` + caseCount + ` AS "Cases", ` + net + ` AS "Net cost"
FROM ` + leaks + `
GROUP BY selling_store, store_id ORDER BY "Net cost" DESC LIMIT 50`,
		Columns: []Column{{Name: "Sold by"}, {Name: "Fixed by", Width: 150}, {Name: "Cases", Shows: count},
			{Name: "Net cost", Shows: amount}}}
}
