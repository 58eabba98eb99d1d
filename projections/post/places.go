package post

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
)

// Log is the log as the background checks need it.
type Log interface {
	// Committed is up to which offset of each partition the consumer group has committed: what is booked.
	Committed(ctx context.Context) (map[domain.Partition]int64, error)
	// Starts is the oldest offset that each partition still has.
	Starts(ctx context.Context) (map[domain.Partition]int64, error)
	// Read hands over the records of a partition from one offset on and before another, in order.
	Read(ctx context.Context, of domain.Partition, from, upto int64, take func(*message.Message) error) error
}

// Checked is up to which offset of each partition the events were checked for conflicts: the offset after the last one.
func Checked(ctx context.Context, db driver.Conn) (map[domain.Partition]int64, error) {
	rows, err := db.Query(ctx, `SELECT toString(stream), partition, max(upto) FROM checkpoints WHERE name = ?
GROUP BY stream, partition`, conflictsCheckpoint)
	if err != nil {
		return nil, fmt.Errorf("read how far the conflicts were checked: %w", err)
	}
	defer rows.Close()
	checked := map[domain.Partition]int64{}
	for rows.Next() {
		var stream string
		var of domain.Partition
		var upto int64
		if err := rows.Scan(&stream, &of.Number, &upto); err != nil {
			return nil, fmt.Errorf("read how far the conflicts were checked: %w", err)
		}
		of.Stream = domain.ParseStream(stream)
		checked[of] = upto
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read how far the conflicts were checked: %w", err)
	}
	return checked, nil
}

// noteChecked notes how far the check for conflicts has come. A row is one partition: the furthest counts.
func (p *Projector) noteChecked(ctx context.Context, upto map[domain.Partition]int64) error {
	batch, err := p.db.PrepareBatch(ctx, "INSERT INTO checkpoints (name, stream, partition, upto)")
	if err != nil {
		return fmt.Errorf("note how far the conflicts were checked: %w", err)
	}
	defer batch.Close()
	for _, of := range sortedPartitions(upto) {
		if err := batch.Append(conflictsCheckpoint, of.Stream.String(), of.Number, upto[of]); err != nil {
			return fmt.Errorf("note how far the conflicts were checked: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("note how far the conflicts were checked: %w", err)
	}
	return nil
}

func sortedPartitions[T any](of map[domain.Partition]T) []domain.Partition {
	return slices.SortedFunc(maps.Keys(of), func(a, b domain.Partition) int {
		return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Number, b.Number))
	})
}

// within is the condition on places of a partition from one offset on and before another.
func within(of domain.Partition, from, upto int64) string {
	return fmt.Sprintf("(stream = '%s' AND partition = %d AND offset >= %d AND offset < %d)", of.Stream, of.Number, from,
		upto)
}

// unchecked is the condition on places that the check for conflicts has not come to.
func unchecked(checked map[domain.Partition]int64) string {
	if len(checked) == 0 {
		return "true"
	}
	done := make([]string, 0, len(checked))
	for _, of := range sortedPartitions(checked) {
		done = append(done, within(of, 0, checked[of]))
	}
	return "NOT (" + strings.Join(done, " OR ") + ")"
}

// seenAt is the statement for what identities calls the events and orders of some places.
func seenAt(places string) string {
	return "SELECT arrayJoin(if(placed = 0, [identity], [identity, placed])) FROM places WHERE " + places
}
