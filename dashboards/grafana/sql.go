package grafana

// What every board lets a person choose.
func currencyVariable() Variable {
	return Variable{Name: "currency", Label: "Currency", Description: "Amounts of different currencies are never summed",
		Query: `SELECT DISTINCT currency FROM leakage_daily WHERE currency != '' ORDER BY currency`}
}

func storeVariable() Variable {
	return Variable{Name: "store", Label: "Store", Description: "Where it was sold", Several: true,
		Query: `SELECT DISTINCT store_id FROM leakage_daily WHERE store_id != '' ORDER BY store_id`}
}

// chosen narrows a column to what is chosen in a variable of several.
func chosen(column, variable string) string {
	return `(` + all + ` IN (${` + variable + `:singlequote}) OR ` + column + ` IN (${` + variable + `:singlequote}))`
}

// leaks are the failure lines in view. Customers who changed their mind are no failure. Days are those of the time zone
// of the books; whole days count, the first and last of the range included.
var leaks = `leakage_daily FINAL
WHERE lines > 0 AND kind != 'changed_mind' AND $__dateFilter(day) AND currency = ${currency:singlequote} AND ` + chosen("store_id", "store")

// journalLines are all lines in view, from the ledger. The bound on occurred_at lets whole months be skipped; it is two days
// wider than the range, since the days of the books may be another zone's.
var journalLines = `(SELECT day, event_type, order_id, error_id, a, e, b, CAST(x AS Decimal(38, 4)) AS x
    FROM ledger AS l FINAL ARRAY JOIN l.account AS a, l.element AS e, l.basis AS b, l.amount AS x
    WHERE $__dateFilter(day) AND occurred_at >= $__fromTime - INTERVAL 2 DAY AND occurred_at <= $__toTime + INTERVAL 2 DAY
      AND currency = ${currency:singlequote} AND ` + chosen("store_id", "store") + `)`

// Parts of a SELECT over leaks.
const (
	cause      = `if(root_cause = '', 'not classified', root_cause)` // by this name it is chosen as well
	net        = `sum(amount)`
	gross      = `sumIf(amount, element NOT IN ('RECOVERY', 'SALVAGE'))`
	hidden     = `sumIf(amount, element NOT IN ('RECOVERY', 'SALVAGE') AND basis = 'IMPUTED')`
	booked     = `sumIf(amount, element NOT IN ('RECOVERY', 'SALVAGE') AND basis != 'IMPUTED')`
	recoveries = `-sumIf(amount, element IN ('RECOVERY', 'SALVAGE'))`
	caseCount  = `uniqExactIf(error_id, error_id != '')`
)

// share divides exactly and shows what can't be divided as nothing.
func share(numerator, denominator string) string {
	return `if(` + denominator + ` = 0, NULL, toFloat64(` + numerator + `) / toFloat64(` + denominator + `))`
}

func value(variable string) string { return "${" + variable + ":singlequote}" }
