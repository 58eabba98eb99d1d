package grafana

import (
	"strings"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/sql"
)

// What every board lets a person choose.
func currencyVariable() Variable {
	// The first is what Grafana shows unless another one is chosen: that with the most lines.
	return Variable{Name: "currency", Label: "Currency", Description: "Amounts of different currencies are never summed",
		Query: `SELECT currency FROM leakage_daily WHERE currency != ''
GROUP BY currency ORDER BY sum(lines) DESC, currency`}
}

func storeVariable() Variable {
	return Variable{Name: "store", Label: "Store", Description: "Who fixed it; deliveries count where it was sold",
		Several: true,
		Query:   `SELECT DISTINCT store_id FROM leakage_daily WHERE store_id != '' ORDER BY store_id`}
}

// What is chosen comes from links, from text that people type and from stores' names, so it must never become SQL.
// ClickHouse reads the backslash in string literals, and none of Grafana's formats for SQL escapes it. So values come
// percent-encoded, as query parameters named v: letters, digits, - _ . ~ and %, and & between several. ClickHouse
// decodes them. "All" comes as the word all, which has no v= and so is no value.
//
// Grafana has the format customqueryparam since @grafana/scenes 6.27.2 (July 2025). An older Grafana would put values
// there as they are: see the README of dashboards for the version that the boards need.
//
// all is what "All" puts into a query in place of a list of thousands.
const all = `all`

// asked is what is chosen in a variable, encoded, as a string literal.
func asked(variable string) string { return `'${` + variable + `:customqueryparam:v}'` }

// value is what is chosen in a variable of one value.
func value(variable string) string {
	return `decodeURLComponent(substring(` + asked(variable) + `, 3))`
}

// chosen narrows a column to what is chosen in a variable of several values. Where a table shows words for a value, its
// links choose by them: see word.
func chosen(column, variable string) string {
	values := `arrayMap(v -> decodeURLComponent(substring(v, 3)), splitByChar('&', ` + asked(variable) + `))`
	if len(codes[variable]) > 0 {
		column = word(variable, column)
	}
	return `(` + asked(variable) + ` = '` + all + `' OR has(` + values + `, ` + column + `))`
}

// names is a list for IN.
func names(of []string) string { return `('` + strings.Join(of, `', '`) + `')` }

// is is a condition on the type of an event.
func is(t domain.Type) string { return `event_type = '` + t.String() + `'` }

// What the vocabulary of the projections says of columns by these names.
var (
	profitAndLoss = sql.ProfitAndLoss("a")
	isHidden      = sql.Imputed("basis")
	isCost        = sql.Cost("element")
	isBack        = sql.Recovery("element")
)

// inView are the days, the currency and the stores that are chosen, of the roll-up. Days are those of the time zone
// of the books; whole days count, the first and last of the range included.
var inView = `$__dateFilter(day) AND currency = ` + value("currency") + ` AND ` + chosen("store_id", "store")

// What an amount of the roll-up is part of. Leakage is the cost of failures; the others stand beside it.
const (
	leakage         = `part = 'leakage'`
	changedMind     = `part = 'changed_mind'`
	unfounded       = `part = 'unfounded'`
	customerChanges = `part = 'customer_changes'`
)

// leaks are the failure lines in view.
var leaks = `leakage_daily FINAL
WHERE lines > 0 AND ` + leakage + ` AND ` + inView

// stands is true of an event that is in the books and counts: it is no double, waits for nobody, and is not taken back.
const stands = `refused = '' AND standing = ''`

// months bounds occurred_at so that whole months of the ledger are skipped. It is two days wider than the range,
// since the days of the books may be another zone's.
const months = `occurred_at >= $__fromTime - INTERVAL 2 DAY AND occurred_at <= $__toTime + INTERVAL 2 DAY`

// journalLines are all lines in view, from the ledger. A line has its own case, currency and store.
var journalLines = linesOf(months + ` AND $__dateFilter(day)`)

// linesOf are the lines of what is chosen, of the days that a condition names.
func linesOf(days string) string {
	return `(SELECT day, of_case, a, toString(e_) AS e, toString(b_) AS b, toString(s_) AS s,
        CAST(x_ AS Decimal(38, 4)) AS x
    FROM ledger FINAL
    ARRAY JOIN account AS a, element AS e_, basis AS b_, step AS s_, amount AS x_, ` + sql.LineCase + ` AS of_case,
        ` + sql.LineCurrency + ` AS of_currency, ` + sql.LineStore + ` AS of_store
    WHERE ` + days + ` AND of_currency = ` + value("currency") + `
      AND ` + chosen("of_store", "store") + `)`
}

// Parts of a SELECT over leaks.
var (
	net        = `sum(amount)`
	gross      = `sumIf(amount, ` + isCost + `)`
	hidden     = `sumIf(amount, ` + isCost + ` AND ` + isHidden + `)`
	booked     = `sumIf(amount, ` + isCost + ` AND NOT ` + isHidden + `)`
	recoveries = `-sumIf(amount, ` + isBack + `)`
)

const caseCount = `uniqExactIf((unit, error_id), error_id != '' AND founded != '')`

// What columns of the roll-up are called in front of people.
var (
	cause   = word("root_cause", "root_cause")
	kind    = word("kind", "kind")
	storeOf = word("store", "store_id")
)

// share divides exactly and shows what can't be divided as nothing.
func share(numerator, denominator string) string {
	of := `toFloat64(` + numerator + `) / toFloat64(` + denominator + `)`
	return `if(` + denominator + ` = 0, NULL, ` + of + ` + 0)` // + 0: else a share of 0 may be -0
}

// each is an amount divided by a count, exactly; nothing where the count is 0.
func each(amount, count string) string {
	return `if(` + count + ` = 0, NULL, toDecimal64(` + amount + `, 4) / ` + count + `)`
}

// exactly writes an amount of the chosen currency with all four decimals, as text, which no unit rounds.
func exactly(amount string) string { return exactlyIn(value("currency"), amount) }

// exactlyIn is exactly, in the currency that an expression says.
func exactlyIn(currency, amount string) string {
	return `concat(` + currency + `, ' ', toDecimalString(` + amount + `, 4))`
}
