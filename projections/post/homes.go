package post

import (
	"cmp"
	"slices"
	"strings"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// homes say of which unit the rows are that are settled together, where their own order doesn't.
type homes struct {
	units  []string          // that events say themselves, but for decisions
	orders map[string]string // of cases, by error_id
	first  string            // of the units: an order, where there is one
	only   bool              // there is no other order
	all    *Settler          // of whose events they are read
}

// homes reads from the events which orders the cases are of.
func (s *Settler) homes() homes {
	h := homes{orders: map[string]string{}, all: s}
	orders := map[string]bool{}
	for _, r := range s.of {
		if r.Decides() || r.Event.Subject() == "" {
			continue
		}
		h.units = append(h.units, r.Event.Subject())
		order := r.Event.OrderID
		if order == "" {
			continue
		}
		orders[order] = true
		for _, c := range r.Cases() {
			if was, known := h.orders[c]; !known || order < was {
				h.orders[c] = order
			}
		}
	}
	h.only = len(orders) == 1
	for unit := range orders {
		if h.first == "" || unit < h.first {
			h.first = unit
		}
	}
	if h.first == "" && len(h.units) > 0 {
		h.first = slices.Min(h.units)
	}
	return h
}

// unit is the unit that a row is of, where its event doesn't name that: what was decided, and what is said of a case
// without the order that the case is of. So all rows of a case are of one unit.
func (h *homes) unit(r *ledger.Stored) string {
	home := ""
	switch {
	case r.Decides():
		if slices.Contains(h.units, r.Event.Subject()) {
			return ""
		}
		home = h.decision(r.Identity())
	case r.Event.OrderID != "" || r.Event.ErrorID == "":
		return ""
	case h.only || len(h.orders) == 0:
		home = h.first
	default:
		home = h.orders[r.Event.ErrorID]
	}
	if home == r.Event.Subject() {
		return ""
	}
	return strings.Clone(home)
}

// decision is the unit of the event that a decision is about, and a void of a decision. A case under two orders is
// settled with both: what a decision on an event of one changes is not the other's.
func (h *homes) decision(of domain.Identity) string {
	for range h.all.of { // a void may name a void, and they may go round
		i := slices.IndexFunc(h.all.of, func(r *ledger.Stored) bool { return r.Identity() == of })
		if i < 0 {
			return h.first
		}
		switch data := h.all.events[i].Event.Data.(type) {
		case *domain.FactDecided:
			of = domain.Identity{Source: data.Source, ID: data.ID}
			continue
		case *domain.EventVoided:
			if h.all.of[i].Decides() {
				of = domain.Identity{Source: data.Source, ID: data.ID}
				continue
			}
		}
		e := h.all.of[i].Event
		return cmp.Or(e.OrderID, h.orders[e.ErrorID], h.first)
	}
	return h.first
}

// sold is which store placed an order, from which epoch on that was known, and in which it was taken back.
type sold struct {
	order, store string
	from, until  int
}

// never is an epoch that doesn't come.
const never = 1 << 30

// sellers are who sold the orders, first in the sequence.
func (s *Settler) sellers(terms *domain.Terms, settlement *domain.Settlement) (all []sold) {
	for _, i := range settlement.Sequence {
		e, st := s.events[i].Event, settlement.Events[i].Standing
		if e.Type != domain.TypeOrderPlaced || st != domain.Counts && st != domain.Voided {
			continue
		}
		one := sold{e.OrderID, e.StoreID, terms.Periods.Epoch(s.events[i].At), never}
		if st == domain.Voided {
			one.until = s.takenBack(terms, settlement, e)
		}
		if one.from < one.until {
			all = append(all, one)
		}
	}
	return all
}

// takenBack is the epoch of the first void of an event that counts.
func (s *Settler) takenBack(terms *domain.Terms, settlement *domain.Settlement, e *domain.Event) int {
	epoch := never
	for i := range s.events {
		void, is := s.events[i].Event.Data.(*domain.EventVoided)
		if is && settlement.Events[i].Standing == domain.Counts && void.Source == e.Source && void.ID == e.ID {
			epoch = min(epoch, terms.Periods.Epoch(s.events[i].At))
		}
	}
	return epoch
}

// seller is who sold what the row is about. What a close saw doesn't change with what comes later.
func seller(all []sold, r *ledger.Stored) string {
	for _, s := range all {
		if s.order == r.Unit() && s.from <= r.Epoch && r.Epoch < s.until {
			return strings.Clone(s.store)
		}
	}
	return ""
}

// placedLate reports whether a row is of an order.placed which came after a close that saw something else of its order:
// then no other row may know who sold it.
func (s *Settler) placedLate(terms *domain.Terms, r *ledger.Stored) bool {
	return r.Event.Type == domain.TypeOrderPlaced && slices.ContainsFunc(s.of, func(o *ledger.Stored) bool {
		return !o.PostsAlone() && o.Unit() == r.Unit() && terms.Periods.Epoch(o.Position) < r.Epoch
	})
}
