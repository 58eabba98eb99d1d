package grafana

import (
	"strings"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/report"
)

// What is hidden is said in one way, wherever it is shown.
var (
	hiddenMeans = "Hidden is work and driving that nobody paid for apart: it is inside wages and fleet in the general " +
		"ledger, where nothing shows it as a failure's cost (basis " + domain.Imputed.String() + ")."
	netMeans = "Real cost, net: all failure costs less what was paid back. Changed minds and unfounded cases are left out."
)

// codes are the values that a key of reports can have.
var codes = map[string][]string{
	"root_cause": append(domain.RootCauses(), ""), "kind": append(domain.Kinds(), ""),
	"party_at_fault": append(domain.Parties(), ""), "element": domain.Elements(), "basis": domain.Bases()[1:],
	"avoidable": {"true", "false", ""}, "category": {"internal", "external"}, "store": {""}, "selling_store": {""},
	"vendor": {""},
}

// word is SQL for the words in front of people for a column that has values of a key of reports. People choose by these
// words as well.
func word(key, column string) string {
	var from, to []string
	for _, c := range codes[key] {
		if w := report.Word(key, c); w != "" {
			from, to = append(from, c), append(to, w)
		}
	}
	return `transform(toString(` + column + `), ` + list(from) + `, ` + list(to) + `, toString(` + column + `))`
}

// list is an array.
func list(of []string) string {
	var quoted []string
	for _, text := range of {
		quoted = append(quoted, `'`+strings.ReplaceAll(text, `'`, `\'`)+`'`)
	}
	return `[` + strings.Join(quoted, `, `) + `]`
}

// inWords defines the SQL function written(amount): the currency, thousands, and two decimals.
var inWords = `(x -> concat(` + value("currency") + `, ' ', if(round(x, 2) < 0, '-', ''),
        reverse(trim(TRAILING ',' FROM replaceRegexpAll(reverse(
            splitByChar('.', toDecimalString(abs(round(x, 2)), 2))[1]),
            '([0-9]{3})', '\\1,'))), '.', splitByChar('.', toDecimalString(abs(round(x, 2)), 2))[2])) AS written`

// A long time is shown by weeks or months.
const (
	daysInView = `toInt64(toDate($__toTime) - toDate($__fromTime) + 1)`
	// bucket is the day, the week's Monday or the month's first, by how long the time in view is.
	bucket = `multiIf(` + daysInView + ` <= 45, day, ` + daysInView + ` <= 200, toMonday(day), toStartOfMonth(day))`
	// bucketName is what a bucket is called.
	bucketName = `multiIf(` + daysInView + ` <= 45, trim(LEADING ' ' FROM formatDateTime(bucket, '%e %b')),
           ` + daysInView + ` <= 200, concat('week of ', trim(LEADING ' ' FROM formatDateTime(bucket, '%e %b'))),
           formatDateTime(bucket, '%b %Y'))`
	// daysOf are the days in view, so that one without anything has its place as well.
	daysOf = `(SELECT toDate($__fromTime) + number AS day FROM numbers(toUInt64(` + daysInView + `)))`
)

// bucketed is SQL for one number over the time in view.
func bucketed(name, what, from string) string {
	return `SELECT ` + bucketName + ` AS "When", sum(x) AS "` + name + `"
FROM (SELECT ` + bucket + ` AS bucket, toDecimal128(0, 4) AS x FROM ` + daysOf + `
    UNION ALL
    SELECT ` + bucket + ` AS bucket, toDecimal128(` + what + `, 4) AS x FROM ` + from + ` GROUP BY bucket)
GROUP BY bucket ORDER BY bucket`
}
