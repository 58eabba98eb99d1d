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
	i, negative := 0, false
	if text[0] == '-' {
		i, negative = 1, true
	}
	// The number is its digits, without zeros around them, times ten to some power.
	first, last := -1, -1 // where the digits other than zero begin and end
	power, point := 0, false
	end := len(text)
	for j := i; j < len(text); j++ {
		c := text[j]
		if c == 'e' || c == 'E' {
			end = j
			break
		}
		if c == '.' {
			point = true
			continue
		}
		if point {
			power--
		}
		if c != '0' {
			if first < 0 {
				first = j
			}
			last = j
		}
	}
	if first < 0 {
		return hashNumber(0)
	}
	for j := end - 1; j > last; j-- {
		if text[j] == '0' {
			power++
		}
	}
	if end < len(text) {
		exponent, err := strconv.ParseInt(string(text[end+1:]), 10, 32)
		if err != nil {
			// Nobody means such a number: its spelling is all there is.
			return mix(xxhash.Sum64(text) ^ tagDigits)
		}
		power += int(exponent)
	}
	var digits uint64
	count := 0
	for j := first; j <= last; j++ {
		if text[j] != '.' {
			if count++; count <= maxNumberDigits {
				digits = digits*10 + uint64(text[j]-'0')
			}
		}
	}
	if count <= maxNumberDigits && power >= -millionthsDigits && power <= maxNumberDigits {
		scaled, high := digits, uint64(0)
		for p := -millionthsDigits; p < power && high == 0; p++ {
			high, scaled = bits.Mul64(scaled, 10)
		}
		if high == 0 && scaled <= uint64(domain.MaxDecimal) {
			if negative {
				return hashNumber(-domain.Decimal(scaled))
			}
			return hashNumber(domain.Decimal(scaled))
		}
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
