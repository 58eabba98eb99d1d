package tills

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// This file has the functions of programs that count money. They take whole numbers and strings of decimals, and give
// strings. Everything is exact; what rounds says to how many decimals, and rounds half to even.

// decimalFunctions are by name, with the least and the greatest number of arguments.
var decimalFunctions = []function{
	{"dsum", 0, 0, func(_ *machine, in any, _ []any) any { return dsum(in) }},
	{"dadd", 1, 1, binary((*apd.Context).Add)},
	{"dsub", 1, 1, binary((*apd.Context).Sub)},
	{"net_of_tax", 1, 1, binary((*apd.Context).Sub)},
	{"dmul", 1, 1, product},
	{"ddiv", 1, 2, quotient},
	{"dshare", 2, 2, func(_ *machine, in any, args []any) any { return dshare(in, args[0], args[1]) }},
	{"dround", 1, 1, func(_ *machine, in any, args []any) any { return dround(in, args[0]) }},
	{"dneg", 0, 0, unary((*apd.Decimal).Neg)},
	{"dabs", 0, 0, unary((*apd.Decimal).Abs)},
	{"dcmp", 1, 1, dcmp},
	{"minor", 1, 1, minor},
	{"unscaled", 1, 1, unscaled},
	{"net", 1, 2, netOfRate},
	{"digits", 0, 0, func(_ *machine, in any, _ []any) any { return orError(digitsOf(in)) }},
	{"amount", 0, 1, func(_ *machine, in any, args []any) any { return atMostOf(in, args) }},
	{"optional_amount", 0, 1, optionalAmount},
	{"optional_price", 0, 0, optional(6)},
	{"price", 0, 0, func(_ *machine, in any, _ []any) any { return atMost(in, 6) }},
}

func orError[T any](v T, err error) any {
	if err != nil {
		return err
	}
	return v
}

func textOr(d *apd.Decimal, err error) any {
	if err != nil {
		return err
	}
	return text(d)
}

func two(a, b any) (x, y *apd.Decimal, err error) {
	if x, err = decimal(a); err != nil {
		return nil, nil, err
	}
	y, err = decimal(b)
	return x, y, err
}

func binary(op func(*apd.Context, *apd.Decimal, *apd.Decimal, *apd.Decimal) (apd.Condition, error)) native {
	return func(_ *machine, in any, args []any) any {
		a, b, err := two(in, args[0])
		if err != nil {
			return err
		}
		d := new(apd.Decimal)
		_, err = op(&arithmetic, d, a, b)
		return textOr(d, err)
	}
}

func unary(op func(*apd.Decimal, *apd.Decimal) *apd.Decimal) native {
	return func(_ *machine, in any, _ []any) any {
		d, err := decimal(in)
		if err != nil {
			return err
		}
		return text(op(new(apd.Decimal), d))
	}
}

// dsum is the sum of an array, "0" of an empty one.
func dsum(in any) any {
	list, is := in.([]any)
	if !is {
		return fmt.Errorf("dsum wants an array, not %s", show(in))
	}
	sum := new(apd.Decimal)
	for i, v := range list {
		d, err := decimal(v)
		if err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
		if _, err := arithmetic.Add(sum, sum, d); err != nil {
			return err
		}
	}
	return text(sum)
}

// product has no zeros behind the decimals that the factors together don't need.
func product(_ *machine, in any, args []any) any {
	a, b, err := two(in, args[0])
	if err != nil {
		return err
	}
	d := new(apd.Decimal)
	if _, err := arithmetic.Mul(d, a, b); err != nil {
		return err
	}
	return text(trimmed(d, max(scale(a), scale(b))))
}

// quotient rounds to 6 decimals, the finest of a price, or to what the second argument says.
func quotient(_ *machine, in any, args []any) any {
	a, b, err := two(in, args[0])
	if err != nil {
		return err
	}
	return textOr(divided(a, b, args[1:]))
}

func divided(a, b *apd.Decimal, digits []any) (*apd.Decimal, error) {
	if b.IsZero() {
		return nil, fmt.Errorf("%s is divided by zero", text(a))
	}
	decimals, keep := 6, 0
	if len(digits) > 0 {
		var err error
		if decimals, err = digitsOf(digits[0]); err != nil {
			return nil, err
		}
		keep = decimals
	}
	q := new(apd.Decimal)
	// The digits of a quotient that don't end are cut far behind those that the rounding looks at: a tie is exact, since
	// no tie has more digits than the divisor and the decimals together.
	if _, err := arithmetic.Quo(q, a, b); err != nil {
		return nil, err
	}
	q, err := rounded(q, decimals)
	if err != nil {
		return nil, err
	}
	return trimmed(q, keep), nil
}

// netOfRate takes an included tax out: gross / (1 + rate), to 4 decimals or to the digits of the second argument.
func netOfRate(_ *machine, in any, args []any) any {
	gross, rate, err := two(in, args[0])
	if err != nil {
		return err
	}
	if rate.Negative || rate.Cmp(apd.New(1, 0)) > 0 {
		return fmt.Errorf("a rate of tax is a fraction from 0 to 1, such as \"0.19\", not %s", text(rate))
	}
	if _, err := arithmetic.Add(rate, rate, apd.New(1, 0)); err != nil {
		return err
	}
	if len(args) > 1 {
		return textOr(divided(gross, rate, args[1:]))
	}
	net, err := divided(gross, rate, []any{4})
	if err != nil {
		return err
	}
	return text(trimmed(net, 0))
}

func dround(in, digits any) any {
	d, err := decimal(in)
	if err != nil {
		return err
	}
	n, err := digitsOf(digits)
	if err != nil {
		return err
	}
	return textOr(rounded(d, n))
}

func dcmp(_ *machine, in any, args []any) any {
	a, b, err := two(in, args[0])
	if err != nil {
		return err
	}
	return a.Cmp(b)
}

// minor makes minor units (cents, whole yen) a decimal.
func minor(_ *machine, in any, args []any) any {
	d, err := decimal(in)
	if err != nil {
		return err
	}
	n, err := digitsOf(args[0])
	if err != nil {
		return err
	}
	if scale(d) > 0 {
		return fmt.Errorf("%s is no whole number of minor units", text(d))
	}
	m := apd.NewWithBigInt(&d.Coeff, -int32(n))
	m.Negative = d.Negative
	return text(m)
}

// unscaled reads a decimal as Kafka Connect writes its bytes into JSON: base64 of a two's complement whole number, the
// highest byte first, of so many decimals.
func unscaled(_ *machine, in any, args []any) any {
	s, is := in.(string)
	if !is {
		return fmt.Errorf("%s is no text of base64", show(in))
	}
	scale, is := args[0].(int)
	if !is || scale < 0 || scale > maxDigits {
		return fmt.Errorf("a scale is 0 to %d, not %s", maxDigits, show(args[0]))
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(raw) == 0 || len(raw) > 16 {
		return fmt.Errorf("%s is no base64 of 1 to 16 bytes", show(in))
	}
	n := new(apd.BigInt).SetBytes(raw)
	if raw[0]&0x80 != 0 {
		n.Sub(n, new(apd.BigInt).Lsh(apd.NewBigInt(1), uint(8*len(raw))))
	}
	d := apd.NewWithBigInt(new(apd.BigInt).Abs(n), -int32(scale))
	d.Negative = n.Sign() < 0
	return text(d)
}

// atMost wants a number of at most so many decimals; zeros behind them are no decimals.
func atMost(in any, decimals int) any {
	d, err := decimal(in)
	if err != nil {
		return err
	}
	if scale(d) > decimals {
		d = trimmed(d, decimals)
	}
	if scale(d) > decimals {
		return fmt.Errorf("%s has more than %d decimals", text(d), decimals)
	}
	return text(d)
}

// atMostOf wants an amount of at most 4 decimals, or of those of the currency of the argument: it was paid, or billed.
func atMostOf(in any, args []any) any {
	if len(args) == 0 {
		return atMost(in, 4)
	}
	n, err := digitsOf(args[0])
	if err != nil {
		return err
	}
	out := atMost(in, n)
	d, wrong := decimal(in)
	currency, is := args[0].(string)
	if _, refused := out.(error); refused && wrong == nil && is {
		return fmt.Errorf("%s has more decimals than %s, which has %d", text(d), strings.ToUpper(currency), n)
	}
	return out
}

func optionalAmount(_ *machine, in any, args []any) any {
	if in == nil || in == "" {
		return nil
	}
	return atMostOf(in, args)
}

// optional is null where there is nothing, and else atMost.
func optional(decimals int) native {
	return func(_ *machine, in any, _ []any) any {
		if in == nil || in == "" {
			return nil
		}
		return atMost(in, decimals)
	}
}

// dshare splits an amount by weights, so that the parts sum to it: each part is rounded towards zero, and what is left
// goes by single units to those that lost most (the largest remainder), the first of equals first. An amount that has
// more decimals than asked keeps them.
func dshare(in, weights, digits any) any {
	total, err := decimal(in)
	if err != nil {
		return err
	}
	n, err := digitsOf(digits)
	if err != nil {
		return err
	}
	list, is := weights.([]any)
	if !is {
		return fmt.Errorf("dshare wants an array of weights, not %s", show(weights))
	}
	shares, err := split(total, list, max(n, scale(total)))
	if err != nil {
		return err
	}
	parts := make([]any, len(shares))
	for i := range shares {
		parts[i] = text(shares[i])
	}
	return parts
}

func split(total *apd.Decimal, weights []any, decimals int) ([]*apd.Decimal, error) {
	w, sum, err := weigh(weights)
	if err != nil {
		return nil, err
	}
	// units is the total in its smallest unit, a whole number.
	units, err := rounded(total, decimals)
	if err != nil {
		return nil, err
	}
	type part struct {
		at          int
		units, rest apd.BigInt
	}
	parts, left := make([]part, len(w)), new(apd.BigInt).Set(&units.Coeff)
	if sum.Sign() == 0 {
		if left.Sign() != 0 {
			return nil, fmt.Errorf("%s can't be shared by weights that sum to 0", text(total))
		}
		sum.SetInt64(1)
	}
	for i := range w {
		parts[i].at = i
		var n apd.BigInt
		parts[i].units.QuoRem(n.Mul(&units.Coeff, w[i]), sum, &parts[i].rest)
		left.Sub(left, &parts[i].units)
	}
	byRest := slices.Clone(parts)
	slices.SortStableFunc(byRest, func(a, b part) int { return b.rest.Cmp(&a.rest) })
	for i := 0; left.Sign() > 0; i++ {
		at := byRest[i].at
		parts[at].units.Add(&parts[at].units, apd.NewBigInt(1))
		left.Sub(left, apd.NewBigInt(1))
	}
	shares := make([]*apd.Decimal, len(parts))
	for i := range parts {
		shares[i] = apd.NewWithBigInt(&parts[i].units, -int32(decimals))
		shares[i].Negative = units.Negative && !shares[i].IsZero()
	}
	return shares, nil
}

// weigh gives weights as whole numbers of one unit, and their sum.
func weigh(weights []any) ([]*apd.BigInt, *apd.BigInt, error) {
	d := make([]*apd.Decimal, len(weights))
	finest := 0
	for i, v := range weights {
		var err error
		if d[i], err = decimal(v); err != nil {
			return nil, nil, fmt.Errorf("weight %d: %w", i, err)
		}
		if d[i].Negative {
			return nil, nil, fmt.Errorf("weight %d is below zero: %s", i, text(d[i]))
		}
		finest = max(finest, scale(d[i]))
	}
	w, sum := make([]*apd.BigInt, len(d)), new(apd.BigInt)
	for i := range d {
		whole, err := rounded(d[i], finest)
		if err != nil {
			return nil, nil, err
		}
		w[i] = new(apd.BigInt).Set(&whole.Coeff)
		sum.Add(sum, w[i])
	}
	return w, sum, nil
}
