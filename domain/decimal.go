package domain

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"

	"github.com/cockroachdb/apd/v3"
)

// Decimal is a number of an event, counted in millionths: 6 decimals, the finest the contract allows (unit costs and
// prices). Quantities and amounts use 4 of them. It is an integer, never a float, so that what a till wrote is what is
// kept.
type Decimal int64

// MaxDecimal bounds every number in an event: a million million. It keeps each product and sum of an event far inside
// the exact arithmetic below, and inside Decimal(18,4) for anything a business would post.
const MaxDecimal Decimal = 1_000_000_000_000 * one

const one = 1_000_000

// Optional is a Decimal that an event may leave out. Absent isn't zero: a line without a cost takes its sku's rate.
type Optional struct {
	Value Decimal
	Set   bool
}

// Some is an Optional that is there.
func Some(d Decimal) Optional { return Optional{Value: d, Set: true} }

// Errors of ParseDecimal. Their text is the reason that a sender reads.
var (
	ErrNotANumber      = errors.New("not a decimal number")
	ErrTooManyDecimals = errors.New("more decimals than allowed")
	ErrTooLarge        = errors.New("larger than 1,000,000,000,000")
)

// ParseDecimal reads a JSON number from its digits, exponent included, allowing at most maxDecimals (0 to 6) digits
// after the decimal point. More is an error, not a rounding, even when they are zeros.
func ParseDecimal(text []byte, maxDecimals int) (Decimal, error) {
	i, negative := 0, false
	if i < len(text) && text[i] == '-' {
		negative = true
		i++
	}
	var mantissa uint64
	digits, decimals, significant := 0, 0, 0
	point := false
	for ; i < len(text); i++ {
		c := text[i]
		switch {
		case c >= '0' && c <= '9':
			digits++
			if point {
				decimals++
			}
			if significant > 0 || c != '0' {
				significant++
			}
			if significant > 19 {
				return 0, ErrTooLarge
			}
			// 19 digits fit in 64 bits.
			mantissa = mantissa*10 + uint64(c-'0')
			continue
		case c == '.' && !point && digits > 0:
			point = true
			continue
		}
		break
	}
	if digits == 0 || (point && decimals == 0) {
		return 0, ErrNotANumber
	}
	if i < len(text) {
		exponent, err := parseExponent(text[i:])
		if err != nil {
			return 0, err
		}
		decimals -= exponent
		// 1500e-3 is 1.5: trailing zeros that only the exponent made are no decimals.
		for exponent < 0 && decimals > 0 && mantissa%10 == 0 && mantissa != 0 {
			mantissa /= 10
			decimals--
		}
	}
	if mantissa == 0 {
		decimals = min(max(decimals, 0), maxDecimals)
	}
	if decimals > maxDecimals {
		return 0, ErrTooManyDecimals
	}
	for ; decimals < 6; decimals++ {
		if mantissa > math.MaxUint64/10 {
			return 0, ErrTooLarge
		}
		mantissa *= 10
	}
	if mantissa > uint64(MaxDecimal) {
		return 0, ErrTooLarge
	}
	if negative {
		return -Decimal(mantissa), nil
	}
	return Decimal(mantissa), nil
}

func parseExponent(text []byte) (int, error) {
	if text[0] != 'e' && text[0] != 'E' {
		return 0, ErrNotANumber
	}
	// A sign and at most 3 digits: beyond that, no number of ours is meant, and the loops above stay short.
	if len(text) < 2 || len(text) > 5 {
		return 0, ErrNotANumber
	}
	exponent, err := strconv.Atoi(string(text[1:]))
	if err != nil {
		return 0, ErrNotANumber
	}
	return exponent, nil
}

// String writes the number without trailing zeros.
func (d Decimal) String() string { return string(d.Append(nil)) }

// Append writes d as String does.
func (d Decimal) Append(to []byte) []byte {
	if d < 0 {
		to = append(to, '-')
	}
	u := magnitude(int64(d))
	to = strconv.AppendUint(to, u/one, 10)
	if frac := u % one; frac != 0 {
		to = append(to, '.')
		for scale := uint64(one / 10); frac > 0; scale /= 10 {
			to = append(to, byte('0'+frac/scale))
			frac %= scale
		}
	}
	return to
}

// Amount is money in the journal, counted in 1/10,000 of the currency's unit: exactly ClickHouse's Decimal(18,4).
type Amount int64

// MaxAmount is the largest amount that a Decimal(18,4) holds.
const MaxAmount Amount = 999_999_999_999_999_999

// String writes the amount with its 4 decimals.
func (a Amount) String() string { return string(a.Append(nil)) }

// Append writes a as String does.
func (a Amount) Append(to []byte) []byte {
	if a < 0 {
		to = append(to, '-')
	}
	u := magnitude(int64(a))
	to = strconv.AppendUint(to, u/10_000, 10)
	frac := u % 10_000
	return append(to, '.', byte('0'+frac/1000), byte('0'+frac/100%10), byte('0'+frac/10%10), byte('0'+frac%10))
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-(n + 1)) + 1
	}
	return uint64(n)
}

// exact is a sum of products of two Decimals, counted in 10^-12, without rounding: an integer of 128 bits, two's
// complement. A product of two Decimals within MaxDecimal is at most 10^36, and 128 bits hold 1.7 × 10^38. What an
// event subtracts are single Decimals, so a sum that goes beyond that never comes back: it stays out of range.
type exact struct {
	high int64
	low  uint64
	over bool // the sum went beyond 128 bits
}

// product adds a × b.
func (e *exact) product(a, b Decimal) { e.scaled(a, b, 1) }

// scaled adds a × b × factor; factor is above zero.
func (e *exact) scaled(a, b Decimal, factor int64) {
	high, low := bits.Mul64(magnitude(int64(a)), magnitude(int64(b)))
	if factor != 1 {
		beyond, more := bits.Mul64(high, uint64(factor))
		var carry uint64
		high, low = bits.Mul64(low, uint64(factor))
		high, carry = bits.Add64(high, more, 0)
		e.over = e.over || beyond != 0 || carry != 0
	}
	e.over = e.over || high>>63 != 0
	x := exact{high: int64(high), low: low}
	if (a < 0) != (b < 0) {
		x.negate()
	}
	e.plus(&x)
}

func (e *exact) add(d Decimal)      { e.product(d, one) }
func (e *exact) subtract(d Decimal) { e.product(-d, one) }

func (e *exact) plus(o *exact) {
	low, carry := bits.Add64(e.low, o.low, 0)
	high := e.high + o.high + int64(carry)
	// Two of one sign never have a sum of the other.
	e.over = e.over || o.over || (e.high^high)&(o.high^high) < 0
	e.high, e.low = high, low
}

func (e *exact) negate() {
	low, borrow := bits.Sub64(0, e.low, 0)
	e.high, e.low = -e.high-int64(borrow), low
}

func (e *exact) isZero() bool { return e.high == 0 && e.low == 0 && !e.over }

// round divides by divisor and rounds half to even to 4 decimals, in one step: no double rounding.
func (e *exact) round(divisor int64) (Amount, error) {
	const toAmount = 100_000_000 // 10^-12 → 10^-4
	if e.over {
		return 0, ErrAmountOutOfRange
	}
	x, negative := *e, e.high < 0
	if negative {
		x.negate()
	}
	beyond, d := bits.Mul64(uint64(divisor), toAmount)
	if beyond != 0 || d>>63 != 0 {
		return x.roundWide(divisor, toAmount, negative)
	}
	if uint64(x.high) >= d {
		return 0, ErrAmountOutOfRange // the quotient alone has more than 64 bits
	}
	q, r := bits.Div64(uint64(x.high), x.low, d)
	// Away from zero when the rest is above a half, or a half beside an odd number.
	if twice := 2 * r; twice > d || twice == d && q&1 == 1 {
		q++
	}
	if q > uint64(MaxAmount) {
		return 0, ErrAmountOutOfRange
	}
	if negative {
		return -Amount(q), nil
	}
	return Amount(q), nil
}

// roundWide is round for divisors that 64 bits don't hold: a trip of thousands of millions of stops. e isn't negative.
func (e *exact) roundWide(divisor, scale int64, negative bool) (Amount, error) {
	var n, d, q, r apd.BigInt
	n.SetInt64(e.high)
	n.Lsh(&n, 64)
	n.Add(&n, q.SetUint64(e.low))
	d.Mul(d.SetInt64(divisor), r.SetInt64(scale))
	q.QuoRem(&n, &d, &r)
	r.Add(&r, &r)
	if c := r.Cmp(&d); c > 0 || (c == 0 && q.Bit(0) == 1) {
		q.Add(&q, r.SetInt64(1))
	}
	if !q.IsInt64() || q.Int64() > int64(MaxAmount) {
		return 0, ErrAmountOutOfRange
	}
	if negative {
		return -Amount(q.Int64()), nil
	}
	return Amount(q.Int64()), nil
}

// ErrAmountOutOfRange says that a journal line would not fit in a Decimal(18,4).
var ErrAmountOutOfRange = errors.New("a journal line is beyond 99,999,999,999,999.9999")

// ParseAmount reads what Amount.String wrote, or any decimal number with at most 4 decimals that is within MaxAmount.
func ParseAmount(s string) (Amount, error) {
	text := []byte(s)
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		text = text[1:]
	}
	var n int64
	seen, decimals := 0, -1
	for _, c := range text {
		switch {
		case c == '.' && decimals < 0:
			decimals = 0
		case c >= '0' && c <= '9' && seen < 18 && decimals < 4:
			n = n*10 + int64(c-'0')
			seen++
			if decimals >= 0 {
				decimals++
			}
		default:
			return 0, fmt.Errorf("amount %q: %w", s, ErrNotANumber)
		}
	}
	if seen == 0 {
		return 0, fmt.Errorf("amount %q: %w", s, ErrNotANumber)
	}
	for decimals = max(decimals, 0); decimals < 4; decimals++ {
		// Asked before: ten times as much may be beyond 64 bits, and look small again.
		if n > int64(MaxAmount)/10 {
			return 0, fmt.Errorf("amount %q: %w", s, ErrAmountOutOfRange)
		}
		n *= 10
	}
	if negative {
		n = -n
	}
	return Amount(n), nil
}
