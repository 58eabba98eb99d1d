package reference

import (
	"math/big"
	"strings"
)

const places = 4

// RoundHalfEven rounds to 4 decimals, a tie to the even neighbour, as section 4 asks for once per journal line.
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

func isProfitAndLoss(account string) bool {
	return strings.HasPrefix(account, "4") || strings.HasPrefix(account, "5")
}

// leg is the name of one journal line before rounding: everything of an event that shares it is one line.
type leg struct {
	account, side, element, basis string
}

// entryLines turns exact half-entries into the rounded journal lines of one event. sums holds debits above and credits below zero.
func entryLines(order []leg, sums map[leg]*big.Rat) []Line {
	rounded := make(map[leg]*big.Rat)
	for _, l := range order {
		rounded[l] = RoundHalfEven(sums[l])
	}
	// Rounded lines need not add up; with two lines they do (equal size, opposite sign, and half-even is symmetric).
	if p, ok := plug(order); ok && len(order) > 2 {
		others := new(big.Rat)
		for _, l := range order {
			if l != p {
				others.Add(others, rounded[l])
			}
		}
		rounded[p] = others.Neg(others)
	}
	var lines []Line
	for _, l := range order {
		if rounded[l].Sign() != 0 {
			lines = append(lines, Line{l.account, l.element, l.basis, rounded[l]})
		}
	}
	return lines
}

// plug is the line that makes an entry zero: net+tax on clearing, or the return asset. order.placed alone has clearing on
// both sides, and there net+tax is the debit (the credit is the payment fee).
func plug(order []leg) (leg, bool) {
	for _, want := range []struct{ account, side string }{{"1010", debit}, {"1010", credit}, {"1210", debit}, {"1210", credit}} {
		for _, l := range order {
			if l.account == want.account && l.side == want.side {
				return l, true
			}
		}
	}
	return leg{}, false
}
