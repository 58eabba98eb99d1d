package post

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/makegood/makegood/domain"
)

// lostRows are the places whose event the ledger doesn't hold, by block, and the state of the ledger's months that they
// were looked for in. Only months that have changed since the last look are read.
func (p *Projector) lostRows(ctx context.Context, spans map[domain.Partition]span) (map[block]map[int64]bool,
	map[string]uint64, error) {
	months, rows, err := p.monthStates(ctx)
	if err != nil {
		return nil, nil, err
	}
	var changed []string
	for _, month := range slices.Sorted(maps.Keys(months)) {
		if state, known := p.store.months[month]; !known || state != months[month] {
			changed = append(changed, month)
		}
	}
	lost := map[block]map[int64]bool{}
	if len(changed) == 0 {
		return lost, months, nil
	}
	const most = 2_000_000 // rows of the ledger that are held in ClickHouse's memory at once
	parts := rows/most + 1
	for part := range parts {
		n, err := p.lostIn(ctx, strings.Join(changed, ", "), fmt.Sprintf("%% %d = %d", parts, part), spans, lost)
		if err != nil {
			return nil, nil, err
		}
		if n == mostLost {
			return lost, p.store.months, nil // the rest with the next look
		}
	}
	return lost, months, nil
}

// monthStates are a hash of the parts of each of the ledger's months, 0 for a month of which it has none although it
// has places, and how many rows the ledger has, copies included.
func (p *Projector) monthStates(ctx context.Context) (states map[string]uint64, rows uint64, err error) {
	found, err := p.db.Query(ctx, `
SELECT month, max(state), max(rows) FROM (
    SELECT partition_id AS month, sipHash64(arraySort(groupArray(name))) AS state, sum(rows) AS rows FROM system.parts
    WHERE database = currentDatabase() AND table = 'ledger' AND active GROUP BY partition_id
    UNION ALL
    SELECT DISTINCT toString(month), toUInt64(0), toUInt64(0) FROM places)
GROUP BY month`)
	if err != nil {
		return nil, 0, fmt.Errorf("list the ledger's parts: %w", err)
	}
	defer found.Close()
	states = map[string]uint64{}
	for found.Next() {
		var month string
		var state, n uint64
		if err := found.Scan(&month, &state, &n); err != nil {
			return nil, 0, fmt.Errorf("list the ledger's parts: %w", err)
		}
		states[month] = state
		rows += n
	}
	if err := found.Err(); err != nil {
		return nil, 0, fmt.Errorf("list the ledger's parts: %w", err)
	}
	return states, rows, nil
}

// mostLost is how many lost rows one statement names.
const mostLost = 500_000

// lostIn adds the lost places of some months, of the identities of a condition, and returns how many it found.
func (p *Projector) lostIn(ctx context.Context, months, of string, spans map[domain.Partition]span,
	lost map[block]map[int64]bool) (n int, err error) {
	rows, err := p.db.Query(ctx, fmt.Sprintf(`
SELECT toString(stream), partition, offset FROM places
WHERE month IN (%[1]s) AND identity %[2]s AND %[3]s AND identity NOT IN (
    SELECT cityHash64(source, event_id) FROM ledger
    WHERE toYYYYMM(occurred_at) IN (%[1]s) AND cityHash64(source, event_id) %[2]s)
LIMIT %[4]d`, months, of, spanConditions(spans), mostLost))
	if err != nil {
		return 0, fmt.Errorf("look for rows that the ledger has lost: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var stream string
		var b block
		var offset int64
		if err := rows.Scan(&stream, &b.of.Number, &offset); err != nil {
			return 0, fmt.Errorf("look for rows that the ledger has lost: %w", err)
		}
		b.of.Stream, b.number = domain.ParseStream(stream), offset/blockOffsets
		if lost[b] == nil {
			lost[b] = map[int64]bool{}
		}
		lost[b][offset] = true
		n++
	}
	if err := rows.Err(); err != nil {
		return 0, fmt.Errorf("look for rows that the ledger has lost: %w", err)
	}
	return n, nil
}
