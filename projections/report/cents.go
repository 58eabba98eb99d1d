package report

import (
	"fmt"
	"math/big"
	"strings"
)

// Cents is an amount as people read it: two decimals, rounded half to even, thousands apart, and a real minus sign.
func Cents(amount *big.Rat) string {
	hundred := new(big.Rat).Mul(new(big.Rat).Abs(amount), big.NewRat(100, 1))
	whole, rest := new(big.Int).QuoRem(hundred.Num(), hundred.Denom(), new(big.Int))
	if c := rest.Lsh(rest, 1).Cmp(hundred.Denom()); c > 0 || c == 0 && whole.Bit(0) == 1 {
		whole.Add(whole, big.NewInt(1))
	}
	digits := fmt.Sprintf("%03s", whole)
	text := Thousands(digits[:len(digits)-2]) + "." + digits[len(digits)-2:]
	if amount.Sign() < 0 && whole.Sign() != 0 {
		return "−" + text
	}
	return text
}

// Thousands writes digits in threes.
func Thousands(digits string) string {
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}
