package domain

import (
	"cmp"
	"maps"
	"slices"
)

// name is the number of a text in its unit: order, case, currency, store, article. 0 is the empty text.
type name int32

// slot is what the amounts of a position are told apart by. The basis follows from the account.
type slot struct {
	account  Account
	element  Element
	step     Step
	incident name // the case
	currency name
	store    name
	order    name // 0 where the unit has but one: then it goes without saying
}

// position is what a set of events posts in all: an amount by slot. Most have few slots, and are looked through one by
// one; those of units with many events have an index.
type position struct {
	slots   []slot
	amounts []Amount
	index   map[slot]int32 // where there are more than fewSlots
}

const fewSlots = 24

// find is the place of a slot; none where it isn't there.
func (p *position) find(s *slot) int32 {
	if len(p.slots) > fewSlots {
		if i, is := p.index[*s]; is {
			return i
		}
		return none
	}
	for i := range p.slots {
		if p.slots[i] == *s {
			return int32(i)
		}
	}
	return none
}

// at is the amount of a slot, which it adds where it isn't there.
func (p *position) at(s *slot) *Amount {
	i := p.find(s)
	if i == none {
		i = int32(len(p.slots))
		if i == 0 && p.slots == nil {
			p.slots, p.amounts = make([]slot, 0, fewSlots), make([]Amount, 0, fewSlots)
		}
		p.slots, p.amounts = append(p.slots, *s), append(p.amounts, 0)
		switch n := len(p.slots); {
		case n == fewSlots+1:
			if p.index == nil {
				p.index = make(map[slot]int32, 2*n)
			}
			for k := range p.slots {
				p.index[p.slots[k]] = int32(k)
			}
		case n > fewSlots:
			p.index[*s] = i
		}
	}
	return &p.amounts[i]
}

// amount is the amount of a slot; 0 where it isn't there.
func (p *position) amount(s *slot) Amount {
	if i := p.find(s); i != none {
		return p.amounts[i]
	}
	return 0
}

func (p *position) clear() {
	p.slots, p.amounts = p.slots[:0], p.amounts[:0]
	clear(p.index)
}

// become makes it a copy of another one.
func (p *position) become(o *position) {
	p.slots, p.amounts = slices.Grow(p.slots[:0], cap(o.slots)), slices.Grow(p.amounts[:0], cap(o.slots))
	p.slots, p.amounts = append(p.slots[:0], o.slots...), append(p.amounts[:0], o.amounts...)
	if clear(p.index); len(p.slots) > fewSlots {
		p.index = maps.Clone(o.index)
	}
}

// on says where an amount is posted to, but for its account and element.
type on struct {
	step     Step
	incident name
	currency name
	store    name
	order    name
}

// basisOf is how real an amount on an account is for the general ledger, as the contract's §4 says.
func basisOf(a Account) Basis {
	switch a {
	case Clearing, DisputeReceivable, Tax, GiftCardLiability, TipsPayable, Deposits, Sales, Returns, Allowances,
		PaymentFees, Commissions, OtherOrderCosts, Salvage, DisputeFees, MarketplaceCharge:
		return Cash
	case TruckRoll, RecoveryLabour, AbsorbedLabour, AbsorbedFleet:
		return Imputed
	}
	return Accrued
}

// post adds an amount to the position: debit positive, credit negative.
func (v *view) post(on on, a Account, element Element, amount Amount) {
	if amount == 0 {
		return
	}
	s := slot{a, element, on.step, on.incident, on.currency, on.store, on.order}
	to := v.position.at(&s)
	sum := *to + amount
	if sum > MaxAmount || sum < -MaxAmount {
		v.fail(ErrAmountOutOfRange)
		return
	}
	*to = sum
}

// move posts an amount from one account to another.
func (v *view) move(to on, debit Account, element Element, credit Account, amount Amount) {
	v.post(to, debit, element, amount)
	v.post(to, credit, NoElement, -amount)
}

// fail keeps the first error of a position.
func (v *view) fail(err error) {
	if v.err == nil {
		v.err = err
	}
}

// round is the amount of an exact sum.
func (v *view) round(s *sum) Amount {
	a, err := s.round(1)
	if err != nil {
		v.fail(err)
	}
	return a
}

// money is the amount of a number of an event.
func (v *view) money(d Decimal) Amount {
	var s sum
	s.add(d)
	return v.round(&s)
}

// lines writes the difference between two positions as lines: debits first, each by account. own is the order of the
// event that they are of.
func (u *unit) lines(after, before *position, own name) []Line {
	n := 0
	for i := range after.slots {
		if after.amounts[i] != before.amount(&after.slots[i]) {
			n++
		}
	}
	for i := range before.slots {
		if before.amounts[i] != 0 && after.find(&before.slots[i]) == none {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	to := make([]Line, 0, n)
	for i := range after.slots {
		if d := after.amounts[i] - before.amount(&after.slots[i]); d != 0 {
			to = append(to, u.line(&after.slots[i], d, own))
		}
	}
	for i := range before.slots {
		if before.amounts[i] != 0 && after.find(&before.slots[i]) == none {
			to = append(to, u.line(&before.slots[i], -before.amounts[i], own))
		}
	}
	slices.SortFunc(to, compareLines)
	return to
}

func (u *unit) line(s *slot, amount Amount, own name) Line {
	l := Line{Account: s.account, Element: s.element, Basis: basisOf(s.account), Amount: amount,
		Step: s.step, Case: u.names.text(s.incident), Currency: u.names.text(s.currency), Store: u.names.text(s.store)}
	if s.order != own {
		l.Order = u.names.text(s.order)
	}
	return l
}

// slot is where a line of an event of the order own is posted to.
func (u *unit) slot(l *Line, own name) slot {
	if l.Order != "" {
		own = u.names.number(l.Order)
	}
	return slot{l.Account, l.Element, l.Step, u.names.number(l.Case), u.names.number(l.Currency), u.names.number(l.Store),
		own}
}

func compareLines(a, b Line) int {
	if debit := a.Amount > 0; debit != (b.Amount > 0) {
		if debit {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Element, b.Element), cmp.Compare(a.Step, b.Step),
		cmp.Compare(a.Case, b.Case), cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Store, b.Store),
		cmp.Compare(a.Order, b.Order))
}

// names numbers the texts of a unit in the order in which they come.
type names struct {
	list  []string
	index map[string]name // only of many
}

const fewNames = 16

func (n *names) number(text string) name {
	if text == "" {
		return 0
	}
	if n.index == nil {
		for i, t := range n.list {
			if t == text {
				return name(i)
			}
		}
		if len(n.list) > fewNames {
			n.index = make(map[string]name, 2*len(n.list))
			for i, t := range n.list {
				n.index[t] = name(i)
			}
		}
	} else if i, is := n.index[text]; is {
		return i
	}
	if len(n.list) == 0 {
		n.list = append(n.list, "")
	}
	i := name(len(n.list))
	n.list = append(n.list, text)
	if n.index != nil {
		n.index[text] = i
	}
	return i
}

func (n *names) text(i name) string {
	if i == 0 {
		return ""
	}
	return n.list[i]
}
