package reference

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"sort"
)

// Figures are what an order, or a case, came to in one currency. All are above zero where the name says so much.
type Figures struct {
	Perfect, Contribution *big.Rat // of the step perfect; with everything that happened
	CustomerChanges       *big.Rat // contribution of the lines of step change without an element
	Gross, Net, Hidden    *big.Rat // leakage of founded cases, and of changes by the business
	ChangedMind           *big.Rat // net of the changed_mind cases
	Unfounded             *big.Rat // net of the rejected cases
}

// Order is what one order promised to bring, and what it brought.
type Order struct {
	OrderID, StoreID, Currency string
	Figures                               // in the order's currency
	Others                     []string   // currencies of other lines, sorted
	In                         []*Figures // what Others say, in their order
	Unpriced                   bool
	Entries                    []Entry // by time
}

// Check is the identity of section 4, in every currency: "contribution = perfect + customer_changes − changed_mind
// − unfounded − net leakage, tested on every order".
func (o *Order) Check() error {
	for i, f := range append([]*Figures{&o.Figures}, o.In...) {
		explained := minus(plus(f.Perfect, f.CustomerChanges), f.ChangedMind, f.Unfounded, f.Net)
		if f.Contribution.Cmp(explained) != 0 {
			return fmt.Errorf("order %s, currency %d: contribution %s, but its parts come to %s",
				o.OrderID, i, money(f.Contribution), money(explained))
		}
	}
	return nil
}

// OrderIDs are the orders that the books know of, sorted.
func (b *Books) OrderIDs() []string { return b.distinct(func(e *Entry) string { return e.OrderID }) }

// CaseIDs are the cases that the books know of, sorted.
func (b *Books) CaseIDs() []string { return b.distinct(func(e *Entry) string { return e.ErrorID }) }

func (b *Books) distinct(id func(*Entry) string) []string {
	seen := make(map[string]bool)
	for i := range b.Entries {
		if s := id(&b.Entries[i]); s != "" {
			seen[s] = true
		}
	}
	return slices.Sorted(mapKeys(seen))
}

// aboutOf is the order that an entry without lines is about.
func (b *Books) aboutOf(e *Entry) string {
	homes := b.units[e.unit].homes
	return cmp.Or(e.OrderID, homes[e.ErrorID], homes[""])
}

// caseOf is what is known of the case that a line is of; nil where it is of none.
func (b *Books) caseOf(l Line) *facts { return b.cases[caseKey{l.Order, l.Case}] }

// Order reads one order; nil where the books know nothing of it.
func (b *Books) Order(orderID string) *Order {
	return b.read(orderID, func(e *Entry, l Line) bool {
		return l.Order == orderID || l.Account == "" && b.aboutOf(e) == orderID
	})
}

// Case reads one case in the same form; its OrderID is that of its earliest event, and nothing is promised by a case
// alone.
func (b *Books) Case(errorID string) *Order {
	o := b.read("", func(e *Entry, l Line) bool {
		return l.Case == errorID || l.Account == "" && e.ErrorID == errorID
	})
	if o != nil {
		o.OrderID = o.Entries[0].OrderID
	}
	return o
}

// read takes the lines that in says. An event without lines is asked with an empty line.
func (b *Books) read(orderID string, in func(*Entry, Line) bool) *Order {
	o := &Order{OrderID: orderID}
	for _, e := range b.Entries {
		lines := slices.DeleteFunc(slices.Clone(e.Lines), func(l Line) bool { return !in(&e, l) })
		if len(lines) > 0 || in(&e, Line{}) {
			e.Lines = lines
			o.Entries = append(o.Entries, e)
		}
	}
	if len(o.Entries) == 0 {
		return nil
	}
	sort.SliceStable(o.Entries, func(i, j int) bool {
		x, y := &o.Entries[i], &o.Entries[j]
		if !x.OccurredAt.Equal(y.OccurredAt) {
			return x.OccurredAt.Before(y.OccurredAt)
		}
		return x.less(y.Identity)
	})
	currencies := map[string]bool{}
	for i := range o.Entries {
		e := &o.Entries[i]
		if orderID == "" || b.aboutOf(e) == orderID { // of others there are only lines
			o.StoreID, o.Currency = cmp.Or(o.StoreID, e.StoreID), cmp.Or(o.Currency, e.Currency)
			o.Unpriced = o.Unpriced || len(e.Unpriced) > 0
		}
		for _, l := range e.Lines {
			currencies[l.Currency] = true
		}
	}
	if s := b.orders[orderID]; s != nil && len(s.placed) > 0 {
		o.StoreID, o.Currency = s.placed[0].store(), s.currency
	}
	delete(currencies, o.Currency)
	o.Others = slices.Sorted(mapKeys(currencies))
	o.Figures = *b.figures(o.Entries, o.Currency)
	for _, c := range o.Others {
		o.In = append(o.In, b.figures(o.Entries, c))
	}
	return o
}

// apart is where the leakage of a case is shown if not in gross and net: changedMind, unfounded or "".
func (b *Books) apart(l Line) string {
	switch c := b.caseOf(l); {
	case c == nil || c.founded:
		return ""
	case c.kind == changedMind:
		return changedMind
	}
	return unfounded
}

const unfounded = "unfounded"

func (b *Books) figures(entries []Entry, currency string) *Figures {
	f := &Figures{Perfect: zero(), Contribution: zero(), CustomerChanges: zero(), Gross: zero(), Net: zero(),
		Hidden:      zero(),
		ChangedMind: zero(), Unfounded: zero()}
	leak := newSums()
	for i := range entries {
		for _, l := range entries[i].Lines {
			if !isProfitAndLoss(l.Account) || l.Currency != currency {
				continue
			}
			f.Contribution = minus(f.Contribution, l.Amount)
			switch apart := b.apart(l); {
			case l.Step == perfect:
				f.Perfect = minus(f.Perfect, l.Amount)
			case l.Element == "" && l.Step == change:
				f.CustomerChanges = minus(f.CustomerChanges, l.Amount)
			case l.Element == "":
				// Nothing else is left in the contract; were there a line, Check would say so.
			case apart == changedMind:
				f.ChangedMind = plus(f.ChangedMind, l.Amount)
			case apart == unfounded:
				f.Unfounded = plus(f.Unfounded, l.Amount)
			default:
				leak.add("", l, false)
			}
		}
	}
	f.Gross, f.Net, f.Hidden = &leak.gross, &leak.net, &leak.hidden
	return f
}
