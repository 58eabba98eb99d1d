package domain

import (
	"cmp"
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

// position is what a set of events posts in all: an amount by slot, none of them zero in the end.
type position map[slot]Amount

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
func (v *view) post(to on, a Account, element Element, amount Amount) {
	if amount == 0 {
		return
	}
	s := slot{a, element, to.step, to.incident, to.currency, to.store, to.order}
	sum := v.position[s] + amount
	if sum > MaxAmount || sum < -MaxAmount {
		v.fail(ErrAmountOutOfRange)
		return
	}
	v.position[s] = sum
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
func (u *unit) lines(after, before position, own name) []Line {
	var to []Line
	for s, amount := range after {
		if d := amount - before[s]; d != 0 {
			to = append(to, u.line(s, d, own))
		}
	}
	for s, amount := range before {
		if _, is := after[s]; !is && amount != 0 {
			to = append(to, u.line(s, -amount, own))
		}
	}
	slices.SortFunc(to, compareLines)
	return to
}

func (u *unit) line(s slot, amount Amount, own name) Line {
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
