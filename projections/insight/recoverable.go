package insight

import (
	"context"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// recoverable asks what suppliers and carriers owe for what they caused. See readVendorCases for what it reads.
var recoverable = Question{
	Name:  "recoverable",
	About: "What suppliers and carriers caused, what their terms cover, and what is still to be claimed until when.",
	Params: []Param{{Name: "vendor", About: "One vendor alone: that of the case, by itself or by its order's lines, " +
		"else who a claim was sent to."}},
	Method: "The gross leakage of every founded case that a supplier or carrier caused is split by the vendor's terms " +
		"into what they cover and what not, and the covered part by where its claim stands. A case has until the window " +
		"of the terms ends, counted from the day on which it was reported.",
	Heading: "Recoverable",
	Columns: []Column{
		{Name: "vendor", Unit: Text, About: "The supplier or carrier; empty where nothing names one."},
		{Name: "cases", Unit: Count, About: "Cases with costs in the time.", Sum: true},
		{Name: "gross", Unit: Money, About: "What they cost: to_file + filed + accepted + refused + lapsed + not_covered.",
			Sum: true},
		{Name: "to_file", Unit: Money, About: "Covered, nothing filed, and still time.", Sum: true},
		{Name: "filed", Unit: Money, About: "Covered, filed, and not answered yet.", Sum: true},
		{Name: "accepted", Unit: Money, About: "Covered, of cases with an accepted claim.", Sum: true},
		{Name: "refused", Unit: Money, About: "Covered, of cases whose claim was refused.", Sum: true},
		{Name: "lapsed", Unit: Money, About: "Covered, nothing filed, and the time is over.", Sum: true},
		{Name: "not_covered", Unit: Money, About: "What no clause covers, or no terms are known for.", Sum: true},
		{Name: "recovered", Unit: Money, About: "What claims brought in the time, by the journal (element RECOVERY).",
			Sum: true},
		{Name: "settled", Unit: Money, About: "What was paid on claims of these cases.", Sum: true},
		{Name: "cases_to_file", Unit: Count, About: "Cases with something to file.", Sum: true},
		{Name: "days_left", Unit: Days, About: "Until the first window ends in which something is to be filed; 0 is today."},
		{Name: "last_day", Unit: Day, About: "The day of that."},
		link("Its cases: the further table cases."),
	},
	Parts: []Part{{"cases", "Each case, what ends first at first.", []Column{
		{Name: "case", Unit: Text, About: "The case."}, {Name: "order", Unit: Text, About: "Its order, if there is one."},
		{Name: "vendor", Unit: Text, About: "The supplier or carrier."},
		{Name: "kind", Unit: Text, About: "What went wrong."}, {Name: "root_cause", Unit: Text, About: "Why."},
		{Name: "reported", Unit: Day, About: "When it became known."},
		{Name: "status", Unit: Text, About: "to_file, filed, accepted, refused or lapsed."},
		{Name: "gross", Unit: Money, About: "What it cost in the time.", Sum: true},
		{Name: "covered", Unit: Money, About: "What the terms cover of that.", Sum: true},
		{Name: "not_covered", Unit: Money, About: "The rest.", Sum: true},
		{Name: "days_left", Unit: Days, About: "Until the window ends; null without terms or once it is over."},
		{Name: "last_day", Unit: Day, About: "The last day of the window; null without terms."},
		{Name: "link", Unit: Text, About: "Where its events and journal lines are."},
	}}},
	Read: readRecoverable,
}

// owed sums up the cases of one vendor.
type owed struct {
	cases, toFile                         uint64
	gross, notCovered, recovered, settled *big.Rat
	by                                    map[string]*big.Rat // covered, by status
	lastDay                               time.Time           // the first that something is to be filed by; zero: none
}

func readRecoverable(ctx context.Context, db driver.Conn, q *Query) ([]Row, map[string][]Row, error) {
	cases, err := readVendorCases(ctx, db, q)
	if err != nil {
		return nil, nil, err
	}
	if vendor, given := q.Of["vendor"]; given {
		cases = slices.DeleteFunc(cases, func(c *vendorCase) bool { return c.vendor != vendor })
	}
	today := day(q.Now, q.Now.Location())
	rows := q.owedRows(byVendor(cases, today), today)
	slices.SortStableFunc(cases, func(a, b *vendorCase) int {
		if a.lastDay.IsZero() != b.lastDay.IsZero() {
			if a.lastDay.IsZero() {
				return 1
			}
			return -1
		}
		return a.lastDay.Compare(b.lastDay)
	})
	var each []Row
	for _, c := range cases {
		row := Row{"case": c.id, "order": c.order, "vendor": c.vendor, "kind": c.kind,
			"root_cause": c.cause, "reported": day(c.reported, q.Now.Location()).Format(time.DateOnly),
			"status": c.status(today), "gross": c.gross.FloatString(4), "covered": c.covered.FloatString(4),
			"not_covered": c.notCovered.FloatString(4), "link": q.story("/v1/cases/", c.id)}
		row["days_left"], row["last_day"] = left(c.lastDay, today)
		each = append(each, row)
	}
	return rows, map[string][]Row{"cases": each}, nil
}

// owedRows are the vendors by name.
func (q *Query) owedRows(vendors map[string]*owed, today time.Time) (rows []Row) {
	for _, vendor := range slices.Sorted(maps.Keys(vendors)) {
		row := vendors[vendor].row(vendor, today)
		row["link"] = q.listLink("recoverable", "vendor", vendor)
		rows = append(rows, row)
	}
	return rows
}

// byVendor sums up the cases of each vendor.
func byVendor(cases []*vendorCase, today time.Time) map[string]*owed {
	vendors := map[string]*owed{}
	for _, c := range cases {
		v := vendors[c.vendor]
		if v == nil {
			v = newOwed()
			vendors[c.vendor] = v
		}
		v.add(c, today)
	}
	return vendors
}

func newOwed() *owed {
	v := &owed{gross: new(big.Rat), notCovered: new(big.Rat), recovered: new(big.Rat), settled: new(big.Rat),
		by: map[string]*big.Rat{}}
	for _, status := range []string{statusToFile, statusFiled, statusAccepted, statusRefused, statusLapsed} {
		v.by[status] = new(big.Rat)
	}
	return v
}

func (v *owed) add(c *vendorCase, today time.Time) {
	status := c.status(today)
	v.cases++
	v.gross.Add(v.gross, c.gross)
	v.by[status].Add(v.by[status], c.covered)
	v.notCovered.Add(v.notCovered, c.notCovered)
	v.recovered.Add(v.recovered, c.recovered)
	v.settled.Add(v.settled, c.settled)
	if status == statusToFile && c.covered.Sign() > 0 {
		v.toFile++
		if v.lastDay.IsZero() || c.lastDay.Before(v.lastDay) {
			v.lastDay = c.lastDay
		}
	}
}

func (v *owed) row(vendor string, today time.Time) Row {
	row := Row{"vendor": vendor, "cases": v.cases, "gross": v.gross.FloatString(4), "cases_to_file": v.toFile,
		"not_covered": v.notCovered.FloatString(4), "recovered": v.recovered.FloatString(4),
		"settled": v.settled.FloatString(4)}
	for status, amount := range v.by {
		row[status] = amount.FloatString(4)
	}
	row["days_left"], row["last_day"] = left(v.lastDay, today)
	return row
}

// left are the days from today to a last one, and that day; nil where there is none, and no days where it is over.
func left(last, today time.Time) (days, at any) {
	if last.IsZero() {
		return nil, nil
	}
	if n := int64(last.Sub(today) / (24 * time.Hour)); n >= 0 {
		days = strconv.FormatInt(n, 10)
	}
	return days, last.Format(time.DateOnly)
}
