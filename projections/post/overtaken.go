package post

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/ledger"
)

// A close or a rate takes effect at a place in the log: the ends of the other streams just before it was written (see
// domain.Mark). Between reading those ends and the record's arrival on the books stream others go on writing, and a
// projector may book what they wrote without knowing yet of the close that it follows. Such a row was overtaken. It is
// found by its position beyond the mark and by the terms that it was posted with, and its unit is settled again, so
// that in the end positions alone decide, as they would have had the record been there at once.
//
// Two looks find every such row. The projector that books the close itself looks through the ledger: everything that
// was inserted before is there. A batch that was posted before and is inserted after looks again at what came to the
// books stream since it was posted.

// markOvertaken marks the units that the batch's books records, and those that came since it was posted, overtook. All
// of the books stream that was there when the batch was inserted has been read.
func (p *Projector) markOvertaken(ctx context.Context, b *batch) error {
	marks := p.terms.marks(func(offset int64) bool {
		return (b.rows.Rows() > 0 && offset >= b.terms) || b.hasBooks(offset)
	})
	var conditions []string
	for i := range marks {
		c := ledger.Before(&marks[i])
		// Records that were written together share their ends: the last of them speaks for all.
		if i+1 < len(marks) && c == ledger.Before(&marks[i+1]) {
			continue
		}
		conditions = append(conditions, fmt.Sprintf("(terms <= %d AND NOT %s)", marks[i].Offset, c))
	}
	const most = 20 // conditions a statement: there can be thousands of partitions in one
	for part := range slices.Chunk(conditions, most) {
		overtaken := "stream != 'books' AND (" + strings.Join(part, " OR ") + ")"
		if err := p.markWhere(ctx, &b.units, overtaken); err != nil {
			return fmt.Errorf("find what the books stream overtook: %w", err)
		}
		if err := p.settleOvertaken(ctx, overtaken, marks[len(marks)-1].Time); err != nil {
			return fmt.Errorf("settle conflicts that the books stream overtook: %w", err)
		}
	}
	return nil
}

// settleOvertaken settles the conflicts of what was overtaken once more: a close puts what stands behind it later than
// itself, and so may change which copy was recorded first. What has a later time in any case keeps its place.
func (p *Projector) settleOvertaken(ctx context.Context, overtaken string, last time.Time) error {
	_, err := p.settleAmong(ctx, "SELECT cityHash64(source, event_id) FROM ledger WHERE "+overtaken+
		fmt.Sprintf(" AND recorded_at <= toDateTime64('%s', 3, 'UTC')", last.UTC().Format("2006-01-02 15:04:05.000")))
	return err
}

// markWhere marks the units of rows of the ledger.
func (p *Projector) markWhere(ctx context.Context, units *ledger.Units, condition string) error {
	rows, err := p.db.Query(ctx, "SELECT DISTINCT order_id, error_id, '' AS spend FROM ledger WHERE refused = '' AND "+
		"(order_id != '' OR error_id != '') AND "+condition)
	if err != nil {
		return err
	}
	return addUnits(rows, units)
}

// markSpends marks what was spent on quality, of rows of the ledger.
func (p *Projector) markSpends(ctx context.Context, units *ledger.Units, condition string) error {
	rows, err := p.db.Query(ctx, "SELECT DISTINCT '' AS order_id, '' AS error_id, "+ledger.SpendID+" FROM ledger "+
		"WHERE refused = '' AND "+ledger.AboutSpend+" AND "+condition)
	if err != nil {
		return err
	}
	return addUnits(rows, units)
}

// addUnits adds the orders, cases and spends of a statement's rows, and closes it.
func addUnits(rows driver.Rows, units *ledger.Units) error {
	defer rows.Close()
	for rows.Next() {
		var order, errorID, spend string
		if err := rows.Scan(&order, &errorID, &spend); err != nil {
			return err
		}
		if spend != "" {
			units.Spends[spend] = true
		}
		if order != "" {
			units.Orders[order] = true
		}
		if errorID != "" {
			units.Cases[errorID] = true
		}
	}
	return rows.Err()
}

// markDecided marks the units of what persons decided on in the batch, or since it was posted, as far as it is there.
// What comes later finds the decision.
func (p *Projector) markDecided(ctx context.Context, b *batch) error {
	all := b.decided
	if b.rows.Rows() > 0 {
		all = append(all, p.terms.decidedSince(b.terms)...)
	}
	decisions := p.terms.Decisions()
	for _, d := range all {
		d = decisions.DecidedOn(d)
		rows, err := p.db.Query(ctx, "SELECT DISTINCT order_id, error_id, "+ledger.SpendID+` FROM ledger
WHERE toYYYYMM(occurred_at) IN (SELECT month FROM identities WHERE identity = cityHash64(?, ?)) AND source = ? AND
    event_id = ?`, d.Source, d.ID, d.Source, d.ID)
		if err == nil {
			err = addUnits(rows, &b.units)
		}
		if err != nil {
			return fmt.Errorf("find the event %s of %s that was decided on: %w", d.ID, d.Source, err)
		}
	}
	return nil
}
