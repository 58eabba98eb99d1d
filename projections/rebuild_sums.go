package projections

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/makegood/makegood/domain"
)

// balances are what the accounts hold, by posting period, store and currency. They are summed while the rows pass by anyway:
// asking for them afterwards would read the ledger once more.
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

func (b balances) add(r *Row) {
	if len(r.Lines) == 0 {
		return
	}
	of := b.of(balanceKey{r.Posting, r.Event.StoreID, r.Event.Currency})
	for i := range r.Lines {
		l := &r.Lines[i]
		is := of[l.Account]
		if is == nil {
			is = &balance{}
			of[l.Account] = is
		}
		is.add(l.Amount)
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

// moved is what an account holds, and what it will after a change, each with 4 decimals like the change.
func (b balances) moved(period domain.Period, account domain.Account, store, currency, delta string) (was, will string, err error) {
	units := func(text string) (*big.Int, bool) {
		return new(big.Int).SetString(strings.Replace(text, ".", "", 1), 10)
	}
	change, ok := units(delta)
	if !ok {
		return "", "", fmt.Errorf("%q is no amount of 4 decimals", delta)
	}
	sum := new(big.Int)
	if is := b[balanceKey{period, store, currency}][account]; is != nil {
		is.carry()
		sum = is.high
	}
	text := func(units *big.Int) string { return new(big.Rat).SetFrac(units, big.NewInt(10_000)).FloatString(4) }
	return text(sum), text(new(big.Int).Add(sum, change)), nil
}
