package report_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/report"
)

// questions counts those that are asked, and fails all from one on.
type questions struct {
	driver.Conn
	asked, last int
	strange     bool // counts come from another server than the list of parts
}

var errEnough = errors.New("enough was asked")

func (q *questions) Select(ctx context.Context, to any, query string, args ...any) error {
	if q.asked++; q.last > 0 && q.asked > q.last {
		return errEnough
	}
	if q.strange && strings.Contains(query, "FROM ledger FINAL") {
		query = strings.Replace(query, "hostName()", "'another'", 1)
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
	again := func(strange bool) int {
		t.Helper()
		q.asked, q.strange = 0, strange
		if counts, err := counter.Count(t.Context()); err != nil || counts.Events != months {
			t.Errorf("%d events, %v", counts.Events, err)
		}
		return q.asked
	}
	known := again(true) // nothing is counted
	counter = report.NewCounter(q)
	if first, then := again(true), again(false); first != then || again(false) != known {
		t.Errorf("what another server counted is remembered: %d questions, then %d, and %d of old", first, then, known)
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
