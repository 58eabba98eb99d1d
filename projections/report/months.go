package report

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/sql"
)

// monthCounts counts the ledger's rows of a condition. To count distinct events means to fold copies: so it remembers
// each month's count as long as the month's parts stay the same, also where it couldn't count all the others in time.
type monthCounts struct {
	db        driver.Conn
	condition string
	turn      chan struct{} // whoever holds it counts
	known     map[string]monthCount
}

// monthCount is how much a month holds.
type monthCount struct {
	parts  uint64 // a hash of the names of the active parts
	events uint64
}

// month is a partition of the ledger.
type month struct {
	Partition string `ch:"partition_id"`
	Parts     uint64 `ch:"parts"`
	Rows      uint64 `ch:"rows"`
	Server    uint64 `ch:"server"` // who says so
}

// One question is about so many months and rows at most, but about one month at least.
const (
	monthsAtOnce = 500
	rowsAtOnce   = 5_000_000
)

func newMonthCounts(db driver.Conn, condition string) *monthCounts {
	return &monthCounts{db: db, condition: condition, turn: make(chan struct{}, 1), known: map[string]monthCount{}}
}

// count reads the months whose parts are not the known ones.
func (m *monthCounts) count(ctx context.Context) (uint64, error) {
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return 0, fmt.Errorf("wait for somebody else's count: %w", ctx.Err())
	}
	defer func() { <-m.turn }()
	var all []month
	if err := m.db.Select(ctx, &all, `
SELECT partition_id, sipHash64(groupArray(name)) AS parts, sum(rows) AS rows, any(`+sql.ThisServer+`) AS server
FROM (SELECT partition_id, name, rows FROM system.parts WHERE database = currentDatabase() AND table = 'ledger'
    AND active ORDER BY partition_id, name)
GROUP BY partition_id ORDER BY partition_id`); err != nil {
		return 0, fmt.Errorf("list the ledger's parts: %w", err)
	}
	known := make(map[string]monthCount, len(all))
	var changed []month
	for _, p := range all {
		if c, is := m.known[p.Partition]; is && c.parts == p.Parts {
			known[p.Partition] = c
		} else {
			changed = append(changed, p)
		}
	}
	m.known = known
	for len(changed) > 0 {
		n := atOnce(changed)
		if err := m.countMonths(ctx, changed[:n]); err != nil {
			return 0, err
		}
		changed = changed[n:]
	}
	var total uint64
	for _, c := range m.known {
		total += c.events
	}
	return total, nil
}

// atOnce is how many of some months are counted by one question.
func atOnce(months []month) int {
	rows := uint64(0)
	for n, p := range months {
		if rows += p.Rows; n > 0 && (n == monthsAtOnce || rows > rowsAtOnce) {
			return n
		}
	}
	return len(months)
}

func (m *monthCounts) countMonths(ctx context.Context, months []month) error {
	partitions := make([]string, len(months))
	for i, p := range months {
		partitions[i] = p.Partition
	}
	var counts []struct {
		Partition string `ch:"partition"`
		Events    uint64 `ch:"events"`
		Server    uint64 `ch:"server"`
	}
	if err := m.db.Select(ctx, &counts, `
SELECT _partition_id AS partition, count() AS events, any(`+sql.ThisServer+`) AS server FROM ledger FINAL
WHERE _partition_id IN (?) AND `+m.condition+` GROUP BY partition`, partitions); err != nil {
		return fmt.Errorf("count the events of %d months from %s on: %w", len(months), partitions[0], err)
	}
	for _, p := range months {
		m.known[p.Partition] = monthCount{parts: p.Parts}
	}
	for _, c := range counts {
		parts := m.known[c.Partition].parts
		if c.Server != months[0].Server {
			parts = 0 // another server's, which may lack some of them: counted again next time
		}
		m.known[c.Partition] = monthCount{parts: parts, events: c.Events}
	}
	return nil
}
