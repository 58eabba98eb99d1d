package post

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// UnsettledConflicts counts the identities of which the books hold two contents at the moment, until the next conflict
// check takes the later one out. A close that is to be quoted for ever waits for that.
func UnsettledConflicts(ctx context.Context, db driver.Conn) (uint64, error) {
	var since time.Time
	if err := db.QueryRow(ctx, `SELECT max(at) FROM checkpoints WHERE name = ?`, conflictsCheckpoint).Scan(&since); err != nil {
		return 0, fmt.Errorf("read the checkpoint of the conflicts: %w", err)
	}
	// The same question that the check begins with: mostly its answer is nothing, and the ledger isn't read at all.
	var suspects []uint64
	if err := db.QueryRow(ctx, `
SELECT groupArray(identity) FROM (
    SELECT identity FROM identities WHERE identity IN (SELECT identity FROM identities WHERE arrived_at > ?)
    GROUP BY identity HAVING min(content) != max(content))`, since.Add(-overlap)).Scan(&suspects); err != nil {
		return 0, fmt.Errorf("look for conflicts: %w", err)
	}
	if len(suspects) == 0 {
		return 0, nil
	}
	var n uint64
	if err := db.QueryRow(ctx, `
SELECT count() FROM (
    SELECT source, event_id FROM ledger FINAL
    WHERE refused = '' AND cityHash64(source, event_id) IN (?)
    GROUP BY source, event_id HAVING count() > 1)`, suspects).Scan(&n); err != nil {
		return 0, fmt.Errorf("look for conflicts in the ledger: %w", err)
	}
	return n, nil
}

// UnsettledVoids counts the events that change once the voids that arrived since the last check are settled: where two
// projectors booked an event and its void at the same moment, neither may have met the other.
func UnsettledVoids(ctx context.Context, db driver.Conn, terms *Terms) (n uint64, err error) {
	var since time.Time
	if err := db.QueryRow(ctx, `SELECT max(at) FROM checkpoints WHERE name = ?`, voidsCheckpoint).Scan(&since); err != nil {
		return 0, fmt.Errorf("read the checkpoint of the voids: %w", err)
	}
	targets, err := arrivedVoids(ctx, db, since)
	if err != nil {
		return 0, err
	}
	v := &voidSettler{db: db, terms: terms, logger: slog.New(slog.DiscardHandler)} // who settles them says what can't be
	for part := range slices.Chunk(targets, mostVoids) {
		s, err := v.plan(ctx, part, part)
		if err != nil {
			return 0, err
		}
		n += uint64(len(s.anew))
	}
	return n, nil
}
