package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/sql"
)

// OutlineQuery asks what the fixes of a time cost in all currencies, how that came about, and what those of the time
// before it cost. The currency, grouping and bounds of its LeakageQuery play no part, and it translates nothing.
type OutlineQuery struct {
	LeakageQuery
	Earlier time.Time // the day on which the time before begins; it ends where the time begins
	ByMonth bool      // months instead of days
}

// Outline is the answer.
type Outline struct {
	AsOf       time.Time
	Currencies []string // those in view, that with the most lines first
	By         map[string]*OutlineOf
}

// OutlineOf is what an Outline says of one currency: sums. Cases and orders are not counted.
type OutlineOf struct {
	Total, Earlier LeakageFigures
	// Any and AnyEarlier: there are cases or orders in Total, and in Earlier.
	Any, AnyEarlier bool
	ByTime          []LeakageRow // by day or month
	ByElement       []LeakageRow
	Apart           map[string]string

	lines uint64 // in the time
}

// Of is what it says of a currency.
func (o *Outline) Of(currency string) *OutlineOf {
	if found := o.By[currency]; found != nil {
		return found
	}
	return newOutlineOf()
}

func newOutlineOf() *OutlineOf {
	const none = "0.0000"
	nothing := LeakageFigures{Gross: none, Net: none, Booked: none, Hidden: none, Recoveries: none}
	all := &OutlineOf{Total: nothing, Earlier: nothing, Apart: map[string]string{}}
	for _, part := range apartOfLeakage {
		all.Apart[part] = none
	}
	return all
}

// time is the key of ByTime.
func (q *OutlineQuery) time() string {
	if q.ByMonth {
		return "month"
	}
	return "day"
}

func (q *OutlineQuery) statement() sql.Statement {
	all := q.LeakageQuery
	all.From, all.Currency, all.GroupBy, all.Largest, all.TranslateTo = q.Earlier, "", []string{q.time()}, 0, ""
	s := all.of("leakage_outline", all.inView())
	s.Args = append(s.Args, sql.Named("since", q.From))
	return s
}

// ReadOutline answers with one pass over the roll-up.
func ReadOutline(ctx context.Context, db driver.Conn, q OutlineQuery, now time.Time) (*Outline, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	if q.Earlier.IsZero() || q.Earlier.After(q.From) {
		return nil, &Invalid{Code: EmptySpan}
	}
	o := &Outline{AsOf: q.AsOf.Moment(now), By: map[string]*OutlineOf{}}
	rows, err := q.statement().Rows(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("outline the leakage: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r outlineRow
		if err := rows.Scan(append([]any{&r.currency, &r.part, &r.now, &r.splitBy, &r.key, &r.lines, &r.any, &r.beside},
			r.f.targets()[:5]...)...); err != nil {
			return nil, fmt.Errorf("outline the leakage: %w", err)
		}
		of := o.By[r.currency]
		if of == nil {
			of = newOutlineOf()
			o.By[r.currency] = of
		}
		of.take(&r, q.time())
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("outline the leakage: %w", err)
	}
	for currency, of := range o.By {
		if of.lines > 0 {
			o.Currencies = append(o.Currencies, currency)
		}
	}
	slices.SortFunc(o.Currencies, func(a, b string) int {
		return cmp.Or(cmp.Compare(o.By[b].lines, o.By[a].lines), cmp.Compare(a, b))
	})
	return o, nil
}

// outlineRow is a row of the statement.
type outlineRow struct {
	currency, part string
	now            bool
	splitBy, key   string
	lines          uint64
	any            bool
	beside         string // what it comes to, as Apart has it
	f              LeakageFigures
}

func (of *OutlineOf) take(r *outlineRow, time string) {
	switch {
	case r.splitBy == "at":
		of.ByTime = append(of.ByTime, LeakageRow{Key: map[string]string{time: r.key}, LeakageFigures: r.f})
	case r.splitBy == "element":
		of.ByElement = append(of.ByElement, LeakageRow{Key: map[string]string{"element": r.key}, LeakageFigures: r.f})
	case r.now:
		if of.lines += r.lines; r.part != "leakage" {
			of.Apart[r.part] = r.beside
			return
		}
		of.Total, of.Any = r.f, r.any
	case r.part == "leakage":
		of.Earlier, of.AnyEarlier = r.f, r.any
	}
}
