package post

import (
	"slices"
	"strings"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// homes say of which unit the rows are that are settled together, where their own order doesn't.
type homes struct {
	units []string // that events say themselves, but for decisions
	first string   // of them
}

func (s *Settler) homes() homes {
	var h homes
	for _, r := range s.of {
		if unit := r.Event.Subject(); unit != "" && !r.Decides() {
			h.units = append(h.units, unit)
		}
	}
	if len(h.units) > 0 {
		h.first = slices.Min(h.units)
	}
	return h
}

// unit is the unit that a row is of, where its event doesn't name that: what was decided, and what is said of a case
// without the order that the case is of. So all rows of a case are of one unit. home is the order that settling found
// for it; where no event names an order, cases that are one share the unit of the first.
func (h *homes) unit(r *ledger.Stored, home string) string {
	switch {
	case home != "":
	case r.Decides() && slices.Contains(h.units, r.Event.Subject()):
		return ""
	case !r.Decides() && (r.Event.OrderID != "" || r.Event.ErrorID == ""):
		return ""
	default:
		home = h.first
	}
	if home == r.Event.Subject() {
		return ""
	}
	return strings.Clone(home)
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
