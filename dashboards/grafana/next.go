package grafana

import "github.com/makegood/makegood/domain"

// next is what to do next: what can be claimed, what is worth preventing, what became worse. Figures that a sample
// carries are computed by makegood, with their interval, and not here; the panels say which command or page has them.
func next() Board {
	return Board{
		UID: "makegood-next", Title: "What to do next", From: "now-90d",
		Description: "What can be claimed and until when, what is worth preventing, and what an order costs in fixes. " +
			"Three sentences with what each is worth are on makegood's page and in makegood next.",
		Variables: []Variable{currencyVariable(), storeVariable()},
		Rows: []Row{
			{Title: "Claim what others owe", Height: 9, Panels: claimable()},
			{Height: 9, Panels: []Panel{causedByOthers()}},
			{Title: "Prevent what costs most", Height: 10, Panels: []Panel{avoidableCauses()}},
			{Title: "Keep promises", Height: 9, Panels: []Panel{promisePrice()}},
			{Title: "The failure budget", Height: 9, Panels: []Panel{costOfAnOrder()}},
		},
	}
}

func claimable() []Panel {
	of := func(title, unit, query, description string, decimals float64) Panel {
		return Panel{Kind: gauges, Title: title, Width: 12, Unit: unit, Decimals: &decimals, Nothing: "no terms yet",
			Description: description + " Now, of all stores. Without terms (makegood claim terms) nothing is known of it; " +
				"makegood recoverable has each case.",
			PromQL: []Series{{query, "{{vendor}}, {{currency}}"}}}
	}
	return []Panel{
		of("To be claimed, by supplier", "locale",
			`topk(15, max by (currency, vendor) (makegood_claims_to_file_amount) > 0)`,
			"What the terms of each supplier and carrier cover and nobody has claimed yet.", 2),
		of("Days left to claim it", "suffix:days",
			`bottomk(15, max by (currency, vendor) (makegood_claims_window_seconds) / 86400)`,
			"Days until the first window ends in which something is to be claimed, the most urgent 15.", 0),
	}
}

func causedByOthers() Panel {
	return Panel{Kind: table, Title: "What suppliers and carriers caused", Width: 24,
		Description: "Gross cost of founded cases whose fault is a supplier's or a carrier's, and what of it came back.",
		SQL: `SELECT ` + word("vendor", "vendor_id") + ` AS "Supplier",
       ` + word("party_at_fault", "party_at_fault") + ` AS "At fault", ` + caseCount + ` AS "Cases",
       ` + gross + ` AS "Gross cost", ` + recoveries + ` AS "Paid back", ` + net + ` AS "Net cost"
FROM ` + leaks + ` AND founded = 'yes'
  AND (party_at_fault IN ('supplier', 'carrier')
      OR party_at_fault = '' AND root_cause IN ('supplier_quality', 'carrier'))
GROUP BY vendor_id, party_at_fault ORDER BY "Net cost" DESC LIMIT 50`,
		Columns: []Column{{Name: "Supplier", Link: &Link{"Its cases", "makegood-causes?var-vendor=" + clicked}},
			{Name: "At fault", Width: 120}, {Name: "Cases", Shows: count}, {Name: "Gross cost", Shows: amount},
			{Name: "Paid back", Shows: amount}, {Name: "Net cost", Shows: amount}}}
}

func avoidableCauses() Panel {
	spent := `(SELECT JSONExtractString(payload, 'target_cause') AS root_cause, sum(toDecimal128(x, 4)) AS spent
    FROM ledger FINAL ARRAY JOIN account AS a, amount AS x
    WHERE ` + is(domain.TypeQualitySpent) + ` AND ` + stands + ` AND ` + months + ` AND ` + inView + `
      AND a = ` + account(domain.Prevention) + `
    GROUP BY root_cause)`
	return Panel{Kind: table, Title: "What is worth preventing", Width: 24,
		Description: "Net cost of each cause, what of it was marked avoidable, and what was spent on preventing just that " +
			"cause in the time in view. makegood what-if says what a year of each would save, with its interval; makegood " +
			"prevention whether what was spent has paid.",
		SQL: `SELECT ` + word("root_cause", "c.root_cause") + ` AS "Cause", c.cases AS "Cases", c.net AS "Net cost",
       c.avoidable AS "Avoidable", ` + share("c.avoidable", "c.net") + ` AS "Avoidable share", s.spent AS "Spent on it"
FROM (SELECT root_cause, ` + caseCount + ` AS cases, ` + net + ` AS net, sumIf(amount, avoidable = 'true') AS avoidable
    FROM ` + leaks + `
    GROUP BY root_cause) AS c
LEFT JOIN ` + spent + ` AS s ON s.root_cause = c.root_cause
ORDER BY "Avoidable" DESC, "Net cost" DESC`,
		Columns: []Column{{Name: "Cause", Link: &Link{"Its cases", "makegood-causes?var-cause=" + clicked}},
			{Name: "Cases", Shows: count}, {Name: "Net cost", Shows: amount}, {Name: "Avoidable", Shows: amount},
			{Name: "Avoidable share", Shows: shareOf, Width: 135}, {Name: "Spent on it", Shows: amount}}}
}

func promisePrice() Panel {
	return Panel{Kind: table, Title: "What each broken promise costs", Width: 24,
		Description: "Cases by the promise that was broken, and what one of them costs. " + whatIsBroken +
			" makegood promises has the price of lateness by hour, slot, store and carrier.",
		SQL: `SELECT ` + brokenPromise + ` AS "Promise", ` + caseCount + ` AS "Cases", ` + net + ` AS "Net cost",
       ` + each(`"Net cost"`, `"Cases"`) + ` AS "A case"
FROM ` + leaks + `
GROUP BY "Promise" ORDER BY "Net cost" DESC`,
		Columns: []Column{{Name: "Promise"}, {Name: "Cases", Shows: count}, {Name: "Net cost", Shows: amount},
			{Name: "A case", Shows: amount}}}
}

func costOfAnOrder() Panel {
	return Panel{Kind: bars, Title: "What an order costs in fixes", Width: 24, Unit: money, Category: "When",
		Nothing: "nothing in that time",
		Description: "Net cost ÷ orders placed, by day, or by week or month where the time in view is longer than 45 or " +
			"200 days; nothing where no order was placed. makegood budget holds it against what is allowed and says where the " +
			"month will end.",
		SQL: statements.Text("an_order", map[string]string{"bucket_name": bucketName, "bucket": bucket, "days": daysOf,
			"net": net, "leaks": leaks, "placed": is(domain.TypeOrderPlaced) + ` AND ` + stands + ` AND ` + months + ` AND ` +
				inView}),
		Columns: []Column{{Name: "An order", Shows: amount, Color: lossColor}}}
}
