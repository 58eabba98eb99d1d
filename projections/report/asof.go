package report

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// AsOf is what a report may know: what was recorded by Time, or what stood before a period's close in the log. The zero
// value is now.
type AsOf struct {
	Time  time.Time
	Close *Close

	settled *ext.Table // rows that stood otherwise by Time; nil where there are none
}

// settledRows is the table that brings rows as they stood along with a question.
const settledRows = "settled_rows"

// Settled is AsOf with rows as they stood by its time, in the place of those that the books have of their events now.
// What is asked as of it wants the context that comes along.
func (a AsOf) Settled(ctx context.Context, rows []*ledger.Row) (context.Context, AsOf, error) {
	if len(rows) == 0 {
		return ctx, a, nil
	}
	var err error
	if a.settled, err = ledger.External(settledRows, rows); err != nil {
		return nil, AsOf{}, err
	}
	return a.with(ctx), a, nil
}

// with lets a question know the rows that stood otherwise, and other tables.
func (a AsOf) with(ctx context.Context, tables ...*ext.Table) context.Context {
	if a.settled != nil {
		tables = append(tables, a.settled)
	}
	return clickhouse.Context(ctx, clickhouse.WithExternalTable(tables...))
}

// Sources are what a statement reads the books from, as of a moment.
type Sources struct {
	Known    string // the condition on rows that may be known
	Ledger   string // what stands for ledger FINAL
	Failures string // what stands for failures FINAL
	Leakage  string // what stands for leakage_daily FINAL
	Shared   string // the units of which something may stand with another one, see ledger.SharedUnits

	// First and Then follow Ledger or Failures, each with a condition. That of First is on what all rows of an event
	// have in common: source, event_id, content, order_id, event_type, occurred_at, and the unit in failures. It is
	// looked at before other columns are read, which FINAL doesn't do by itself: payloads are most of the ledger.
	First, Then string
}

// Sources are what to read as of that moment.
func (a AsOf) Sources() Sources {
	r := Sources{Known: a.known(), Ledger: "ledger FINAL", Failures: "failures FINAL", Leakage: "leakage_daily FINAL",
		Shared: ledger.SharedUnits, First: "PREWHERE", Then: "WHERE"}
	if a.settled != nil {
		const others = "(source, event_id, content) NOT IN (SELECT source, event_id, content FROM " + settledRows + ")"
		r.First, r.Then = "WHERE", "AND" // they are put together from two tables
		columns := ledger.ColumnNames()
		settled := ledger.ExternalRows(settledRows)
		r.Ledger = "(SELECT " + columns + " FROM ledger FINAL WHERE " + others + " UNION ALL " + settled + ")"
		r.Failures = "(SELECT * FROM failures FINAL WHERE " + others +
			" UNION ALL " + ledger.Feed("failures", "("+settled+")") + ")"
	}
	if a.Bounded() {
		r.Leakage = "(" + ledger.FailureLinesOf(r.Failures, r.Known) + ")"
	}
	return r
}

// Close is a period's close as a place in the log: what stood before Ends belongs to it.
type Close struct {
	Period domain.Period
	Mark   domain.Mark
	Number int // which of the period's closes; 1 is the first
}

// FindClose finds the close that is meant by YYYY-MM, the period's last, or YYYY-MM/N, its Nth. closes are those of a
// period, as the log has them. Its error may be *Invalid, without a parameter.
func FindClose(text string, closes func(domain.Period) ([]domain.Closing, error)) (Close, error) {
	period, n, err := domain.ParseClose(text)
	if err != nil {
		return Close{}, &Invalid{Code: NotAClose, Value: text, Of: []string{err.Error()}}
	}
	all, err := closes(period)
	switch {
	case err != nil:
		return Close{}, err
	case len(all) == 0:
		return Close{}, &Invalid{Code: NeverClosed, Value: period.String()}
	case n > len(all):
		return Close{}, &Invalid{Code: ClosedLessOften, Value: fmt.Sprintf("%s/%d", period, n),
			Of: []string{fmt.Sprint(len(all))}}
	case n == 0:
		n = len(all)
	}
	return Close{Period: period, Mark: all[n-1].Mark, Number: n}, nil
}

// StoodBefore is the condition on rows that belong to the close: what stood before it in the log.
func (c *Close) StoodBefore() string { return ledger.StoodBefore(&c.Mark) }

// Bounded reports whether a report may not know everything.
func (a AsOf) Bounded() bool { return !a.Time.IsZero() || a.Close != nil }

// known is the condition on rows that a report may know.
func (a AsOf) known() string {
	switch {
	case a.Close != nil:
		return a.Close.StoodBefore()
	case a.Time.IsZero():
		return "true"
	}
	return fmt.Sprintf("recorded_at <= toDateTime64('%s', 3, 'UTC')", a.Time.UTC().Format("2006-01-02 15:04:05.000"))
}

// Moment is the time that a report speaks of: now where it may know everything.
func (a AsOf) Moment(now time.Time) time.Time {
	switch {
	case a.Close != nil:
		return a.Close.Mark.Time.UTC()
	case a.Time.IsZero():
		return now.UTC()
	}
	return a.Time.UTC()
}
