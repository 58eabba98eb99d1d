package tills

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// maxDigits bounds a decimal of a program: beyond, nothing is money.
const maxDigits = 40

// arithmetic is exact for all that maxDigits allow: a product of two has twice as many.
var arithmetic = apd.Context{Precision: 4 * maxDigits, MaxExponent: 400, MinExponent: -400, Rounding: apd.RoundHalfEven}

// decimal reads what a program takes for a number: an integer, or a string of a decimal number. Nothing else is one: a
// float isn't, and neither is an empty string.
func decimal(v any) (*apd.Decimal, error) {
	switch v := v.(type) {
	case int:
		return apd.New(int64(v), 0), nil
	case *big.Int:
		return decimal(v.String())
	case string:
		if err := plainNumber(v); err != nil {
			return nil, err
		}
		d, _, err := arithmetic.NewFromString(v)
		if err != nil {
			return nil, fmt.Errorf("%s is no decimal number", show(v))
		}
		if d.Form != apd.Finite || d.NumDigits() > maxDigits || d.Exponent > maxDigits || d.Exponent < -maxDigits {
			return nil, fmt.Errorf("%s has more digits than an amount", show(v))
		}
		if d.Exponent > 0 { // 1e3 is 1000, with no decimals
			if _, err := arithmetic.Quantize(d, d, 0); err != nil {
				return nil, fmt.Errorf("%s has more digits than an amount", show(v))
			}
		}
		if d.IsZero() {
			d.Negative = false
		}
		return d, nil
	case float64:
		return nil, &failure{code: CodeFloat, reason: fmt.Sprintf("%v went through a float", v), hint: floatHint}
	case nil:
		return nil, fmt.Errorf("null is no number: a missing amount is never 0")
	}
	return nil, fmt.Errorf("%s is no number", show(v))
}

// plainNumber wants -?digits, then .digits and an exponent of up to 3 digits if they are there.
func plainNumber(s string) error {
	if isPlainNumber(s) {
		return nil
	}
	reason := show(s) + " is no decimal number"
	if withComma.MatchString(s) || commasAlone.MatchString(s) {
		return &failure{code: CodeProgram, reason: reason,
			hint: "say what a comma is: the setting decimal_comma, where there is one, or read: {decimal_comma: […]}"}
	}
	return errors.New(reason)
}

func isPlainNumber(s string) bool {
	rest := strings.TrimPrefix(s, "-")
	whole := leadingDigits(rest)
	if whole == 0 || len(s) > 3*maxDigits {
		return false
	}
	rest = rest[whole:]
	if strings.HasPrefix(rest, ".") {
		decimals := leadingDigits(rest[1:])
		if decimals == 0 {
			return false
		}
		rest = rest[1+decimals:]
	}
	if rest == "" {
		return true
	}
	if rest[0] != 'e' && rest[0] != 'E' {
		return false
	}
	if rest = rest[1:]; rest != "" && (rest[0] == '-' || rest[0] == '+') {
		rest = rest[1:]
	}
	if n := leadingDigits(rest); n == 0 || n > 3 || n < len(rest) {
		return false
	}
	return true
}

func leadingDigits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// text writes a decimal in plain digits, and keeps its decimals: 85.00 stays 85.00.
func text(d *apd.Decimal) string {
	if d.IsZero() && d.Negative {
		d = new(apd.Decimal).Abs(d)
	}
	return d.Text('f')
}

// scale is how many decimals it has.
func scale(d *apd.Decimal) int { return int(max(-d.Exponent, 0)) }

// rounded has exactly so many decimals, half to even.
func rounded(d *apd.Decimal, decimals int) (*apd.Decimal, error) {
	to := new(apd.Decimal)
	if _, err := arithmetic.Quantize(to, d, -int32(decimals)); err != nil {
		return nil, fmt.Errorf("%s can't be rounded to %d decimals", text(d), decimals)
	}
	return to, nil
}

// trimmed has no zeros behind its decimals that keep isn't asked for.
func trimmed(d *apd.Decimal, keep int) *apd.Decimal {
	to := new(apd.Decimal)
	to.Reduce(d)
	if scale(to) < keep || to.Exponent > 0 {
		if exact, err := rounded(to, min(keep, scale(d))); err == nil {
			return exact
		}
	}
	return to
}

// show is a value in a message, cut short.
func show(v any) string {
	const most = 60
	var s string
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		s = strconv.Quote(v)
	case []any:
		return fmt.Sprintf("an array of %d", len(v))
	case map[string]any:
		return fmt.Sprintf("an object of %d members", len(v))
	default:
		s = fmt.Sprint(v)
	}
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}
