package rebuild

import (
	"context"
	"errors"
	"fmt"

	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
)

// takeVoidsAlong sees to the rows of the shadow that are bound to others by voids: whose lines are one and the same move
// together, or, where a closed month holds one of them, stay together.
func (s *computation) takeVoidsAlong(ctx context.Context) error {
	const bound = `(voids_id != '' OR (order_id, source, event_id) IN (SELECT order_id, voids_source, voids_id FROM voids FINAL WHERE refused = ''))`
	var n uint64
	if err := s.db.QueryRow(ctx, "SELECT count() FROM "+s.table("ledger")+" WHERE "+bound).Scan(&n); err != nil {
		return fmt.Errorf("count what changed and is voided: %w", err)
	}
	if n == 0 {
		return nil
	}
	const most = 20_000
	parts := n/most + 1
	writer := s.config.Shadow(s.table("ledger"))
	w := &familyWorker{computation: s, Reposter: post.Reposter{Decode: s.config.Decode()}, batch: writer.Batch()}
	var err error
	for part := uint64(0); part < parts && err == nil; part++ {
		var changed []ledger.Stored
		changed, err = ledger.Read(ctx, s.db, s.table("ledger")+" FINAL WHERE "+bound+fmt.Sprintf(" AND cityHash64(order_id) %% %d = %d", parts, part))
		if err == nil {
			err = w.take(ctx, changed)
		}
		if err == nil && w.batch.Rows() > 0 {
			err = w.batch.Insert(ctx)
		}
		w.batch.Reset()
	}
	return errors.Join(err, writer.Close())
}

type familyWorker struct {
	*computation
	post.Reposter
	batch   ledger.Batch
	changed map[ledger.Ref]*ledger.Stored // rows as the shadow holds them
}

// take reads all that rows of the shadow are bound to, as the ledger has it, and posts that anew together.
func (w *familyWorker) take(ctx context.Context, rows []ledger.Stored) error {
	w.changed = map[ledger.Ref]*ledger.Stored{}
	var targets []ledger.Ref
	for i := range rows {
		r := &rows[i]
		w.changed[r.Ref()] = r
		targets = append(targets, r.Ref())
		if r.VoidsType != "" {
			targets = append(targets, r.Voids)
		}
	}
	kept, _, err := post.ReadKin(ctx, w.db, targets, true)
	if err != nil {
		return err
	}
	for _, f := range post.KinOf(kept).Families {
		for _, b := range f.Bounds(w.terms.Periods) {
			if err := w.together(&b); err != nil {
				return err
			}
		}
	}
	return nil
}

// together posts anew what is bound, and says in the shadow what it comes to. Rows that were posted one by one before are there
// already; of two alike the later stays.
func (w *familyWorker) together(b *post.Bound) error {
	members := append([]*ledger.Stored{b.Decides}, b.Others...)
	before := make([]ledger.Row, len(members))
	for i, r := range members {
		before[i] = r.Row
	}
	if err := w.postAll(b, members); err != nil {
		return err
	}
	for i, r := range members {
		in, same := w.changed[r.Ref()], r.Books(&before[i])
		if in == nil && same {
			continue
		}
		was := &before[i]
		if in != nil { // it counts as what it comes to now
			was = &in.Row
		}
		w.sums.move(was, &r.Row)
		w.unpriced += unpricedBy(was, &r.Row)
		if same {
			w.events--
		} else if in == nil {
			w.events++
		}
		if err := r.Check(); err != nil {
			return err
		}
		r.Revise(ledger.ByRebuild)
		w.batch.Append(&r.Row)
	}
	return nil
}

func (w *familyWorker) postAll(b *post.Bound, members []*ledger.Stored) error {
	for _, r := range members {
		if period, frozen := w.terms.FrozenBy(r.Event.Time, r.Position); frozen && !w.mark.Precedes(r.Position) {
			for _, r := range members {
				if w.changed[r.Ref()] != nil {
					w.leave(period, r.Event)
				}
			}
			return nil
		}
	}
	d := b.Decides
	before := d.Row
	_, err := w.Post(&d.Row, w.terms, w.terms.PricedAt(d.Event.Time, d.Position, b.With...), true)
	not, err := post.NotPosted(err)
	if not != nil {
		d.Row = before
		return nil // noted when it was posted by itself
	}
	if err != nil {
		return err
	}
	d.KeepLines()
	for _, r := range b.Others {
		if _, err := w.Post(&r.Row, w.terms, w.at, false); err != nil {
			return err
		}
	}
	b.Negate()
	return nil
}
