package reference

import (
	"math/big"
	"slices"
	"strings"
)

const places = 4

// RoundHalfEven rounds to 4 decimals, a tie to the even neighbour.
func RoundHalfEven(x *big.Rat) *big.Rat {
	scale := new(big.Rat).SetInt64(10_000)
	scaled := new(big.Rat).Mul(x, scale)
	floor := new(big.Int).Div(scaled.Num(), scaled.Denom()) // Euclidean: the floor, since the denominator is positive
	rest := new(big.Rat).Sub(scaled, new(big.Rat).SetInt(floor))
	switch c := rest.Cmp(big.NewRat(1, 2)); {
	case c > 0, c == 0 && floor.Bit(0) == 1:
		floor.Add(floor, big.NewInt(1))
	}
	return new(big.Rat).Quo(new(big.Rat).SetInt(floor), scale)
}

// money writes an amount that is already whole to 4 decimals.
func money(x *big.Rat) string { return x.FloatString(places) }

// Currencies whose smallest unit isn't a hundredth, by ISO 4217.
var (
	wholeUnits     = strings.Fields("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF")
	thousandths    = strings.Fields("BHD IQD JOD KWD LYD OMR TND")
	tenThousandths = strings.Fields("CLF UYW")
)

// slack is what so many amounts, each rounded to the smallest unit of the currency, may be off by.
func slack(currency string, amounts int) *big.Rat {
	unit := big.NewRat(1, 100)
	switch {
	case slices.Contains(wholeUnits, currency):
		unit = one()
	case slices.Contains(thousandths, currency):
		unit = big.NewRat(1, 1000)
	case slices.Contains(tenThousandths, currency):
		unit = big.NewRat(1, 10_000)
	}
	return times(unit, big.NewRat(int64(max(amounts, 1)), 1))
}

// isAbout: two amounts that are off by less than the slack are the same.
func isAbout(a, b, slack *big.Rat) bool { return new(big.Rat).Abs(minus(a, b)).Cmp(slack) < 0 }

func zero() *big.Rat { return new(big.Rat) }

func one() *big.Rat { return big.NewRat(1, 1) }

func plus(all ...*big.Rat) *big.Rat {
	sum := zero()
	for _, x := range all {
		sum.Add(sum, x)
	}
	return sum
}

func minus(a *big.Rat, rest ...*big.Rat) *big.Rat { return new(big.Rat).Sub(a, plus(rest...)) }

func times(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }

func over(a, b *big.Rat) *big.Rat { return new(big.Rat).Quo(a, b) }

func negative(a *big.Rat) *big.Rat { return new(big.Rat).Neg(a) }

func least(a *big.Rat, more ...*big.Rat) *big.Rat {
	for _, b := range more {
		if b.Cmp(a) < 0 {
			a = b
		}
	}
	return a
}

func most(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) > 0 {
		return a
	}
	return b
}

// notBelowZero is max(a, 0).
func notBelowZero(a *big.Rat) *big.Rat { return most(a, zero()) }

// totals are amounts by a name: a sku, a currency, an account.
type totals map[string]*big.Rat

func (t totals) of(name string) *big.Rat {
	if t[name] == nil {
		return zero()
	}
	return t[name]
}

func (t totals) add(name string, amount *big.Rat) { t[name] = plus(t.of(name), amount) }

func (t totals) take(name string, amount *big.Rat) { t[name] = minus(t.of(name), amount) }
