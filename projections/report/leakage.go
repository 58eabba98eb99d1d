package report

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/sql"
)

// LeakageQuery asks what the fixes of a time really cost.
type LeakageQuery struct {
	From, To time.Time // days in the books' zone; To is exclusive
	GroupBy  []string  // of LeakageKeys
	View     string    // economic (every basis), booked (CASH and ACCRUED), cash (CASH)
	PeriodBy string    // occurred or posting
	Currency string    // ISO 4217; empty where there is one only
	AsOf     AsOf

	// TranslateTo is the currency, ISO 4217, in which all that is in view is shown; empty: as it is.
	TranslateTo string

	// Only narrows the report to what has these values, by LeakageKeys. "" is what the key doesn't apply to.
	Only map[string]string
	// Largest asks for that many rows, those whose net weighs most, instead of all by their keys. Totals are of all.
	Largest int
	// Without are parts of the answer that are not wanted, and so not read.
	Without Parts
}

// Parts are those of Leakage.
type Parts struct{ Rows, Totals, Apart bool }

// Leakage is the answer. Amounts have 4 decimals and the sign of a cost.
type Leakage struct {
	Currency    string            `json:"currency"` // of the amounts
	Translation *Translation      `json:"translation,omitempty"`
	AsOf        time.Time         `json:"as_of"`
	GroupBy     []string          `json:"-"`
	Rows        []LeakageRow      `json:"rows"`
	Totals      LeakageFigures    `json:"totals"`
	Apart       map[string]string `json:"apart"`
}

// LeakageRow is one group. A key that doesn't apply to it is "".
type LeakageRow struct {
	Key map[string]string `json:"key"`
	LeakageFigures
	rates []uint32 // that it was translated at, see Translation.Of
}

// LeakageFigures are the numbers of the contract's §5. Gross − Recoveries = Net; Booked + Hidden = Gross.
type LeakageFigures struct {
	Gross      string `json:"gross"`
	Net        string `json:"net"`
	Booked     string `json:"booked"`
	Hidden     string `json:"hidden"`
	Recoveries string `json:"recoveries"`
	Cases      uint64 `json:"cases"`
	Orders     uint64 `json:"orders"`
}

var leakageKeys = []struct{ name, sql string }{
	{"day", "toString(%s)"}, {"month", "formatDateTime(%s, '%%Y-%%m')"},
	{"store", "store_id"}, {"vendor", "vendor_id"}, {"kind", "kind"}, {"root_cause", "root_cause"},
	{"party_at_fault", "party_at_fault"}, {"employee", "employee_id"}, {"avoidable", "avoidable"},
	{"element", "element"}, {"account", "toString(account)"}, {"basis", "basis"}, {"category", "category"},
	{"case", "error_id"}, {"order", "order_id"}, {"founded", "founded"}, {"selling_store", "selling_store"},
}

// LeakageKeys are what a report can be grouped by.
func LeakageKeys() []string {
	var names []string
	for _, k := range leakageKeys {
		names = append(names, k.name)
	}
	return names
}

// PersonKeys are those of the keys that tell single employees apart. Who may see that is asked where a report is.
func PersonKeys() []string { return []string{"employee"} }

// SeveralCurrenciesError says that a report was asked for without a currency, and which there are: that with the most
// lines first.
type SeveralCurrenciesError struct{ Currencies []string }

func (e *SeveralCurrenciesError) Error() string {
	return "the report spans several currencies, which are never summed: ask for one of " + strings.Join(e.Currencies,
		", ")
}

// Validate says what is wrong with the question.
func (q *LeakageQuery) Validate() error {
	if q.From.IsZero() || q.To.IsZero() || !q.From.Before(q.To) {
		return &Invalid{Code: EmptySpan}
	}
	for i, k := range q.GroupBy {
		if !slices.Contains(LeakageKeys(), k) {
			return &Invalid{Code: NotOneOf, Parameter: "group_by", Value: k, Of: LeakageKeys()}
		}
		if slices.Contains(q.GroupBy[:i], k) {
			return &Invalid{Code: Twice, Parameter: "group_by", Value: k}
		}
	}
	for k := range q.Only {
		if !slices.Contains(LeakageKeys(), k) {
			return &Invalid{Code: NotOneOf, Value: k, Of: LeakageKeys()}
		}
	}
	if q.Largest < 0 {
		return &Invalid{Code: Negative, Value: fmt.Sprint(q.Largest)}
	}
	if err := oneOf("view", q.View, "economic", "booked", "cash"); err != nil {
		return err
	}
	return oneOf("period_by", q.PeriodBy, "occurred", "posting")
}

// ReadLeakage answers from the roll-up; a report as of a moment is computed from what was recorded by then.
func ReadLeakage(ctx context.Context, db driver.Conn, q LeakageQuery, now time.Time) (*Leakage, error) {
	if q.TranslateTo != "" {
		return nil, errors.New("a translation wants rates: ReadTranslated")
	}
	return readLeakage(ctx, db, q, nil, now)
}

// ReadTranslated is ReadLeakage in the currency that q.TranslateTo names, at the rates of x, which AsOf.Exchange
// gathers. Figures are rounded once, and those of a row tie; totals are those of the lines, not of the rows as they are
// rounded. Its error may be *RateMissingError.
func ReadTranslated(ctx context.Context, db driver.Conn, q LeakageQuery, x *domain.Exchange,
	now time.Time) (*Leakage, error) {
	return readLeakage(ctx, db, q, x, now)
}

func readLeakage(ctx context.Context, db driver.Conn, q LeakageQuery, x *domain.Exchange,
	now time.Time) (*Leakage, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	answer := &Leakage{AsOf: q.AsOf.Moment(now), GroupBy: q.GroupBy}
	var err error
	switch {
	case x != nil:
		ctx, answer.Translation, err = q.translate(ctx, db, x)
		answer.Currency = q.TranslateTo
	case q.Currency == "":
		q.Currency, err = OnlyCurrency(ctx, db, q.Currencies())
		fallthrough
	default:
		answer.Currency = q.Currency
	}
	if err != nil {
		return nil, err
	}
	summed := false
	if !q.Without.Rows {
		if summed, err = q.readRows(ctx, db, answer); err != nil {
			return nil, err
		}
	}
	if !q.Without.Totals && !summed {
		if err := q.Totals().Row(ctx, db).Scan(answer.Totals.targets()...); err != nil {
			return nil, fmt.Errorf("read the totals of the leakage: %w", err)
		}
	}
	if !q.Without.Apart {
		if answer.Apart, err = readApart(ctx, db, q.Apart()); err != nil {
			return nil, err
		}
	}
	if x != nil {
		return answer, answer.round()
	}
	return answer, nil
}

// readApart reads what a statement says of each of apartOfLeakage.
func readApart(ctx context.Context, db driver.Conn, asked sql.Statement) (map[string]string, error) {
	var amounts [len(apartOfLeakage)]string
	if err := asked.Row(ctx, db).Scan(&amounts[0], &amounts[1], &amounts[2]); err != nil {
		return nil, fmt.Errorf("read what stands apart of the leakage: %w", err)
	}
	apart := map[string]string{}
	for i, part := range apartOfLeakage {
		apart[part] = amounts[i]
	}
	return apart, nil
}

// ReadCurrencies lists the currencies of what is in view, that with the most lines first.
func ReadCurrencies(ctx context.Context, db driver.Conn, q LeakageQuery) (found []string, err error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	if err := q.Currencies().Row(ctx, db).Scan(&found); err != nil {
		return nil, fmt.Errorf("list the currencies of the report: %w", err)
	}
	return found, nil
}

// OnlyCurrency is the one that a statement finds; "" where it finds none. Its error may be *SeveralCurrenciesError.
func OnlyCurrency(ctx context.Context, db driver.Conn, list sql.Statement) (string, error) {
	var found []string
	if err := list.Row(ctx, db).Scan(&found); err != nil {
		return "", fmt.Errorf("list the currencies of the report: %w", err)
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		return found[0], nil
	}
	return "", &SeveralCurrenciesError{found}
}

// readRows reads the groups, and the totals where the same statement has them: where anything is in view.
func (q *LeakageQuery) readRows(ctx context.Context, db driver.Conn, answer *Leakage) (summed bool, err error) {
	answer.Rows = []LeakageRow{}
	rows, err := q.Rows().Rows(ctx, db)
	if err != nil {
		return false, fmt.Errorf("read the leakage: %w", err)
	}
	defer rows.Close()
	values := make([]string, len(q.GroupBy))
	targets := func(row *LeakageRow) (all []any) {
		for i := range values {
			all = append(all, &values[i])
		}
		if all = append(all, row.targets()...); q.TranslateTo != "" {
			all = append(all, &row.rates)
		}
		return all
	}
	for rows.Next() {
		row := LeakageRow{Key: map[string]string{}}
		if err := rows.Scan(targets(&row)...); err != nil {
			return false, fmt.Errorf("read the leakage: %w", err)
		}
		for i, k := range q.GroupBy {
			row.Key[k] = values[i]
		}
		answer.Rows = append(answer.Rows, row)
	}
	if err := rows.Err(); err != nil {
		return false, fmt.Errorf("read the leakage: %w", err)
	}
	if !q.withTotals() {
		return false, nil
	}
	var total LeakageRow
	switch err := rows.Totals(targets(&total)...); {
	case errors.Is(err, stdsql.ErrNoRows): // nothing is in view
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read the totals of the leakage: %w", err)
	}
	answer.Totals = total.LeakageFigures
	return true, nil
}

// withTotals reports whether the statement of the rows gives the totals too.
func (q *LeakageQuery) withTotals() bool { return len(q.GroupBy) > 0 && !q.Without.Totals }

// leakageData is what the statements of a LeakageQuery are made of.
type leakageData struct {
	Apart      []string // what stands beside the leakage
	Source     string   // what stands for leakage_daily
	Where      string
	Day        string // the column of the day on which a line counts
	Keys       []string
	Totals     bool // beside the groups
	Largest    int
	Decimals   int // of what is shown
	Translated bool
}

// Currencies asks which currencies are in view.
func (q *LeakageQuery) Currencies() sql.Statement { return q.of("leakage_currencies", q.inView()) }

// Days asks for the currencies and days in view: what a translation needs rates of.
func (q *LeakageQuery) Days() sql.Statement { return q.of("leakage_days", q.inView()) }

// Rows asks for the groups: their keys, the columns of LeakageFigures, and the numbers of the rates where it is
// translated; and for the same of all that is in view.
func (q *LeakageQuery) Rows() sql.Statement {
	data := q.shown()
	data.Totals = q.withTotals()
	return q.of("leakage_rows", data)
}

// Totals asks for the LeakageFigures of all that is in view.
func (q *LeakageQuery) Totals() sql.Statement { return q.of("leakage_totals", q.shown()) }

// apartOfLeakage is what is no leakage and stands beside it: what fixes of changed minds and of unfounded cases cost,
// and what customers brought by changing their orders, cancellations included.
var apartOfLeakage = [...]string{domain.KindChangedMind, "unfounded", "customer_changes"}

// Apart asks for what stands beside the leakage.
func (q *LeakageQuery) Apart() sql.Statement { return q.of("leakage_apart", q.shown()) }

func (q *LeakageQuery) of(name string, data leakageData) sql.Statement {
	args := []any{sql.Named("from", q.From), sql.Named("to", q.To)}
	if q.Currency != "" {
		args = append(args, sql.Named("currency", q.Currency))
	}
	for i, key := range slices.Sorted(maps.Keys(q.Only)) {
		args = append(args, sql.Named(fmt.Sprintf("only%d", i), q.Only[key]))
	}
	return statements.Make(name, data, args...)
}

// inView are the lines of the question as they are booked.
func (q *LeakageQuery) inView() leakageData {
	d := leakageData{Source: q.AsOf.Sources().Leakage, Day: q.dayColumn(), Largest: q.Largest, Decimals: amountDecimals,
		Apart: apartOfLeakage[:]}
	d.Where = fmt.Sprintf("lines > 0 AND %[1]s >= toDate(@from) AND %[1]s < toDate(@to) AND %[2]s", d.Day,
		bases("basis", q.View))
	for i, key := range slices.Sorted(maps.Keys(q.Only)) {
		d.Where += fmt.Sprintf(" AND %s = @only%d", q.key(key), i)
	}
	if q.Currency != "" {
		d.Where += " AND currency = @currency"
	}
	for _, key := range q.GroupBy {
		d.Keys = append(d.Keys, q.key(key))
	}
	return d
}

// shown is inView, in the currency that all is translated to.
func (q *LeakageQuery) shown() leakageData {
	d := q.inView()
	if q.TranslateTo != "" {
		d.Source, d.Where = statements.Text("leakage_translated", d), "true" // the condition is inside
		d.Decimals, d.Translated = exactDecimals, true
	}
	return d
}

const amountDecimals = 4

// bases is the condition on the basis of lines that a view shows.
func bases(column, view string) string {
	switch view {
	case "booked":
		return "NOT " + sql.Imputed(column)
	case "cash":
		return column + " = '" + domain.Cash.String() + "'"
	}
	return "true"
}

func (f *LeakageFigures) targets() []any {
	return []any{&f.Gross, &f.Net, &f.Booked, &f.Hidden, &f.Recoveries, &f.Cases, &f.Orders}
}

func (q *LeakageQuery) dayColumn() string {
	if q.PeriodBy == "posting" {
		return "posting_day"
	}
	return "day"
}

// key is the expression of a key.
func (q *LeakageQuery) key(name string) string {
	i := slices.IndexFunc(leakageKeys, func(k struct{ name, sql string }) bool { return k.name == name })
	expression := leakageKeys[i].sql
	if name == "day" || name == "month" {
		expression = fmt.Sprintf(expression, q.dayColumn())
	}
	return expression
}
