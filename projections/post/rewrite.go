package post

import (
	"context"
	"fmt"

	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
)

// rewrite writes rows again, at their new revision, and doesn't give up: an insert that fails half-way may have
// reached the ledger and not the tables that are fed from it. Whoever looked at the ledger again would find the row as
// it should be, and leave the others as they are.
func (p *Projector) rewrite(ctx context.Context, rows []*ledger.Row) error {
	if len(rows) == 0 {
		return nil
	}
	b := p.writer.Batch()
	erased := p.terms.erasures()
	for _, r := range rows {
		erased.apply(r, r.Position)
		if err := r.Check(); err != nil {
			return err
		}
		b.Append(r)
	}
	doing := fmt.Sprintf("write %d rows again", len(rows))
	if len(rows) == 1 {
		return p.retryWhole(ctx, doing, "", b.Insert)
	}
	err := p.retry(ctx, doing, "", b.Insert)
	if !ledger.TooMuch(err) {
		return err
	}
	if err := p.rewrite(ctx, rows[:len(rows)/2]); err != nil {
		return err
	}
	return p.rewrite(ctx, rows[len(rows)/2:])
}

// keepRefused makes dead letters of rows that are about to leave the books.
func (p *Projector) keepRefused(ctx context.Context, rows []ledger.Stored, reason string) error {
	letters, erased := make([]deadletter.Letter, len(rows)), p.terms.erasures()
	for i := range rows {
		r := &rows[i]
		original, err := p.originalOf(ctx, r)
		if err != nil {
			return err
		}
		letters[i] = deadletter.Letter{
			Topic: p.config.Topics[r.Position.Stream], Partition: r.Position.Partition, Offset: r.Position.Offset,
			Reason: reason, Detail: deadletter.Refusals[reason], Source: r.Event.Source, EventID: r.Event.ID,
			FirstSeen: r.RecordedAt, LastSeen: r.RecordedAt, Key: original.Key, Payload: original.Payload,
			Headers: original.Headers,
		}
		p.identify(&letters[i], r.Position, erased)
	}
	if err := p.publishLetters(letters); err != nil {
		return fmt.Errorf("publish dead letters: %w", err)
	}
	if err := p.keepLetters(ctx, letters); err != nil {
		return err
	}
	p.stats.DeadLetters.Add(int64(len(letters)))
	return nil
}
