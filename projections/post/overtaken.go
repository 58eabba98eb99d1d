package post

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/makegood/makegood/projections/ledger"
)

// A close or a rate takes effect at a place in the log: the ends of the other streams just before it was written (see
// domain.Mark). Between reading those ends and the record's arrival on the books stream others go on writing, and a
// projector may book what they wrote without knowing yet of the close that it follows. Such a row was overtaken. It is
// found by its position beyond the mark and by the terms that it was posted with, and posted anew, so that in the end
// positions alone decide, as they would have had the record been there at once.
//
// Two looks find every such row. The projector that books the close itself looks through the ledger: everything that was
// inserted before is there. A batch that was posted before and is inserted after looks again at what came to the books
// stream since it was posted.

// repostOvertaken posts anew what the batch's books records, and those that came since it was posted, overtook. All of the
// books stream that was there when the batch was inserted has been read. As where voids are settled, it looks again after it
// has written: others write these rows too.
func (p *Projector) repostOvertaken(ctx context.Context, b *batch) error {
	for range mostRounds {
		if n, err := p.repostOnce(ctx, b); err != nil || n == 0 {
			return err
		}
	}
	return nil
}

func (p *Projector) repostOnce(ctx context.Context, b *batch) (n int, err error) {
	marks := p.terms.marks(func(offset int64) bool {
		return (b.rows.Rows() > 0 && offset >= b.terms) || b.hasLaid(offset)
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
		found, err := ledger.Read(ctx, p.db, `ledger FINAL WHERE refused = '' AND (order_id, source, event_id) IN (
    SELECT order_id, source, event_id FROM ledger WHERE stream != 'books' AND refused = '' AND (`+strings.Join(part, " OR ")+`))`)
		if err != nil {
			return n, fmt.Errorf("find what the books stream overtook: %w", err)
		}
		anew, err := p.repostRows(ctx, b, found)
		n += anew
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// repostRows posts rows of the ledger with the terms of now, writes those that come out otherwise, and returns how many these
// are.
func (p *Projector) repostRows(ctx context.Context, b *batch, rows []ledger.Stored) (int, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	// Other projectors, that had read more, may have posted them.
	if err := p.terms.CatchUp(ctx); err != nil {
		return 0, err
	}
	for i := range rows {
		b.touched.add(&rows[i].Row)
	}
	changed, not, err := p.terms.repost(rows)
	if err != nil {
		return 0, err
	}
	for _, n := range not {
		p.config.Logger.Warn("an event stays as it was posted", "error", n)
	}
	anew := make([]ledger.Stored, 0, len(changed))
	for _, i := range changed {
		b.touched.add(&rows[i].Row)
		anew = append(anew, rows[i])
	}
	if err := p.rewrite(ctx, anew); err != nil {
		return 0, err
	}
	// Its voids negate what it has now; and which of them decides may be another since the close, also where its own lines
	// stay what they were.
	voided, err := p.voidedAmong(ctx, rows)
	b.voids = append(b.voids, voided...)
	return len(anew), err
}

// voidedAmong are those of the rows that somebody voids, and what those of them void that are voids.
func (p *Projector) voidedAmong(ctx context.Context, rows []ledger.Stored) ([]ledger.Ref, error) {
	var all, targets []ledger.Ref
	for i := range rows {
		if r := &rows[i]; r.VoidsType != "" {
			all = append(all, r.Voids)
		}
		targets = append(targets, rows[i].Ref())
	}
	ctx, err := ledger.WithTargets(ctx, targets)
	if err != nil {
		return nil, err
	}
	found, err := p.db.Query(ctx, `SELECT DISTINCT order_id, voids_source, voids_id FROM voids
WHERE (voids_source, voids_id) IN (SELECT source, event_id FROM targets) AND (order_id, voids_source, voids_id) IN (SELECT order_id, source, event_id FROM targets)`)
	if err != nil {
		return nil, fmt.Errorf("find what is voided: %w", err)
	}
	refs, err := ledger.ScanRefs(found)
	if err != nil {
		return nil, fmt.Errorf("find what is voided: %w", err)
	}
	return append(all, refs...), nil
}
