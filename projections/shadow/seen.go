package shadow

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Seen is what identities held at a moment: the blocks of rows that were there. ClickHouse numbers each block that is
// inserted, and no number comes twice in a partition. Every insert into the ledger feeds identities, after the ledger
// itself has the rows: what is seen in identities is in the ledger too.
type Seen struct {
	Table  string            `json:"table"`  // its UUID: numbers begin again in another table
	Blocks map[string][]span `json:"blocks"` // by partition, in order; those of parts that were merged are joined
}

// span is the first and the last of some blocks.
type span [2]int64

// part is one of identities as it is now.
type part struct {
	name, partition string
	blocks          span
}

// Look says what identities hold now.
func Look(ctx context.Context, db driver.Conn) (*Seen, error) {
	table, parts, err := identitiesNow(ctx, db)
	if err != nil {
		return nil, err
	}
	s := &Seen{Table: table, Blocks: map[string][]span{}}
	for _, p := range parts {
		all := s.Blocks[p.partition]
		if last := len(all) - 1; last >= 0 && p.blocks[0] <= all[last][1]+1 {
			all[last][1] = max(all[last][1], p.blocks[1])
			continue
		}
		s.Blocks[p.partition] = append(all, p.blocks)
	}
	return s, nil
}

// identitiesNow are the table's UUID, and its parts in the order of partitions and blocks.
func identitiesNow(ctx context.Context, db driver.Conn) (table string, parts []part, err error) {
	rows, err := db.Query(ctx, `
SELECT toString(t.uuid), p.name, p.partition_id, p.min_block_number, p.max_block_number
FROM system.tables AS t
LEFT JOIN (SELECT * FROM system.parts WHERE database = currentDatabase() AND active) AS p ON p.table = t.name
WHERE t.database = currentDatabase() AND t.name = 'identities' ORDER BY p.partition_id, p.min_block_number`)
	if err != nil {
		return "", nil, fmt.Errorf("look which blocks identities hold: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var p part
		if err := rows.Scan(&table, &p.name, &p.partition, &p.blocks[0], &p.blocks[1]); err != nil {
			return "", nil, fmt.Errorf("look which blocks identities hold: %w", err)
		}
		if p.name != "" {
			parts = append(parts, p)
		}
	}
	if err := rows.Err(); err != nil {
		return "", nil, fmt.Errorf("look which blocks identities hold: %w", err)
	}
	return table, parts, nil
}

func (s *Seen) has(p part) bool {
	return slices.ContainsFunc(s.Blocks[p.partition], func(b span) bool {
		return b[0] <= p.blocks[0] && p.blocks[1] <= b[1]
	})
}

// Since is the condition on rows of identities that came later. Of a rebuild that an older makegood computed it is all
// of them.
func (s *Seen) Since(ctx context.Context, db driver.Conn) (string, error) {
	table, parts, err := identitiesNow(ctx, db)
	if err != nil {
		return "", err
	}
	if s == nil || s.Table != table {
		return "true", nil
	}
	old := map[string]string{} // whose parts needn't be read
	for _, p := range parts {
		if s.has(p) {
			old[p.partition] += ", '" + p.name + "'"
		}
	}
	all, condition := "''", ""
	for _, partition := range slices.Sorted(maps.Keys(s.Blocks)) {
		all += ", '" + partition + "'"
		condition += " OR _partition_id = '" + partition + "' AND _part NOT IN (''" + old[partition] + ")"
		for _, b := range s.Blocks[partition] {
			condition += fmt.Sprintf(" AND NOT (_block_number >= %d AND _block_number <= %d)", b[0], b[1])
		}
	}
	return "(_partition_id NOT IN (" + all + ")" + condition + ")", nil
}

func (s *Seen) text() (string, error) {
	if s == nil {
		return "", nil
	}
	text, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("write what a rebuild has seen: %w", err)
	}
	return string(text), nil
}

func parseSeen(text string) (*Seen, error) {
	if text == "" {
		return nil, nil
	}
	var s Seen
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return nil, fmt.Errorf("read what a rebuild has seen: %w", err)
	}
	return &s, nil
}
