package wire

import (
	"errors"
	"math/bits"
	"strconv"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"github.com/makegood/makegood/domain"
)

// How many digits may follow the point, by the contract's §2.
const (
	amountDecimals   = 4 // amounts, and quantities, minutes and kilometres
	unitDecimals     = 6 // unit costs, prices and rates
	wholeDecimals    = 0
	maxNumberDigits  = 19 // fits 64 bits
	millionthsDigits = 6
)

// decimal reads a decimal string or a JSON number, never negative.
func (d *Decoder) decimal(decimals int) domain.Decimal {
	n := d.signed(decimals)
	d.checkNotNegative(n)
	return n
}

func (d *Decoder) checkNotNegative(n domain.Decimal) {
	if n < 0 {
		d.fail(CodeNegative, "%s is below zero: an event.voided takes an amount back", n)
	}
}

// signed reads a decimal string or a JSON number.
func (d *Decoder) signed(decimals int) domain.Decimal {
	var text []byte
	switch next := d.cursor.next(); next {
	case kindNumber:
		text = d.cursor.number()
	case kindString:
		s, _ := d.string()
		text = unsafe.Slice(unsafe.StringData(s), len(s))
	default:
		d.fail(CodeNotANumber, "a number or a decimal string is expected, not %s", next)
		return 0
	}
	if d.cursor.bad {
		return 0
	}
	n, err := domain.ParseDecimal(text, decimals)
	switch {
	case err == nil:
		return n
	case errors.Is(err, domain.ErrTooManyDecimals):
		d.fail(CodeTooManyDecimals, "%s has more than %d decimals", quote(string(text)), decimals)
	case errors.Is(err, domain.ErrTooLarge):
		d.fail(CodeTooLarge, "%s is above %s", quote(string(text)), domain.MaxDecimal)
	default:
		d.fail(CodeNotANumber, "%s is not a decimal number", quote(string(text)))
	}
	return 0
}

// whole reads an integer of at least low, and at most high.
func (d *Decoder) whole(low, high int64) int64 {
	n := int64(d.decimal(wholeDecimals) / millionths)
	if d.err == nil && (n < low || n > high) {
		if high < maxWhole {
			d.fail(CodeOutOfRange, "%d is not between %d and %d", n, low, high)
		} else {
			d.fail(CodeOutOfRange, "%d is below %d", n, low)
		}
	}
	return n
}

const (
	millionths domain.Decimal = 1_000_000
	maxWhole                  = int64(domain.MaxDecimal / millionths)
)

// hashJSONNumber hashes the value of any JSON number. The text has been read as one by jx.
func hashJSONNumber(text []byte) uint64 {
	negative := text[0] == '-'
	first, last, end, power := significant(text)
	if first < 0 {
		return hashNumber(0)
	}
	if end < len(text) {
		exponent, err := strconv.ParseInt(string(text[end+1:]), 10, 32)
		if err != nil {
			// Nobody means such a number: its spelling is all there is.
			return mix(xxhash.Sum64(text) ^ tagDigits)
		}
		power += int(exponent)
	}
	if n, ok := inMillionths(text[first:last+1], power); ok {
		if negative {
			n = -n
		}
		return hashNumber(n)
	}
	var all xxhash.Digest
	all.Reset()
	for j := first; j <= last; j++ {
		if text[j] != '.' {
			_, _ = all.Write(text[j : j+1])
		}
	}
	h := mix(all.Sum64()^tagDigits) + uint64(int64(power))*0x9e3779b97f4a7c15
	if negative {
		h = ^h
	}
	return mix(h)
}

// significant finds where the digits other than zero of a number begin and end (-1 where there are none), and where its
// exponent begins. The number is those digits times ten to the power, before the exponent.
func significant(text []byte) (first, last, end, power int) {
	first, last, end = -1, -1, len(text)
	point := false
	for j, c := range text {
		if c == 'e' || c == 'E' {
			end = j
			break
		}
		switch {
		case c == '-':
			continue
		case c == '.':
			point = true
			continue
		case point:
			power--
		}
		if c != '0' {
			if first < 0 {
				first = j
			}
			last = j
		}
	}
	for j := end - 1; j > last; j-- {
		if text[j] == '0' {
			power++
		}
	}
	return first, last, end, power
}

// inMillionths is the value of digits (a point among them doesn't count) times ten to the power, if that is a Decimal.
func inMillionths(text []byte, power int) (domain.Decimal, bool) {
	var scaled uint64
	count := 0
	for _, c := range text {
		if c != '.' {
			if count++; count > maxNumberDigits {
				return 0, false
			}
			scaled = scaled*10 + uint64(c-'0')
		}
	}
	if power < -millionthsDigits || power > maxNumberDigits {
		return 0, false
	}
	high := uint64(0)
	for p := -millionthsDigits; p < power && high == 0; p++ {
		high, scaled = bits.Mul64(scaled, 10)
	}
	return domain.Decimal(scaled), high == 0 && scaled <= uint64(domain.MaxDecimal)
}
