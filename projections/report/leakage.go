package report

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
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
}

// AsOf is what a report may know: what was recorded by Time, or what stood before a period's close in the log. The zero
// value is now.
type AsOf struct {
	Time  time.Time
	Close *Close
}

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
	{"case", "error_id"}, {"order", "order_id"},
}

// LeakageKeys are what a report can be grouped by.
func LeakageKeys() []string {
	var names []string
	for _, k := range leakageKeys {
		names = append(names, k.name)
	}
	return names
}

// SeveralCurrenciesError says that a report was asked for without a currency, and which there are.
type SeveralCurrenciesError struct{ Currencies []string }

func (e *SeveralCurrenciesError) Error() string {
	return "the report spans several currencies, which are never summed: ask for one of " + strings.Join(e.Currencies, ", ")
}

// Validate says what is wrong with the question.
func (q *LeakageQuery) Validate() error {
	if q.From.IsZero() || q.To.IsZero() || !q.From.Before(q.To) {
		return fmt.Errorf("from must be before to")
	}
	for i, k := range q.GroupBy {
		if !slices.Contains(LeakageKeys(), k) {
			return fmt.Errorf("group_by: %q is none of %s", k, strings.Join(LeakageKeys(), ", "))
		}
		if slices.Contains(q.GroupBy[:i], k) {
			return fmt.Errorf("group_by: %q stands twice", k)
		}
	}
	for k := range q.Only {
		if !slices.Contains(LeakageKeys(), k) {
			return fmt.Errorf("%q is none of %s", k, strings.Join(LeakageKeys(), ", "))
		}
	}
	if q.Largest < 0 {
		return fmt.Errorf("%d rows are none", q.Largest)
	}
	if !slices.Contains([]string{"economic", "booked", "cash"}, q.View) {
		return fmt.Errorf("view: %q is none of economic, booked, cash", q.View)
	}
	if !slices.Contains([]string{"occurred", "posting"}, q.PeriodBy) {
		return fmt.Errorf("period_by: %q is none of occurred, posting", q.PeriodBy)
	}
	return nil
}

// ReadLeakage answers from the roll-up; a report as of a moment is computed from what was recorded by then.
func ReadLeakage(ctx context.Context, db driver.Conn, q LeakageQuery, now time.Time) (*Leakage, error) {
	if q.TranslateTo != "" {
		return nil, errors.New("a translation wants rates: ReadTranslated")
	}
	return readLeakage(ctx, db, q, nil, now)
}

// ReadTranslated is ReadLeakage in the currency that q.TranslateTo names, at the rates of x, which AsOf.Exchange gathers.
// Figures are rounded once, and those of a row tie; totals are those of the lines, not of the rows as they are rounded. Its
// error may be *RateMissingError.
func ReadTranslated(ctx context.Context, db driver.Conn, q LeakageQuery, x *domain.Exchange, now time.Time) (*Leakage, error) {
	return readLeakage(ctx, db, q, x, now)
}

func readLeakage(ctx context.Context, db driver.Conn, q LeakageQuery, x *domain.Exchange, now time.Time) (*Leakage, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	source, asOf := "leakage_daily FINAL", now.UTC()
	if !q.AsOf.Time.IsZero() || q.AsOf.Close != nil {
		filter, at := q.AsOf.filter()
		source, asOf = "("+ledger.FailureLines(filter)+")", at
	}
	answer := &Leakage{Currency: q.Currency, AsOf: asOf, GroupBy: q.GroupBy, Rows: []LeakageRow{}}
	where, args := q.where()
	if q.Currency == "" && x == nil {
		var found []string
		if err := db.QueryRow(ctx, "SELECT groupUniqArray(currency) FROM "+source+" WHERE "+where, args...).Scan(&found); err != nil {
			return nil, fmt.Errorf("list the currencies of the report: %w", err)
		}
		slices.Sort(found)
		if len(found) > 1 {
			return nil, &SeveralCurrenciesError{found}
		}
		if len(found) == 1 {
			answer.Currency = found[0]
		}
	} else if q.Currency != "" {
		where += " AND currency = ?"
		args = append(args, q.Currency)
	}
	decimals, rateNumbers := 4, ""
	if x != nil {
		within, t, err := q.translate(ctx, db, x, source, where, args)
		if err != nil {
			return nil, err
		}
		answer.Currency, answer.Translation = t.Currency, &t.Translation
		ctx, source, where = within, t.source, "true" // which has the condition, and its arguments, inside
		decimals, rateNumbers = exactDecimals, ", arraySort(groupUniqArrayIf(rate_number, rate_number > 0))"
	}
	figures := leakageFigures(decimals)

	keys := q.keys()
	selected := ""
	for i, k := range keys {
		selected += fmt.Sprintf("%s AS key%d, ", k, i)
	}
	groups := ""
	if len(keys) > 0 {
		by, limit := "", ""
		if q.Largest > 0 {
			by, limit = "abs(sum(amount)) DESC, ", fmt.Sprintf(" LIMIT %d", q.Largest)
		}
		groups = " GROUP BY " + list("key%d", len(keys)) + " ORDER BY " + by + list("key%d", len(keys)) + limit
	}
	rows, err := db.Query(ctx, "SELECT "+selected+figures+rateNumbers+" FROM "+source+" WHERE kind != 'changed_mind' AND "+where+groups, args...)
	if err != nil {
		return nil, fmt.Errorf("read the leakage: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		row := LeakageRow{Key: map[string]string{}}
		values := make([]string, len(keys))
		targets := make([]any, 0, len(keys)+8)
		for i := range values {
			targets = append(targets, &values[i])
		}
		targets = append(targets, row.LeakageFigures.targets()...)
		if x != nil {
			targets = append(targets, &row.rates)
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, fmt.Errorf("read the leakage: %w", err)
		}
		for i, k := range q.GroupBy {
			row.Key[k] = values[i]
		}
		answer.Rows = append(answer.Rows, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the leakage: %w", err)
	}
	if len(keys) == 0 && len(answer.Rows) == 1 && answer.Rows[0].Cases == 0 && answer.Rows[0].Orders == 0 {
		answer.Rows = []LeakageRow{} // an aggregate of nothing is no group
	}

	var changedMind string
	total := db.QueryRow(ctx, `SELECT `+figures+` FROM `+source+` WHERE kind != 'changed_mind' AND `+where, args...)
	if err := total.Scan(answer.Totals.targets()...); err != nil {
		return nil, fmt.Errorf("read the totals of the leakage: %w", err)
	}
	apart := db.QueryRow(ctx, fmt.Sprintf(`SELECT toDecimalString(sum(amount), %d) FROM `, decimals)+source+` WHERE kind = 'changed_mind' AND `+where, args...)
	if err := apart.Scan(&changedMind); err != nil {
		return nil, fmt.Errorf("read what stands apart of the leakage: %w", err)
	}
	answer.Apart = map[string]string{"changed_mind": changedMind}
	if x != nil {
		return answer, answer.round()
	}
	return answer, nil
}

// leakageFigures are the columns of LeakageFigures, amounts with that many decimals.
func leakageFigures(decimals int) string {
	const cost = "element NOT IN ('RECOVERY', 'SALVAGE')"
	return fmt.Sprintf(`
    toDecimalString(sumIf(amount, %[1]s), %[2]d) AS gross,
    toDecimalString(sum(amount), %[2]d) AS net,
    toDecimalString(sumIf(amount, %[1]s AND basis != 'IMPUTED'), %[2]d) AS booked,
    toDecimalString(sumIf(amount, %[1]s AND basis = 'IMPUTED'), %[2]d) AS hidden,
    toDecimalString(-sumIf(amount, element IN ('RECOVERY', 'SALVAGE')), %[2]d) AS recoveries,
    uniqExactIf(error_id, error_id != '') AS cases,
    uniqExactIf(order_id, order_id != '') AS orders`, cost, decimals)
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

func (q *LeakageQuery) keys() []string {
	var keys []string
	for _, name := range q.GroupBy {
		keys = append(keys, q.key(name))
	}
	return keys
}

func (q *LeakageQuery) key(name string) string {
	i := slices.IndexFunc(leakageKeys, func(k struct{ name, sql string }) bool { return k.name == name })
	sql := leakageKeys[i].sql
	if name == "day" || name == "month" {
		sql = fmt.Sprintf(sql, q.dayColumn())
	}
	return sql
}

func (q *LeakageQuery) where() (string, []any) {
	basis := map[string]string{"economic": "", "booked": " AND basis IN ('CASH', 'ACCRUED')", "cash": " AND basis = 'CASH'"}[q.View]
	day := q.dayColumn()
	where := fmt.Sprintf("lines > 0 AND %[1]s >= toDate(?) AND %[1]s < toDate(?)%[2]s", day, basis)
	args := []any{q.From.Format(time.DateOnly), q.To.Format(time.DateOnly)}
	for _, name := range slices.Sorted(maps.Keys(q.Only)) {
		where += " AND " + q.key(name) + " = ?"
		args = append(args, q.Only[name])
	}
	return where, args
}

func list(format string, n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(format, i))
	}
	return strings.Join(all, ", ")
}
