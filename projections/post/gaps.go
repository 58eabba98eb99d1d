package post

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Gap is a stretch of the log that was booked once and is not in the books any more. It is read again from the log.
type Gap struct {
	Stream    string    `json:"stream"`
	Partition int32     `json:"partition"`
	First     int64     `json:"first"`
	Upto      int64     `json:"upto"`    // the offset after the last one
	Records   uint64    `json:"records"` // that are booked again; 0 while that is under way
	Found     time.Time `json:"found"`
}

// OpenGaps are those that are being read again now.
func OpenGaps(ctx context.Context, db driver.Conn) ([]Gap, error) {
	rows, err := db.Query(ctx, `SELECT toString(stream), partition, first, upto, records, found FROM gaps FINAL
WHERE closed = 0 ORDER BY stream, partition, first`)
	if err != nil {
		return nil, fmt.Errorf("read what the store has lost: %w", err)
	}
	defer rows.Close()
	open := []Gap{}
	for rows.Next() {
		var g Gap
		if err := rows.Scan(&g.Stream, &g.Partition, &g.First, &g.Upto, &g.Records, &g.Found); err != nil {
			return nil, fmt.Errorf("read what the store has lost: %w", err)
		}
		open = append(open, g)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read what the store has lost: %w", err)
	}
	return open, nil
}

// keepGap notes a gap. What is closed stands above what is open under the same name: where it began, and up to where it
// was looked for.
func keepGap(ctx context.Context, db driver.Conn, g *Gap, closed bool) error {
	batch, err := db.PrepareBatch(ctx, "INSERT INTO gaps (stream, partition, first, upto, records, found, closed)")
	if err != nil {
		return fmt.Errorf("note what the store has lost: %w", err)
	}
	defer batch.Close()
	var is uint8
	if closed {
		is = 1
	}
	if err := batch.Append(g.Stream, g.Partition, g.First, g.Upto, g.Records, g.Found, is); err != nil {
		return fmt.Errorf("note what the store has lost: %w", err)
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("note what the store has lost: %w", err)
	}
	return nil
}

// closeGap notes that a gap, which was open up to an offset, is booked again.
func closeGap(ctx context.Context, db driver.Conn, g *Gap, upto int64) error {
	closed := *g
	closed.Upto = upto
	return keepGap(ctx, db, &closed, true)
}

func closeGaps(ctx context.Context, db driver.Conn, open []Gap) error {
	for i := range open {
		if err := keepGap(ctx, db, &open[i], true); err != nil {
			return err
		}
	}
	return nil
}
