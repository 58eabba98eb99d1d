package report

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/deadletter"
)

// SourceCounts are how much the books have of a source.
type SourceCounts struct {
	Events       uint64    // distinct
	LastRecorded time.Time // zero: none
	DeadLetters  uint64    // open ones
}

// ReadSources counts by source. It reads two columns of the ledger.
func ReadSources(ctx context.Context, db driver.Conn, sources []string) (map[string]SourceCounts, error) {
	all := map[string]SourceCounts{}
	if len(sources) == 0 {
		return all, nil
	}
	var events []struct {
		Source string    `ch:"source"`
		Events uint64    `ch:"events"`
		Last   time.Time `ch:"last"`
	}
	if err := db.Select(ctx, &events, `SELECT source, uniqExact(event_id) AS events, max(recorded_at) AS last FROM ledger
WHERE source IN (?) GROUP BY source`, sources); err != nil {
		return nil, fmt.Errorf("count the events of sources: %w", err)
	}
	for _, e := range events {
		all[e.Source] = SourceCounts{Events: e.Events, LastRecorded: e.Last}
	}
	var letters []struct {
		Source  string `ch:"source"`
		Letters uint64 `ch:"letters"`
	}
	if err := db.Select(ctx, &letters, `SELECT source, count() AS letters FROM `+deadletter.Open+`
WHERE source IN (?) GROUP BY source`, sources); err != nil {
		return nil, fmt.Errorf("count the dead letters of sources: %w", err)
	}
	for _, l := range letters {
		counts := all[l.Source]
		counts.DeadLetters = l.Letters
		all[l.Source] = counts
	}
	return all, nil
}
