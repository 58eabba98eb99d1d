package post

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sort"
	"strings"
	"sync"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/shadow"
)

// A rebuild becomes the books when the projector lands its record, before that is acknowledged: each partition of the
// shadow is attached to the table that it stands in for, which is atomic, takes milliseconds and copies nothing.
// Readers go on reading, and whoever inserts goes on inserting; a row's version decides which of two counts, and the
// shadow's stands between what it was made of and whatever was decided about the event since (see Row.revise). Then
// what ran beside is seen to: the rows that arrived after the rebuild began and stand before the rebuild were posted
// without knowing of it.
//
// A crash anywhere does it again, which changes nothing. Where the shadow is gone, or is of other rates than the record
// speaks of, or never was, since somebody else wrote the record, the ledger itself is posted again, with the same
// result.

// finishRebuilds makes the rebuilds part of the books whose records are in the batch, and posts those rows of it again
// that were posted before their rebuild was known. All of the books stream that was there when the batch was inserted
// has been read.
func (p *Projector) finishRebuilds(ctx context.Context, b *batch) error {
	for _, r := range p.terms.rebuilds() {
		switch {
		case b.hasBooks(r.Mark.Offset):
			if err := p.swapIn(ctx, b, &r); err != nil {
				return fmt.Errorf("make rebuild %s part of the books: %w", r.ID, err)
			}
		case b.rows.Rows() > 0 && r.Mark.Offset >= b.terms:
			// The rows of others are others' affair, or that of who books the record. The batch's units are settled anyway.
			if err := p.repostAlone(ctx, b, &r, fmt.Sprintf("%s AND terms <= %d AND %s", p.within(b), r.Mark.Offset,
				ledger.StoodBefore(&r.Mark))); err != nil {
				return fmt.Errorf("post again what rebuild %s overtook: %w", r.ID, err)
			}
		}
	}
	return nil
}

func (p *Projector) swapIn(ctx context.Context, b *batch, landed *domain.Rebuild) error {
	missed := fmt.Sprintf("terms <= %d AND %s", landed.Mark.Offset, ledger.StoodBefore(&landed.Mark))
	r, err := shadow.Read(ctx, p.db, landed.ID)
	if landed.ID == "" || errors.Is(err, ledger.ErrNotFound) {
		return p.repostWhere(ctx, b, landed, missed)
	}
	if err != nil {
		return err
	}
	switch r.State {
	case shadow.Done:
		return shadow.Drop(ctx, p.db, r.ID) // this is its record once more
	case shadow.Ready, shadow.Swapping:
	default:
		return p.repostWhere(ctx, b, landed, missed)
	}
	stale := r.ClosedPeriods != landed.ClosedPeriods || r.Rules != domain.PostingRules()
	p.terms.Use(func(t *domain.Terms) { stale = stale || t.ChangedBetween(r.Terms, landed.Mark.Offset) })
	whole, err := p.hasShadow(ctx, r.ID)
	if err != nil {
		return err
	}
	if whole && !stale {
		if err := p.attach(ctx, r.ID); err != nil {
			return err
		}
		if err := p.seeToTheRest(ctx, b, r, landed); err != nil {
			return err
		}
		// What the rebuild itself posts, now that its place in the log is known.
		if err := shadow.ReadUnits(ctx, p.db, r.ID, func(units *ledger.Units) error {
			maps.Copy(b.units.Orders, units.Orders)
			maps.Copy(b.units.Cases, units.Cases)
			return p.settleMarked(ctx, b)
		}); err != nil {
			return err
		}
	} else if err := p.repostWhere(ctx, b, landed, missed); err != nil {
		return err
	}
	// The roll-ups of what was reposted now, and not with the rest of the batch: once it is done nobody looks again.
	if err := p.settleMarked(ctx, b); err != nil {
		return err
	}
	if whole && !stale {
		if err := p.rollUpRebuilt(ctx, r); err != nil {
			return err
		}
	}
	r.State = shadow.Done
	if err := shadow.Keep(ctx, p.db, r); err != nil {
		return err
	}
	p.swapped.Store(true)
	return shadow.Drop(ctx, p.db, r.ID)
}

// hasShadow reports whether all of a rebuild's tables are there.
func (p *Projector) hasShadow(ctx context.Context, id string) (bool, error) {
	names := make([]string, len(shadow.Tables))
	for i, table := range shadow.Tables {
		names[i] = shadow.Table(table, id)
	}
	var n uint64
	if err := p.db.QueryRow(ctx, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name IN (?)",
		names).Scan(&n); err != nil {
		return false, fmt.Errorf("look for the shadow of rebuild %s: %w", id, err)
	}
	return n == uint64(len(shadow.Tables)), nil
}

// seeToTheRest sees to what ran beside the rebuild: rows that arrived, or were written again, after it began.
func (p *Projector) seeToTheRest(ctx context.Context, b *batch, r *shadow.Rebuild, landed *domain.Rebuild) error {
	months, arrived, err := p.arrivedSince(ctx, r.Seen)
	if err != nil {
		return err
	}
	// No rate came since the rebuild began. So what comes after that in the log has the rates that it would have of the
	// rebuild already, if it is places that tell which of two came first, and no producer's clock.
	mark := domain.Mark{Offset: r.Terms, Ends: r.Ends}
	p.terms.Use(func(t *domain.Terms) {
		if r.Ends == nil || !t.Rates.ByPlace() {
			mark = landed.Mark
		}
	})
	return p.repostWhere(ctx, b, landed, fmt.Sprintf("terms <= %d AND %s AND %s AND %s", landed.Mark.Offset,
		ledger.StoodBefore(&mark), months, arrived))
}

// rollUpRebuilt recomputes the leakage of all that the rebuild changes, now that it is in the books: whoever
// recomputed a case meanwhile, or is at it, read what was there before, and began earlier than this.
func (p *Projector) rollUpRebuilt(ctx context.Context, r *shadow.Rebuild) error {
	failures, daily := shadow.Table("failures", r.ID), shadow.Table("leakage_daily", r.ID)
	var n uint64
	if err := p.db.QueryRow(ctx,
		"SELECT (SELECT count() FROM "+failures+") + (SELECT count() FROM "+daily+")").Scan(&n); err != nil {
		return fmt.Errorf("count the cases that a rebuild changes: %w", err)
	}
	const most = 200_000
	parts := n/most + 1
	for part := uint64(0); part < parts && n > 0; part++ {
		mine := fmt.Sprintf("cityHash64(unit) %% %d = %d", parts, part)
		filter := fmt.Sprintf("%[1]s AND unit IN (SELECT unit FROM %[2]s WHERE %[1]s UNION DISTINCT "+
			"SELECT unit FROM %[3]s WHERE %[1]s)", mine, failures, daily)
		if err := p.rollUpWhere(ctx, filter, filter+" OR unit IN ("+ledger.SharedUnits+")"); err != nil {
			return fmt.Errorf("recompute the leakage of what a rebuild changes: %w", err)
		}
	}
	return nil
}

// arrivedSince are conditions on rows that arrived later than what was seen: on the months of the ledger that hold any,
// so that the others aren't read, and on the events.
func (p *Projector) arrivedSince(ctx context.Context, seen *shadow.Seen) (months, events string, err error) {
	since, err := seen.Since(ctx, p.db)
	if err != nil {
		return "", "", err
	}
	var found []uint32
	if err := p.db.QueryRow(ctx, "SELECT groupUniqArray(month) FROM identities WHERE "+since).Scan(&found); err != nil {
		return "", "", fmt.Errorf("look for what arrived: %w", err)
	}
	return "toYYYYMM(occurred_at) IN (" + monthList(found) + ")",
		"cityHash64(source, event_id) IN (SELECT identity FROM identities WHERE " + since + ")", nil
}

// attach makes the shadow's partitions part of the books.
func (p *Projector) attach(ctx context.Context, id string) error {
	for _, table := range shadow.Tables {
		from := shadow.Table(table, id)
		all, err := shadow.Partitions(ctx, p.db, from, 1)
		if err != nil {
			return err
		}
		for _, partition := range all {
			if err := p.db.Exec(ctx, fmt.Sprintf("ALTER TABLE %s ATTACH PARTITION ID '%s' FROM %s", table, partition,
				from)); err != nil {
				return fmt.Errorf("attach %s of %s: %w", partition, from, err)
			}
		}
	}
	return nil
}

// repostWhere posts the rows of a condition again as a rebuild has it, however many, with the terms of now. The
// condition must be the same of all copies of a row, but for where they stand: a copy that isn't the first changes
// nothing.
func (p *Projector) repostWhere(ctx context.Context, b *batch, landed *domain.Rebuild, condition string) error {
	if err := p.repostAlone(ctx, b, landed, condition); err != nil {
		return err
	}
	var n uint64
	// What isn't settled yet doesn't say whether it asks for rates.
	settled := "(NOT settled OR " + shadow.Changeable() + ") AND NOT (" + ledger.PostsAlone + " AND NOT settled) AND " +
		condition
	if err := p.markSpends(ctx, &b.units, settled); err != nil {
		return fmt.Errorf("find what was spent on quality: %w", err)
	}
	settled += " AND (order_id != '' OR error_id != '')"
	if err := p.db.QueryRow(ctx,
		"SELECT uniq(order_id, error_id) FROM ledger WHERE refused = '' AND "+settled).Scan(&n); err != nil {
		return fmt.Errorf("count the units of a rebuild: %w", err)
	}
	parts := n/mostMarked + 1
	for part := uint64(0); part < parts && n > 0; part++ {
		mine := fmt.Sprintf(" AND cityHash64(if(order_id != '', order_id, error_id)) %% %d = %d", parts, part)
		if err := p.markWhere(ctx, &b.units, settled+mine); err != nil {
			return fmt.Errorf("find the units of a rebuild: %w", err)
		}
		if err := p.settleMarked(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// repostAlone posts the rows of a condition again that post alone. Those of closed epochs stay as they are; where the
// rebuild prices them, their units are marked, to have an entry of the rebuild.
func (p *Projector) repostAlone(ctx context.Context, b *batch, landed *domain.Rebuild, condition string) error {
	var mu sync.Mutex // of the batch
	workers := make([]*liveWorker, 2)
	take := make([]func(*ledger.Row) error, len(workers))
	for i := range workers {
		w := &liveWorker{projector: p, ctx: ctx, of: b, mu: &mu, batch: p.writer.Batch(), landed: landed,
			Poster: Poster{Decode: p.config.Stored()}}
		workers[i], take[i] = w, w.take
	}
	first, err := shadow.ChangeableFirst(ctx, p.db)
	if err != nil {
		return err
	}
	from := "ledger FINAL PREWHERE " + first + " AND " + ledger.PostsAlone + " AND " + condition +
		" WHERE refused = '' AND NOT settled"
	if err := p.config.Ledger.ReadLedger(ctx, from, take...); err != nil {
		return err
	}
	for _, w := range workers {
		if err := w.flush(); err != nil {
			return err
		}
	}
	return nil
}

// liveWorker posts rows of the ledger again and writes what changes to the ledger itself.
type liveWorker struct {
	Poster
	projector *Projector
	ctx       context.Context //nolint:containedctx // that of the landing
	of        *batch
	mu        *sync.Mutex
	batch     ledger.Batch
	landed    *domain.Rebuild
}

const (
	liveRows   = 20_000 // rows an insert
	mostMarked = 50_000 // units in memory that are to be settled
)

func (w *liveWorker) take(r *ledger.Row) error {
	var outcome Outcome
	var err error
	w.projector.terms.Use(func(t *domain.Terms) { outcome, err = w.Rebuild(r, t, w.landed) })
	not, err := NotPosted(err)
	if not != nil {
		w.projector.config.Logger.Warn("an event stays as it was posted", "error", not)
		return nil
	}
	if err != nil {
		return err
	}
	switch outcome {
	case Changed:
		if err := r.Check(); err != nil {
			return err
		}
		r.Revise(ledger.ByEvents)
		w.batch.Append(r)
	case Frozen:
		if w.landed.ClosedPeriods {
			w.mu.Lock()
			w.of.units.Add(r.Event)
			w.mu.Unlock()
		}
	}
	if w.batch.Rows() < liveRows && !w.tooMuch() {
		return nil
	}
	return w.flush()
}

func (w *liveWorker) tooMuch() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.of.units.Len() > mostMarked
}

func (w *liveWorker) flush() error {
	p := w.projector
	if n := w.batch.Rows(); n > 0 {
		if err := p.retryWhole(w.ctx, fmt.Sprintf("write %d rows again", n), "", w.batch.Insert); err != nil {
			return err
		}
		w.batch.Reset()
	}
	if !w.tooMuch() {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return p.settleMarked(w.ctx, w.of)
}

// settleMarked does for the units that the batch has marked so far what landing does at its end, and forgets them.
func (p *Projector) settleMarked(ctx context.Context, b *batch) error {
	if _, err := p.settleUnits(ctx, &b.units, b.after); err != nil {
		return err
	}
	if err := p.finish(ctx, b.after); err != nil {
		return err
	}
	b.units.Clear()
	b.after.clear()
	return nil
}

// within is the condition on rows that can be the batch's: by the first and the last offset of each partition.
func (p *Projector) within(b *batch) string {
	type span struct{ from, to int64 }
	spans := map[domain.Partition]span{}
	for _, m := range b.messages {
		at, ok := p.config.Position(m)
		if !ok {
			continue // it became a dead letter
		}
		of := domain.Partition{Stream: at.Stream, Number: at.Partition}
		s, known := spans[of]
		if !known {
			s = span{at.Offset, at.Offset}
		}
		spans[of] = span{min(s.from, at.Offset), max(s.to, at.Offset)}
	}
	parts := make([]string, 0, len(spans))
	for of, s := range spans {
		parts = append(parts, fmt.Sprintf("(stream = '%s' AND partition = %d AND offset >= %d AND offset <= %d)", of.Stream,
			of.Number, s.from, s.to))
	}
	sort.Strings(parts)
	return "(" + strings.Join(parts, " OR ") + ")"
}
