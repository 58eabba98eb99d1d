package report

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/sql"
)

// Changes are the events that were recorded after a month's close and touch that month: what the report of the closed
// month doesn't know, and a report of today does.
type Changes struct {
	Period   string        `json:"period"`
	Close    int           `json:"close"` // which of the month's closes they came after; 1 is the first
	ClosedAt time.Time     `json:"closed_at"`
	Closes   []SinceClose  `json:"closes"`  // all of the month's, the first at first
	Changes  []Change      `json:"changes"` // in the order of recording
	Totals   []ChangeTotal `json:"totals"`  // by currency; never summed across them
}

// SinceClose is one of a month's closes, and how much came after it.
type SinceClose struct {
	Number     int        `json:"number"`
	ClosedAt   time.Time  `json:"closed_at"`
	ReopenedAt *time.Time `json:"reopened_at"` // null where it stands
	Events     uint64     `json:"events"`      // recorded after it, that touch the month
}

// Change is one such event. Amounts have 4 decimals.
type Change struct {
	Source        string    `json:"source" ch:"source"`
	ID            string    `json:"id" ch:"event_id"`
	Type          string    `json:"type" ch:"event_type"`
	OrderID       string    `json:"order_id" ch:"order_id"`
	ErrorID       string    `json:"error_id" ch:"error_id"`
	StoreID       string    `json:"store_id" ch:"store_id"`
	Currency      string    `json:"currency" ch:"currency"`
	OccurredAt    time.Time `json:"occurred_at" ch:"occurred_at"`
	RecordedAt    time.Time `json:"recorded_at" ch:"recorded_at"`
	OriginPeriod  string    `json:"origin_period" ch:"origin"`
	PostingPeriod string    `json:"posting_period" ch:"posting"`
	// Touches says how the event touches the month: it happened in it (origin), was posted in it (posting), takes back
	// what was (void), or classifies a case with failure costs in it (case).
	Touches string `json:"touches" ch:"touches"`
	Net     string `json:"net" ch:"net"`       // net leakage: Σ lines with an element
	Profit  string `json:"profit" ch:"profit"` // −Σ lines on 4xxx and 5xxx
	Cash    string `json:"cash" ch:"cash"`     // Σ lines on 1010, money in +
}

// ChangeTotal sums the changes of one currency.
type ChangeTotal struct {
	Currency string `json:"currency" ch:"currency"`
	Events   uint64 `json:"events" ch:"events"`
	Net      string `json:"net" ch:"net"`
	Profit   string `json:"profit" ch:"profit"`
	Cash     string `json:"cash" ch:"cash"`
}

// changes asks about the rows beyond the close that touch its month. A void and a classification carry a time of their
// own, mostly that of the day on which somebody noticed, so what they speak of is looked up. To close and to reopen
// changes no number, though it mostly happens in some month that is reported on.
func (c *Close) changes(name string, args ...any) sql.Statement {
	return statements.Make(name, struct{ StoodBefore string }{c.StoodBefore()},
		append([]any{sql.Named("month", c.Period.First())}, args...)...)
}

// distinctEvents counts the events of changes: one that moved several currencies has a row for each.
func distinctEvents(changes []Change) uint64 {
	type name struct{ source, id, order string }
	all := map[name]bool{}
	for i := range changes {
		all[name{changes[i].Source, changes[i].ID, changes[i].OrderID}] = true
	}
	return uint64(len(all))
}

// ReadChanges lists what came after a close, at most limit events; the totals are of all. closes are all of the
// month's.
func ReadChanges(ctx context.Context, db driver.Conn, c Close, closes []domain.Closing, limit int) (*Changes, error) {
	answer := &Changes{Period: c.Period.String(), Close: c.Number, ClosedAt: c.Mark.Time.UTC(), Closes: []SinceClose{},
		Changes: []Change{}, Totals: []ChangeTotal{}}
	if err := c.changes("changes", sql.Named("limit", limit)).Select(ctx, db, &answer.Changes); err != nil {
		return nil, fmt.Errorf("list what came after the close of %s: %w", c.Period, err)
	}
	if err := c.changes("changes_totals").Select(ctx, db, &answer.Totals); err != nil {
		return nil, fmt.Errorf("sum up what came after the close of %s: %w", c.Period, err)
	}
	for i := range closes {
		since := SinceClose{Number: i + 1, ClosedAt: closes[i].Time.UTC()}
		if closes[i].Reopened != nil {
			at := closes[i].Reopened.Time.UTC()
			since.ReopenedAt = &at
		}
		one := Close{Period: c.Period, Mark: closes[i].Mark}
		if since.Number == c.Number && len(answer.Changes) < limit {
			since.Events = distinctEvents(answer.Changes) // all of them are there
		} else if err := one.changes("changes_count").Row(ctx, db).Scan(&since.Events); err != nil {
			return nil, fmt.Errorf("count what came after close %d of %s: %w", i+1, c.Period, err)
		}
		answer.Closes = append(answer.Closes, since)
	}
	return answer, nil
}
