package reference

import (
	"math/big"
	"slices"
	"strings"
)

// The steps of section 1: "perfect (order.placed, order.charged), change (order.changed, order.cancelled and money
// going back for them), fix (all else)".
const (
	perfect = "perfect"
	change  = "change"
	fix     = "fix"
)

const (
	cash    = "CASH"    // money moved
	accrued = "ACCRUED" // booked, not yet moved
	imputed = "IMPUTED" // already in the wages and fleet of the general ledger
)

// place is what an amount of a position is of.
type place struct{ account, element, caseID, currency, step, store, order string }

// position is "an amount per account, element, basis, case, currency, step and store", of each order by itself.
type position map[place]*big.Rat

// half is one account of a posting: debit above, credit below zero. Amounts are whole to 4 decimals.
type half struct {
	account, element string
	amount           *big.Rat
}

// put adds a posting. Its halves sum to zero.
func (p position) put(at place, halves ...half) {
	sum := zero()
	for _, h := range halves {
		p.add(at, h)
		sum = plus(sum, h.amount)
	}
	if sum.Sign() != 0 {
		panic("a posting that does not balance: " + sum.String())
	}
}

// add adds one half of a posting.
func (p position) add(at place, h half) {
	at.account, at.element = h.account, h.element
	if p[at] == nil {
		p[at] = zero()
	}
	p[at] = plus(p[at], h.amount)
}

// less gives what p has above what q has, as lines in a fixed order.
func (p position) less(q position) []Line {
	all := make(map[place]bool)
	for at := range p {
		all[at] = true
	}
	for at := range q {
		all[at] = true
	}
	var lines []Line
	for at := range all {
		a, b := p[at], q[at]
		if a == nil {
			a = zero()
		}
		if b == nil {
			b = zero()
		}
		if d := minus(a, b); d.Sign() != 0 {
			lines = append(lines, Line{at.account, at.element, basisOf(at.account), at.caseID, at.currency, at.step, at.store,
				at.order, d})
		}
	}
	slices.SortFunc(lines, func(a, b Line) int { return strings.Compare(a.sortKey(), b.sortKey()) })
	return lines
}

func (l Line) sortKey() string {
	return strings.Join([]string{l.Account, l.Element, l.Case, l.Currency, l.Step, l.Store, l.Order}, "\x00")
}

// basisOf: "1010, 13xx disputes, 2200, 2310–2330, 4000–4110, 5050, 5070, 5090, 5120, 5400, 5420 CASH; 5220, 5300
// and what absorbs them IMPUTED; all else ACCRUED."
func basisOf(account string) string {
	switch account {
	case "1010", "1310", "2200", "2310", "2320", "2330", "4000", "4100", "4110", "5050", "5070", "5090", "5120", "5400",
		"5420":
		return cash
	case "5220", "5300", "6900", "6910":
		return imputed
	}
	return accrued
}

func isProfitAndLoss(account string) bool {
	return strings.HasPrefix(account, "4") || strings.HasPrefix(account, "5")
}
