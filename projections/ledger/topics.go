package ledger

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Topic is a topic of the log: which stream it is, its name, and the id that the cluster gave it.
type Topic struct{ Stream, Name, ID string }

// KnownTopics are the topics that the books are made of, by stream. A stream has several where somebody said that they
// hold the same records at the same offsets.
func KnownTopics(ctx context.Context, db driver.Conn) (map[string][]Topic, error) {
	rows, err := db.Query(ctx, "SELECT stream, topic, id FROM log_topics FINAL ORDER BY stream, id")
	if err != nil {
		return nil, fmt.Errorf("read which topics the books are made of: %w", err)
	}
	defer rows.Close()
	known := map[string][]Topic{}
	for rows.Next() {
		var t Topic
		if err := rows.Scan(&t.Stream, &t.Name, &t.ID); err != nil {
			return nil, fmt.Errorf("read which topics the books are made of: %w", err)
		}
		known[t.Stream] = append(known[t.Stream], t)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read which topics the books are made of: %w", err)
	}
	return known, nil
}

// KeepTopic notes that the books are made of a topic. Noted twice it is the same.
func KeepTopic(ctx context.Context, db driver.Conn, t Topic) error {
	if err := db.Exec(ctx, "INSERT INTO log_topics (stream, topic, id) VALUES (?, ?, ?)", t.Stream, t.Name,
		t.ID); err != nil {
		return fmt.Errorf("note which topic the books are made of: %w", err)
	}
	return nil
}
