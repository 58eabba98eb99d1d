package post

import (
	"context"
	"maps"
	"slices"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// An event is posted with the other events of its unit, an order with its cases. What has landed marks its unit: the
// unit's rows are read, domain.Terms.Settle makes their entries, rows that come out otherwise are written again, and
// the roll-ups of the unit are recomputed. Only events that post alone (ledger.Row.PostsAlone) have their entry before
// they land, and need nothing read back as long as nothing else is said of their order.
//
// Others may write the same rows meanwhile, and of two who don't know of each other the later insert stays. So the
// rows are read again after they were written, until there is nothing to change: whoever writes last has seen what all
// have written, and a settlement is a function of the events alone, so that all write the same.

// mostUnits is how many units are settled in one go.
const mostUnits = 2000

// mostRounds bounds how often rows are read again after they were written. More than two are rare; two processes of
// different versions may not agree at all, and neither may wait for the other.
const mostRounds = 10

// settleUnits settles units, and says in after whose roll-ups are to be recomputed: those of all that was read, for
// whoever wrote it may have ended before the roll-ups knew.
func (p *Projector) settleUnits(ctx context.Context, units *ledger.Units, after *followUp) (written int,
	err error) {
	return p.settleHeld(ctx, units, map[domain.Identity]bool{}, after)
}

// settleHeld is settleUnits, where the tables that are fed from the ledger hold other copies of some events. It adds
// what it writes itself: an earlier copy may come meanwhile.
func (p *Projector) settleHeld(ctx context.Context, units *ledger.Units, held map[domain.Identity]bool,
	after *followUp) (written int, err error) {
	orders, cases := slices.Sorted(maps.Keys(units.Orders)), slices.Sorted(maps.Keys(units.Cases))
	if spends := slices.Sorted(maps.Keys(units.Spends)); len(spends) > 0 {
		if written, err = p.settleRead(ctx, held, after, func() ([]ledger.Stored, error) {
			return ledger.ReadSpends(ctx, p.db, spends, p.terms.Decisions())
		}); err != nil {
			return written, err
		}
	}
	names := make([]string, 0, len(orders)+len(cases))
	for _, o := range orders {
		names = append(names, "o"+o)
	}
	for _, c := range cases {
		names = append(names, "c"+c)
	}
	for part := range slices.Chunk(names, mostUnits) {
		if err := p.inHalves(ctx, "settle", part, func(ctx context.Context, part []string) error {
			n, err := p.settleNamed(ctx, part, held, after)
			written += n
			return err
		}); err != nil {
			return written, err
		}
	}
	return written, nil
}

// settleNamed settles orders, named o…, and cases, named c….
func (p *Projector) settleNamed(ctx context.Context, names []string, held map[domain.Identity]bool,
	after *followUp) (written int, err error) {
	var orders, cases []string
	for _, name := range names {
		if name[0] == 'o' {
			orders = append(orders, name[1:])
		} else {
			cases = append(cases, name[1:])
		}
	}
	return p.settleRead(ctx, held, after, func() ([]ledger.Stored, error) {
		return ledger.ReadUnits(ctx, p.db, orders, cases, p.terms.Decisions())
	})
}

// settleRead settles what read reads, until there is nothing to change.
func (p *Projector) settleRead(ctx context.Context, held map[domain.Identity]bool, after *followUp,
	read func() ([]ledger.Stored, error)) (written int, err error) {
	for range mostRounds {
		rows, err := read()
		if err == nil {
			// Who wrote them may know more of the books stream than this process does.
			err = p.terms.CatchUp(ctx)
		}
		if err != nil {
			return written, err
		}
		for i := range rows {
			if unit := rows[i].Unit(); unit != "" {
				after.units[unit] = true
			}
			rows[i].Unfed = held[rows[i].Identity()] && !rows[i].Settled && rows[i].Refused == ""
		}
		opened, err := p.noteUnplaced(ctx, rows, after)
		if err != nil {
			return written, err
		}
		s := p.settleRows(rows)
		for _, refused := range s.refused {
			if err := p.keepRefused(ctx, []ledger.Stored{refused.was}, refused.reason); err != nil {
				return written, err
			}
		}
		if err := p.rewrite(ctx, s.changed); err != nil {
			return written, err
		}
		written += len(s.changed)
		for _, r := range s.changed {
			held[r.Identity()] = true // an earlier copy of it may have come meanwhile
		}
		if len(s.changed) == 0 && !opened {
			return written, nil
		}
	}
	return written, nil
}

// settlements are what there is to write for some units.
type settlements struct {
	changed []*ledger.Row
	refused []refusal
}

// refusal is a row that leaves the books, as it was.
type refusal struct {
	was    ledger.Stored
	reason string
}

// settleRows settles all units that rows are of. Rows that come out otherwise are changed in place.
func (p *Projector) settleRows(rows []ledger.Stored) settlements {
	var all settlements
	p.terms.settling.Lock() // of the decoders
	defer p.terms.settling.Unlock()
	p.terms.Use(func(terms *domain.Terms) {
		for _, unit := range Components(rows, p.terms.decisions) {
			was := settledWith(unit)
			changed, refused, not := p.terms.settler.Settle(terms, unit)
			for _, n := range not {
				p.config.Logger.Warn("an event stays as it was posted", "error", n)
			}
			for i := range refused {
				all.refused = append(all.refused, refusal{*refused[i], "out_of_range"})
				refused[i].Refuse("out_of_range")
				changed = append(changed, &refused[i].Row)
			}
			for _, r := range changed {
				before := was[r]
				if gone, is := before.MovedTo(r, ledger.ByEvents); is {
					all.changed = append(all.changed, gone)
					r.Revise(ledger.ByRebuild) // above that; and that is above what a rebuild makes meanwhile
				}
				r.Revise(ledger.ByEvents)
			}
			all.changed = append(all.changed, changed...)
		}
	})
	return all
}

// settledWith are copies of the rows that no order of their own names the unit of, as they are before they are
// settled: what persons decided, what is said of a case alone. Their unit may become another one.
func settledWith(unit []*ledger.Stored) map[*ledger.Row]ledger.Row {
	var was map[*ledger.Row]ledger.Row
	for _, r := range unit {
		if !r.Decides() && (r.Event.OrderID != "" || r.Event.ErrorID == "") {
			continue
		}
		if was == nil {
			was = map[*ledger.Row]ledger.Row{}
		}
		was[&r.Row] = r.Row
	}
	return was
}

// Components divides rows into those that are settled together: of one order or case, of orders that name the same
// case, and what was decided on any of them.
func Components(rows []ledger.Stored, decisions ledger.Decisions) [][]*ledger.Stored {
	decides := decisions.Targets()
	about := map[domain.Identity]string{} // how the unit of what was decided on is found

	parent := map[string]string{}
	find := func(name string) string {
		for parent[name] != name {
			if _, known := parent[name]; !known {
				parent[name] = name
				break
			}
			parent[name] = parent[parent[name]]
			name = parent[name]
		}
		return name
	}
	names := func(r *ledger.Stored) []string {
		cases := r.Cases()
		all := make([]string, 0, len(cases)+2)
		if target, is := decides[r.Identity()]; is {
			if name := about[target]; name != "" {
				all = append(all, name)
			}
		}
		if r.Event.OrderID != "" {
			all = append(all, "o"+r.Event.OrderID)
		}
		for _, c := range cases {
			all = append(all, "c"+c)
		}
		return append(all, r.SpentAs()...)
	}
	for i := range rows {
		if all := names(&rows[i]); len(all) > 0 && len(decisions[rows[i].Identity()]) > 0 {
			about[rows[i].Identity()] = all[0]
		}
	}
	of := make([]string, len(rows))
	for i := range rows {
		all := names(&rows[i])
		if len(all) == 0 {
			continue // of no unit
		}
		of[i] = all[0]
		for _, name := range all[1:] {
			if a, b := find(all[0]), find(name); a != b {
				parent[max(a, b)] = min(a, b)
			}
		}
	}
	place := map[string]int{}
	var all [][]*ledger.Stored
	for i := range rows {
		if of[i] == "" {
			continue
		}
		root := find(of[i])
		n, known := place[root]
		if !known {
			n = len(all)
			place[root] = n
			all = append(all, nil)
		}
		all[n] = append(all[n], &rows[i])
	}
	return all
}
