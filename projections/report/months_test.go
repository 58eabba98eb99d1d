package report_test

import (
	"context"
	"errors"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/report"
)

// questions counts those that are asked, and fails all from one on.
type questions struct {
	driver.Conn
	asked, last int
}

var errEnough = errors.New("enough was asked")

func (q *questions) Select(ctx context.Context, to any, query string, args ...any) error {
	if q.asked++; q.last > 0 && q.asked > q.last {
		return errEnough
	}
	return q.Conn.Select(ctx, to, query, args...)
}

// TestManyMonthsAreCountedInFewQuestions: what was counted before it took too long needn't be counted again, and what
// somebody else counts is waited for no longer than the asker has time.
func TestManyMonthsAreCountedInFewQuestions(t *testing.T) {
	const months = 600
	store := bookstest.Open(t)
	if err := store.DB.Exec(t.Context(), `INSERT INTO ledger (source, event_id, event_type, occurred_at, recorded_at)
SELECT 'urn:till:1', toString(number), 'makegood.quality.spent.v1',
       addMonths(toDateTime64('1990-01-10 00:00:00', 6), number), now64(3)
FROM numbers(?) SETTINGS max_partitions_per_insert_block = 0`, months); err != nil {
		t.Fatal(err)
	}
	q := &questions{Conn: store.DB, last: 2}
	counter, auditor := report.NewCounter(q), report.NewAuditor(store.DB)
	if _, err := counter.Count(t.Context()); !errors.Is(err, errEnough) {
		t.Fatalf("%v, not %v", err, errEnough)
	}
	q.asked, q.last = 0, 0
	counts, err := counter.Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if counts.Events != months || q.asked > 4 {
		t.Errorf("%d events of %d, by %d questions", counts.Events, months, q.asked)
	}
	if n, err := auditor.Unbalanced(t.Context()); err != nil || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := counter.Count(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, not %v", err, context.Canceled)
	}
}
