package rebuild

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/shadow"
)

// settledUnits is how many units are read and settled in one go.
const settledUnits = 2000

// settleAll settles the units again that the rules or the rates can change, and writes what comes out otherwise to the
// shadow.
func (s *computation) settleAll(ctx context.Context) error {
	writer := s.config.Shadow(s.table("ledger"))
	w := &unitWorker{computation: s, settler: post.Settler{New: s.config.Decode, Rebuilds: s.rebuilds()},
		whatIf: post.Settler{New: s.config.Decode}, batch: writer.Batch(), seen: map[string]bool{}, own: ledger.NewUnits()}
	err := w.settleFound(ctx)
	if err == nil {
		err = w.settle(ctx, slices.Sorted(maps.Keys(s.asked.Orders)), slices.Sorted(maps.Keys(s.asked.Cases)))
	}
	if err == nil && w.batch.Rows() > 0 {
		err = w.batch.Insert(ctx)
	}
	if err == nil {
		err = w.moveOut(ctx)
	}
	if err == nil {
		err = shadow.KeepUnits(ctx, s.db, s.rebuild.ID, &w.own)
	}
	return errors.Join(err, writer.Close())
}

// moveOut takes rows out of the units that they were kept under. In the ledger they are the same rows, so that the
// shadow's can't say it.
func (w *unitWorker) moveOut(ctx context.Context) error {
	const most = 10_000 // rows a statement: they are decisions of persons
	for part := range slices.Chunk(w.moved, most) {
		gone, err := ledger.External("moved_rows", part)
		if err != nil {
			return err
		}
		if err := w.exec(clickhouse.Context(ctx, clickhouse.WithExternalTable(gone)), "take rows out of their units",
			"INSERT INTO "+
				w.table("failures")+" "+ledger.Feed("failures", "("+ledger.ExternalRows("moved_rows")+")")); err != nil {
			return err
		}
	}
	return nil
}

// rebuilds are those that price closed epochs: those in the log, and this one.
func (s *computation) rebuilds() []post.RebuildEvent {
	all := slices.Clone(s.known.Rebuilds)
	if s.rebuild.ClosedPeriods {
		all = append(all, s.itself())
	}
	return all
}

// itself is the event of this rebuild, were it to price closed epochs.
func (s *computation) itself() post.RebuildEvent {
	return post.RebuildEvent{Mark: s.mark, Event: domain.Event{Source: ownSource, ID: s.rebuild.ID,
		Type: domain.TypeBooksRebuilt, Time: s.mark.Time,
		Data: &domain.BooksRebuilt{RebuildID: s.rebuild.ID, ClosedPeriods: true}}}
}

// unitWorker settles units for a shadow.
type unitWorker struct {
	*computation
	settler post.Settler
	whatIf  post.Settler // settles as if the rebuild priced closed epochs
	batch   ledger.Batch
	seen    map[string]bool // orders and cases that were settled
	own     ledger.Units    // for which the rebuild itself posts something
	moved   []*ledger.Row   // that take rows out of the units that they were kept under
}

// settleFound settles the units of rows that the rules or the rates can change, part by part.
func (w *unitWorker) settleFound(ctx context.Context) error {
	of := "refused = '' AND NOT (" + ledger.PostsAlone + " AND NOT settled) AND (order_id != '' OR error_id != '')"
	if !w.rebuild.Whole {
		of += fmt.Sprintf(" AND (rules != %d OR %s)", domain.PostingRules(), w.rateable())
	}
	var n uint64
	if err := w.db.QueryRow(ctx, "SELECT uniq(order_id, error_id) FROM ledger WHERE "+of).Scan(&n); err != nil {
		return fmt.Errorf("count the units of a rebuild: %w", err)
	}
	parts := n/50_000 + 1
	for part := uint64(0); part < parts && n > 0; part++ {
		var orders, cases []string
		if err := w.db.QueryRow(ctx,
			fmt.Sprintf(`SELECT arraySort(groupUniqArrayIf(order_id, order_id != '')),
    arraySort(groupUniqArrayIf(error_id, order_id = '')) FROM ledger
WHERE %s AND cityHash64(if(order_id != '', order_id, error_id)) %% %d =
    %d`, of, parts, part)).Scan(&orders, &cases); err != nil {
			return fmt.Errorf("find the units of a rebuild: %w", err)
		}
		if err := w.settle(ctx, orders, cases); err != nil {
			return err
		}
	}
	return w.settleSpends(ctx)
}

// settleSpends settles again what was spent on quality, where other rules posted it: it asks for no rates.
func (w *unitWorker) settleSpends(ctx context.Context) error {
	of := "refused = '' AND " + ledger.AboutSpend
	if !w.rebuild.Whole {
		of += fmt.Sprintf(" AND rules != %d", domain.PostingRules())
	}
	var ids []string
	if err := w.db.QueryRow(ctx,
		"SELECT arraySort(groupUniqArray("+ledger.SpendID+")) FROM ledger WHERE "+of).Scan(&ids); err != nil {
		return fmt.Errorf("find what was spent on quality: %w", err)
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := ledger.ReadSpends(ctx, w.db, ids, w.known.Decisions)
	if err != nil {
		return err
	}
	return w.settleRows(ctx, rows)
}

func (w *unitWorker) settle(ctx context.Context, orders, cases []string) error {
	fresh := func(names []string, kind string) []string {
		return slices.DeleteFunc(names, func(name string) bool { return w.seen[kind+name] })
	}
	for len(orders)+len(cases) > 0 {
		o, c := orders[:min(settledUnits, len(orders))], cases[:min(settledUnits, len(cases))]
		orders, cases = orders[len(o):], cases[len(c):]
		rows, err := ledger.ReadUnits(ctx, w.db, fresh(slices.Clone(o), "o"), fresh(slices.Clone(c), "c"), w.known.Decisions)
		if err != nil {
			return err
		}
		if err := w.settleRows(ctx, rows); err != nil {
			return err
		}
	}
	return nil
}

func (w *unitWorker) settleRows(ctx context.Context, rows []ledger.Stored) error {
	// recorded later: not the rebuild's
	rows = slices.DeleteFunc(rows, func(r ledger.Stored) bool { return w.mark.Precedes(r.Position) })
	for _, unit := range post.Components(rows, w.known.Decisions) {
		if err := w.unit(ctx, unit); err != nil {
			return err
		}
	}
	return nil
}

// unit settles one unit.
func (w *unitWorker) unit(ctx context.Context, rows []*ledger.Stored) error {
	was := make(map[*ledger.Row]ledger.Row, len(rows))
	for _, r := range rows {
		if w.seen["o"+r.Event.OrderID] && r.Event.OrderID != "" || w.seen["c"+r.Event.ErrorID] && r.Event.OrderID == "" {
			return nil
		}
		was[&r.Row] = r.Row
	}
	for _, r := range rows {
		if r.Event.OrderID != "" {
			w.seen["o"+r.Event.OrderID] = true
		}
		if r.Event.ErrorID != "" {
			w.seen["c"+r.Event.ErrorID] = true
		}
	}
	w.done.Add(uint64(len(rows)))
	w.leaveClosed(rows)
	changed, refused, not := w.settler.Settle(w.terms, rows)
	for _, n := range not {
		w.refuses(n)
	}
	for _, r := range refused {
		w.refuses(&post.NotPostedError{Source: r.Event.Source, ID: r.Event.ID, Err: domain.ErrAmountOutOfRange})
	}
	for _, r := range changed {
		before := was[r]
		if before.Event == nil {
			before = ledger.Row{Event: r.Event, Posting: r.Posting} // what the rebuild posts itself
		}
		if err := r.Check(); err != nil {
			return err
		}
		w.sums.move(&before, r)
		w.unpriced += unpricedBy(&before, r)
		w.events++
		if gone, is := before.MovedTo(r, ledger.ByRebuild); is {
			w.moved = append(w.moved, gone)
		}
		if r.Event.Source == ownSource {
			w.own.Add(r.Event) // its place in the log isn't known before it is swapped in
			continue
		}
		r.Revise(ledger.ByRebuild)
		w.batch.Append(r)
	}
	if w.batch.Rows() >= shadowRows {
		if err := w.batch.Insert(ctx); err != nil {
			return err
		}
		w.batch.Reset()
	}
	return nil
}

// leaveClosed notes the rows of closed epochs that stay as they are, where a rebuild that prices closed epochs would
// post something for their unit.
func (w *unitWorker) leaveClosed(rows []*ledger.Stored) {
	if w.rebuild.ClosedPeriods {
		return // the difference is the rebuild's own entry
	}
	now := w.terms.Periods.Epoch(domain.Position{Stream: domain.Books, Offset: w.mark.Offset, Time: w.mark.Time})
	var closed []*ledger.Stored
	copies := make([]*ledger.Stored, len(rows))
	for i, r := range rows {
		copied := *r
		copies[i] = &copied
		if r.PostsAlone() && !r.Settled {
			continue // postAll sees to it, and would name it a second time
		}
		if w.terms.Periods.Epoch(r.Position) < now && (r.Rated || r.Rules != domain.PostingRules()) {
			closed = append(closed, r)
		}
	}
	if len(closed) == 0 {
		return
	}
	w.whatIf.Rebuilds = append(slices.Clone(w.known.Rebuilds), w.itself())
	changed, _, _ := w.whatIf.Settle(w.terms, copies)
	if !slices.ContainsFunc(changed, func(r *ledger.Row) bool { return r.Event.Source == ownSource }) {
		return
	}
	for _, r := range closed {
		w.leave(r.Posting, r.Event)
	}
}
