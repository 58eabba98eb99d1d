package projections

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
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

// before is the condition on rows of the other streams that stand before the mark.
func before(m *domain.Mark) string {
	if m.Ends == nil {
		return fmt.Sprintf("recorded_at < toDateTime64('%s', 3, 'UTC')", m.Time.UTC().Format("2006-01-02 15:04:05.000"))
	}
	parts := make([]string, 0, len(m.Ends))
	for p, end := range m.Ends {
		parts = append(parts, fmt.Sprintf("(stream = '%s' AND partition = %d AND offset < %d)", p.Stream, p.Number, end))
	}
	if len(parts) == 0 {
		return "0"
	}
	sort.Strings(parts)
	return "(" + strings.Join(parts, " OR ") + ")"
}

// repostOvertaken posts anew what the batch's books records, and those that came since it was posted, overtook. All of the
// books stream that was there when the batch was inserted has been read.
func (p *Projector) repostOvertaken(ctx context.Context, b *batch) error {
	marks := p.terms.marks(func(offset int64) bool {
		return (b.rows.Rows() > 0 && offset >= b.terms) || b.hasLaid(offset)
	})
	var conditions []string
	for i := range marks {
		c := before(&marks[i])
		// Records that were written together share their ends: the last of them speaks for all.
		if i+1 < len(marks) && c == before(&marks[i+1]) {
			continue
		}
		conditions = append(conditions, fmt.Sprintf("(terms <= %d AND NOT %s)", marks[i].Offset, c))
	}
	const most = 20 // conditions a statement: there can be thousands of partitions in one
	for part := range slices.Chunk(conditions, most) {
		found, err := readRows(ctx, p.db, `ledger FINAL WHERE refused = '' AND (order_id, source, event_id) IN (
    SELECT order_id, source, event_id FROM ledger WHERE stream != 'books' AND refused = '' AND (`+strings.Join(part, " OR ")+`))`)
		if err != nil {
			return fmt.Errorf("find what the books stream overtook: %w", err)
		}
		if err := p.repostRows(ctx, b, found); err != nil {
			return err
		}
	}
	return nil
}

// repostRows posts rows of the ledger with the terms of now and writes those that come out otherwise.
func (p *Projector) repostRows(ctx context.Context, b *batch, rows []stored) error {
	for i := range rows {
		b.touched.add(&rows[i].Row)
	}
	changed, err := p.terms.repost(rows)
	if err != nil {
		return err
	}
	anew := make([]stored, 0, len(changed))
	for _, i := range changed {
		b.touched.add(&rows[i].Row)
		anew = append(anew, rows[i])
	}
	if err := p.rewrite(ctx, anew); err != nil {
		return err
	}
	for i := range anew {
		r := &anew[i]
		// Its voids negate what it has now, and where it is a void itself, its original decides.
		b.voids = append(b.voids, voidRef{r.Event.OrderID, r.Event.Source, r.Event.ID})
		if r.voidsType != "" {
			b.voids = append(b.voids, r.voidTarget)
		}
	}
	return nil
}

// repost places and posts a row of the ledger as its record would be with these terms and with the rates that were known
// at that place; false where that changes nothing. A void keeps its lines unless it is on its own.
func repost(r *stored, decode Decode, terms *domain.Terms, at domain.Position, alone bool) (changed bool, err error) {
	was := r.Row
	r.Place(terms.Periods)
	if r.voidsType == "" || alone {
		decoded, err := decode(message.Metadata{"content-type": "application/cloudevents+json"}, r.structured())
		if err != nil {
			return false, fmt.Errorf("read the event %s of %s from the ledger: %w", r.Event.ID, r.Event.Source, err)
		}
		// The moment and the hash that were recorded, not those that went through the ledger's precision.
		event := decoded.Event
		event.Time = r.Event.Time
		var entry domain.Entry
		if err := domain.Post(&event, terms.Rates, at, &entry); err != nil {
			return false, fmt.Errorf("post the event %s of %s anew: %w", r.Event.ID, r.Event.Source, err)
		}
		r.Lines, r.Unpriced = slices.Clone(entry.Lines), cloneAll(entry.Unpriced)
	}
	if slices.Equal(r.Lines, was.Lines) && slices.Equal(r.Unpriced, was.Unpriced) && r.Posting == was.Posting && r.RecordedAt.Equal(was.RecordedAt) {
		r.Row = was
		return false, nil
	}
	// Its terms stay those of its first posting: should this process end before the roll-ups know, the row is found again.
	r.revise(byEvents)
	r.Moved = r.Moved || !r.RecordedAt.Equal(was.RecordedAt)
	return true, nil
}

func cloneAll(texts []string) []string {
	all := make([]string, len(texts))
	for i := range texts {
		all[i] = strings.Clone(texts[i])
	}
	return all
}
