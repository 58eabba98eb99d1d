package rebuild

import (
	"math/big"
	"strings"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// balances are by how much accounts move, by posting period, store and currency. They are summed while the rows pass by
// anyway: asking for them afterwards would read all that changed once more, and what it was before.
type balances map[balanceKey]map[domain.Account]*balance

type balanceKey struct {
	period          domain.Period
	store, currency string
}

// balance is a sum of amounts. What doesn't fit into an Amount any more is carried over.
type balance struct {
	low  domain.Amount
	high *big.Int
}

// move takes away what a row was and adds what it is.
func (b balances) move(was, is *ledger.Row) {
	b.add(was, -1)
	b.add(is, 1)
}

func (b balances) add(r *ledger.Row, sign domain.Amount) {
	var of map[domain.Account]*balance
	var last balanceKey
	for i := range r.Lines {
		l := &r.Lines[i]
		k := balanceKey{r.Posting, l.Store, l.Currency}
		if l.Currency == "" { // the line says nothing of its own, see ledger.Row.CompleteLines
			k.store, k.currency = r.Event.StoreID, r.Event.Currency
		}
		if of == nil || k != last {
			of, last = b.of(k), k
		}
		is := of[l.Account]
		if is == nil {
			is = &balance{}
			of[l.Account] = is
		}
		is.add(sign * l.Amount)
	}
}

func (b balances) of(k balanceKey) map[domain.Account]*balance {
	of := b[k]
	if of == nil {
		k.store, k.currency = strings.Clone(k.store), strings.Clone(k.currency) // the row's are gone with it
		of = map[domain.Account]*balance{}
		b[k] = of
	}
	return of
}

func (b balances) addAll(more balances) {
	for k, accounts := range more {
		of := b.of(k)
		for account, sum := range accounts {
			if of[account] == nil {
				of[account] = &balance{}
			}
			of[account].carry()
			sum.carry()
			of[account].high.Add(of[account].high, sum.high)
		}
	}
}

func (b *balance) add(a domain.Amount) {
	sum := b.low + a
	if (sum > b.low) != (a > 0) && a != 0 { // beyond an Amount
		b.carry()
		sum = a
	}
	b.low = sum
}

// carry moves all of it to where there is no bound.
func (b *balance) carry() {
	if b.high == nil {
		b.high = new(big.Int)
	}
	b.high.Add(b.high, big.NewInt(int64(b.low)))
	b.low = 0
}

// units are the sum in ten-thousandths.
func (b *balance) units() *big.Int {
	b.carry()
	return b.high
}
