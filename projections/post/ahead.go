package post

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// Settling a unit by reading it, writing it and reading it again costs ten times what the events alone do. Most of
// what goes wrong with an order is told in few events, close to each other. So the units of a batch are settled ahead
// of its insert, with what is known of them: the batch's own events, those of orders that were settled lately
// (recent.go), and, of an order that the batch doesn't place, what the ledger holds. An order that nobody has placed
// lately isn't asked for where others like it weren't there either: what goes wrong with an order may come before its
// order.placed, which is in another topic. Each row is written once, with its entry.
//
// After the insert one question tells whether the ledger holds exactly the rows that a unit was settled with, at
// their versions. Where it doesn't (another projector wrote, a copy was there before, something was remembered that
// is no more, the ledger knew an order that it wasn't asked for), the unit is settled as settle.go has it. So the
// promise is the same: whoever writes looks afterwards, and of two who write at once at least one sees what both
// have written. What was remembered is judged by versions alone, which are places in the log.
//
// What is rare is settled that way from the start: voids, decisions, identities told twice, cases without an order.

// ahead is what of a batch is settled before it is inserted.
type ahead struct {
	held   []ledger.Stored // rows of the batch that are not among those to insert yet
	alone  []aloneOf       // what the batch says of orders that posts alone
	rows   []ledger.Stored // of the units, those that are settled otherwise too
	units  [][]*ledger.Stored
	placed map[string]bool // orders of the units, of which the order.placed is there
	// What leakage_daily has of orders that were settled lately, where that is known.
	leakage map[string]*orderLeakage
	guessed map[string]bool // orders that the ledger is expected to know nothing of, and wasn't asked about
	extra   int             // rows to insert that are no records of the batch: what settling changed of others
}

// aloneRows are copies of the rows that post alone of the orders that are settled.
type aloneRows struct {
	batch, landed []ledger.Stored // of this batch, and of those before, which the ledger has
	// Orders that were placed lately: the ledger has them, or the next batch brings them.
	lately map[string]bool
}

// aloneOf is a message of the batch whose event posts alone, and its order, by hash.
type aloneOf struct {
	order   uint64
	message int
}

func (a *ahead) clear() {
	clear(a.held)
	clear(a.rows)
	clear(a.units)
	*a = ahead{held: a.held[:0], alone: a.alone[:0], rows: a.rows[:0], units: a.units[:0]}
}

// settledAhead reports whether a row is one that waits for its unit to be settled, before it is inserted.
func settledAhead(r *ledger.Row) bool {
	e := r.Event
	return e.OrderID != "" && r.Position.Stream != domain.Books && e.Type != domain.TypeEventVoided && !domain.Alone(e)
}

// hold keeps a copy of a row.
func (a *ahead) hold(r *ledger.Row) { a.held = append(a.held, ownCopy(r)) }

// ownCopy is a row as the ledger would give it back, which is not there yet.
func ownCopy(r *ledger.Row) ledger.Stored {
	s := ledger.Stored{Row: *r, New: true}
	e := *r.Event
	if d, is := e.Data.(*domain.OrderPlaced); is && s.Customer == "" {
		s.Customer = d.CustomerID
	}
	e.Data, s.Event = nil, &e
	ownTexts(&e.Source, &e.ID, &e.OrderID, &e.StoreID, &e.ErrorID, &e.Currency, &s.Token, &s.Customer)
	s.Data, s.Extensions = slices.Clone(r.Data), slices.Clone(r.Extensions)
	s.KeepLines()
	for i := range s.Unpriced {
		s.Unpriced[i] = strings.Clone(s.Unpriced[i])
	}
	for i := range s.Lines {
		l := &s.Lines[i]
		l.Case, l.Currency, l.Store, l.Order = e.ErrorID, e.Currency, e.StoreID, ""
	}
	return s
}

// ownTexts copies texts: all of them at once, for there are many such rows.
func ownTexts(texts ...*string) {
	n := 0
	for _, t := range texts {
		n += len(*t)
	}
	var b strings.Builder
	b.Grow(n)
	for _, t := range texts {
		b.WriteString(*t)
	}
	all := b.String()
	for _, t := range texts {
		*t, all = all[:len(*t)], all[len(*t):]
	}
}

// settleAhead settles the units of the rows that were held, and adds their rows to those to insert.
func (p *Projector) settleAhead(ctx context.Context, b *batch) error {
	a := &b.ahead
	erased := p.terms.erasures()
	if p.recent.empty(len(erased)) && len(a.held) == 0 {
		return nil
	}
	orders := map[uint64]string{}
	for i := range a.held {
		if order := a.held[i].Event.OrderID; !b.units.Orders[order] {
			orders[p.placed.hash(order)] = order
		}
	}
	alone, err := p.aloneOfUnits(b, orders)
	if err != nil {
		return err
	}
	err = p.retry(ctx, "read the units of new events", p.place(b.messages), func(ctx context.Context) error {
		return p.gatherAhead(ctx, b, orders, &alone)
	})
	if err != nil && !ledger.RefusesContent(err) && !ledger.TooMuch(err) {
		return err
	}
	p.settleGathered(b)
	for _, unit := range a.units {
		for _, r := range unit {
			a.placed[r.Event.OrderID] = a.placed[r.Event.OrderID] || r.Event.Type == domain.TypeOrderPlaced
		}
	}
	for i := range a.rows {
		r := &a.rows[i]
		if !r.New && !r.Unfed {
			continue // the ledger has it as it is
		}
		erased.apply(&r.Row, r.Position)
		if err := r.Check(); err != nil {
			return err
		}
		if r.Unfed {
			a.extra++
		}
		b.rows.Append(&r.Row)
	}
	return nil
}

// aloneOfUnits are copies of the rows of the orders that post alone: of the batch's rows, and of those that were landed
// lately with terms that haven't changed since. Before, it adds to orders those that were settled lately and of which
// the batch has such a row. (What came to the books stream since the batch was posted is looked for after the insert,
// see overtaken.go.)
func (p *Projector) aloneOfUnits(b *batch, orders map[uint64]string) (rows aloneRows, err error) {
	for _, of := range b.ahead.alone {
		if _, is := orders[of.order]; is {
			continue
		}
		if order := p.recent.order(of.order); order != "" && !b.units.Orders[order] {
			orders[of.order] = order
		}
	}
	p.posting.Lock() // of the decoder, and of what was placed
	defer p.posting.Unlock()
	rows.lately = map[string]bool{}
	for hash, order := range orders {
		if p.placed.lately(hash) {
			rows.lately[order] = true
		}
	}
	p.terms.Use(func(terms *domain.Terms) {
		erased := p.terms.erased
		var row ledger.Row
		var poster Poster
		post := func(to *[]ledger.Stored, of uint64, m *message.Message) bool {
			order, is := orders[of]
			if !is {
				return true
			}
			if rejection := p.postOne(m, terms, &row, &poster); rejection != nil {
				err = rejection // it was none before
				return false
			}
			if row.Event.OrderID != order { // of the same hash
				return true
			}
			erased.apply(&row, row.Position)
			s := ownCopy(&row)
			s.New = false // it is in the ledger, or among the rows to insert
			*to = append(*to, s)
			return true
		}
		for _, of := range b.ahead.alone {
			if !post(&rows.batch, of.order, b.messages[of.message]) {
				return
			}
		}
		p.recent.forgetLanded(func(from int64) bool { return terms.ChangedBetween(from, terms.Read) })
		for _, part := range p.recent.landed {
			for _, of := range part.of {
				if orders[of.order] != "" && !p.recent.remembers(of.order) && !post(&rows.landed, of.order, of.message) {
					return
				}
			}
		}
	})
	return rows, err
}

// gatherAhead gathers the rows that the orders are settled with. An order that the batch places has no other ones, as
// far as anybody knows.
func (p *Projector) gatherAhead(ctx context.Context, b *batch, orders map[uint64]string, alone *aloneRows) error {
	a := &b.ahead
	known := map[string]bool{}
	for _, rows := range [][]ledger.Stored{alone.batch, alone.landed} {
		for i := range rows {
			if rows[i].Event.Type == domain.TypeOrderPlaced {
				known[rows[i].Event.OrderID] = true
			}
		}
	}
	a.rows, a.leakage, a.guessed = a.rows[:0], map[string]*orderLeakage{}, map[string]bool{}
	for hash, order := range orders {
		if rows, leakage := p.recent.take(hash, order); rows != nil {
			a.rows = append(a.rows, rows...)
			known[order] = true
			if leakage != nil {
				a.leakage[order] = leakage
			}
		}
	}
	unread := map[string]bool{}
	for _, order := range orders {
		switch {
		case known[order]:
		case !alone.lately[order] && p.recent.expectNothing():
			a.guessed[order] = true
		default:
			unread[order] = true
		}
	}
	read, err := p.readAhead(ctx, b, unread, alone.lately)
	a.rows = append(append(a.rows, read...), alone.batch...)
	for i := range alone.landed {
		if !unread[alone.landed[i].Event.OrderID] { // else they are among those that were read
			a.rows = append(a.rows, alone.landed[i])
		}
	}
	a.rows = append(a.rows, a.held...)
	return err
}

// readAhead reads what the ledger has of orders, and of those that it settles together with them. It notes whether
// those that nobody placed lately are there.
func (p *Projector) readAhead(ctx context.Context, b *batch, orders, lately map[string]bool) ([]ledger.Stored, error) {
	if len(orders) == 0 {
		return nil, nil
	}
	var cases []string
	for i := range b.ahead.held {
		if e := b.ahead.held[i].Event; e.ErrorID != "" && orders[e.OrderID] {
			cases = append(cases, b.ahead.held[i].Cases()...)
		}
	}
	read, err := ledger.ReadUnits(ctx, p.db, slices.Collect(maps.Keys(orders)), cases, p.terms.Decisions())
	if err != nil {
		return read, err
	}
	strangers, there := 0, map[string]bool{}
	for order := range orders {
		if !lately[order] {
			strangers++
		}
	}
	for i := range read {
		if order := read[i].Event.OrderID; orders[order] && !lately[order] {
			there[order] = true
		}
	}
	p.recent.lookedFor(strangers, len(there))
	return read, nil
}

// settleGathered settles the units of the rows. Those that aren't settled ahead are marked, and their rows are as they
// would be without.
func (p *Projector) settleGathered(b *batch) {
	a := &b.ahead
	a.units, a.placed = a.units[:0], map[string]bool{}
	p.terms.settling.Lock() // of the decoders
	defer p.terms.settling.Unlock()
	p.terms.Use(func(terms *domain.Terms) {
		var was []ledger.Row
		for _, unit := range Components(a.rows, p.terms.decisions) {
			was = was[:0]
			for _, r := range unit {
				was = append(was, r.Row)
			}
			if p.regular(b, unit) && p.settleAsNew(terms, unit) {
				a.units = append(a.units, unit)
				continue
			}
			for i, r := range unit {
				r.Row, r.Unfed = was[i], false
				b.units.AddStored(r)
			}
		}
	})
}

// regular reports whether a unit can be settled ahead.
func (p *Projector) regular(b *batch, unit []*ledger.Stored) bool {
	for i, r := range unit {
		id := r.Identity()
		if r.Event.OrderID == "" || r.VoidsType != "" || r.Decides() || r.Refused != "" || b.units.Orders[r.Event.OrderID] ||
			len(p.terms.decisions[id]) > 0 {
			return false
		}
		for _, o := range unit[:i] {
			if o.Identity() == id {
				return false
			}
		}
	}
	return len(unit) <= mostAhead
}

// mostAsked is how many units one question after the insert is about.
const mostAsked = 20_000

// mostAhead is how many events a unit has that is settled ahead.
const mostAhead = 100

// settleAsNew settles a unit, and reports whether all of it could be. A row that is written for the first time stands
// above a copy of itself that somebody wrote without its unit; those of others that change are marked as unfed.
func (p *Projector) settleAsNew(terms *domain.Terms, unit []*ledger.Stored) bool {
	changed, refused, not := p.terms.settler.Settle(terms, unit)
	if len(refused) > 0 || len(not) > 0 {
		return false
	}
	found := 0
	for _, r := range unit {
		if !slices.Contains(changed, &r.Row) {
			continue
		}
		found++
		if r.New {
			r.Revise(ledger.ByFirst)
		} else {
			r.Revise(ledger.ByEvents)
			r.Unfed = true
		}
	}
	return found == len(changed)
}

// confirmAhead asks the ledger whether it holds what the units were settled with, and marks those of which it holds
// something else. The roll-ups of the others are written at once, before other units are settled.
func (p *Projector) confirmAhead(ctx context.Context, b *batch) error {
	a := &b.ahead
	if len(a.units) == 0 {
		return nil
	}
	if _, err := p.noteUnplaced(ctx, a.rows, b.after); err != nil { // before it asks, see placed.go
		return err
	}
	for part := range slices.Chunk(a.units, mostAsked) {
		there, err := p.askAhead(ctx, part)
		if err != nil {
			return err
		}
		var known []*orderLeakage
		for _, unit := range part {
			if there != nil && there.holds(unit) && !markedIn(&b.units, unit) {
				if leakage := p.confirmed(b, unit, there); leakage != nil {
					known = append(known, leakage)
				}
				continue
			}
			for _, r := range unit {
				if a.guessed[r.Event.OrderID] {
					p.recent.lookedFor(0, 1) // it does know it
				}
				b.units.AddStored(r)
			}
		}
		if err := p.insertLeakage(ctx, known); err != nil {
			return err
		}
		if err := p.recountIfMore(ctx, b, known, there); err != nil {
			return err
		}
	}
	a.units = a.units[:0]
	return nil
}

// askAhead asks what is there of units; nil where that is too much to ask at once, for settling can do with less.
func (p *Projector) askAhead(ctx context.Context, units [][]*ledger.Stored) (there *whatIsThere, err error) {
	there = newWhatIsThere()
	// Before it reads, and after the insert, as whoever recounts by a statement does: so it stands above all recounts
	// that began before the insert and don't know the rows. Of several servers one question doesn't tell enough.
	if p.config.CatchUp == nil {
		there.recount, err = ledger.RollUpVersion(ctx, p.db)
	}
	if err == nil {
		err = there.ask(ctx, p.db, units)
	}
	if ledger.TooMuch(err) || ledger.RefusesContent(err) {
		return nil, nil
	}
	return there, err
}

// recountIfMore has the leakage recounted by a statement that was worked out and written, where anybody inserted rows
// since it was asked what is there. They may be of the same orders, and whoever inserted them may have recounted before
// this leakage was there to be found, see rollUpWhere. Where one process writes this is rare.
func (p *Projector) recountIfMore(ctx context.Context, b *batch, written []*orderLeakage, there *whatIsThere) error {
	if len(written) == 0 {
		return nil
	}
	now, err := ledger.RollUpVersion(ctx, p.db)
	if err != nil || now == there.recount {
		return err
	}
	for _, o := range written {
		b.after.units[o.order] = true
	}
	return nil
}

func markedIn(units *ledger.Units, unit []*ledger.Stored) bool {
	return slices.ContainsFunc(unit, func(r *ledger.Stored) bool {
		return units.Orders[r.Event.OrderID] || units.Cases[r.Event.ErrorID]
	})
}

// confirmed works out the roll-ups of a unit, and remembers it where it is one order. Those of others, and what isn't
// certain, are recomputed by a statement: then it returns nil.
func (p *Projector) confirmed(b *batch, unit []*ledger.Stored, there *whatIsThere) *orderLeakage {
	order := unit[0].Event.OrderID
	rows := make([]ledger.Stored, len(unit))
	one := true
	for i, r := range unit {
		one = one && r.Event.OrderID == order
		rows[i] = *r
		rows[i].New, rows[i].Unfed = false, false
	}
	if !one {
		for _, r := range unit {
			b.after.units[r.Unit()] = true
		}
		return nil
	}
	var leakage *orderLeakage
	if was := b.ahead.leakage[order]; there.knownBuckets(order, was) {
		if all, whole := leakageOf(order, rows); whole {
			leakage = all
			leakage.after(was, max(there.recount, there.leakage[order]+1))
		}
	}
	if leakage == nil {
		b.after.units[order] = true
	}
	p.recent.remember(p.placed.hash(order), order, rows, leakage)
	return leakage
}

// settleLater gives up what was settled ahead: its units are settled as all others.
func (b *batch) settleLater() {
	for _, unit := range b.ahead.units {
		for _, r := range unit {
			b.units.AddStored(r)
		}
	}
	b.ahead.units, b.ahead.placed = b.ahead.units[:0], nil
}
