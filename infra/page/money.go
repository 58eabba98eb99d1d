package page

import (
	"fmt"
	"html/template"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/makegood/makegood/projections/report"
)

// decimals of an amount, by the contract, and how many units one is.
const (
	decimals   = 4
	unitsOfOne = 10_000
)

// money is an exact amount, of any size: sums of sums need not fit 64 bits.
type money struct {
	units    big.Int // of 1/10,000
	currency string
}

// read parses an amount as reports write it.
func read(text, currency string) (*money, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	m := &money{currency: currency}
	_, ok := m.units.SetString(whole+(fraction + "0000")[:decimals], 10)
	if !ok || whole == "" || len(fraction) > decimals {
		return nil, fmt.Errorf("%q is no amount", text)
	}
	return m, nil
}

func (m *money) plus(o *money) *money {
	sum := &money{currency: m.currency}
	sum.units.Add(&m.units, &o.units)
	return sum
}

func (m *money) minus(o *money) *money {
	d := &money{currency: m.currency}
	d.units.Sub(&m.units, &o.units)
	return d
}

func (m *money) negated() *money { return (&money{currency: m.currency}).minus(m) }

// Currency is the currency's code.
func (m *money) Currency() string { return m.currency }

// Sign is -1, 0 or +1.
func (m *money) Sign() int { return m.units.Sign() }

// Text is the exact amount: what a report says.
func (m *money) Text() string {
	digits := new(big.Int).Abs(&m.units).String()
	if missing := decimals + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	text := digits[:len(digits)-decimals] + "." + digits[len(digits)-decimals:]
	if m.Sign() < 0 {
		return "-" + text
	}
	return text
}

const minus, thin = "−", " " // a real minus sign, and a space that doesn't break

// counted is a count of things.
func counted(n uint64) string { return report.Thousands(strconv.FormatUint(n, 10)) }

// countOf is a number of things: 1 case, 1,200 cases.
func countOf(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return counted(n) + " " + many
}

// Cents is the amount rounded to two decimals, half to even, for headlines and charts. The exact one stands in its
// table.
func (m *money) Cents() string {
	return report.Cents(new(big.Rat).SetFrac(&m.units, big.NewInt(unitsOfOne)))
}

// Short is Cents with its currency.
func (m *money) Short() string { return m.Cents() + thin + m.currency }

// Cell is the exact amount as markup: what is beyond cents stands back, and machines find the plain number.
func (m *money) Cell() template.HTML {
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(m.Text(), "-"), ".")
	sign := ""
	if m.Sign() < 0 {
		sign = minus
	}
	const markup = `<data value="%s" data-label="%s">%s%s.%s<span class="sub">%s</span></data>`
	// Digits, commas and a point: nothing in it can be markup.
	return template.HTML(fmt.Sprintf(markup, m.Text(), m.Cents(), sign, report.Thousands(whole), fraction[:2],
		fraction[2:]))
}

// Full is Cell with its currency.
func (m *money) Full() template.HTML {
	return m.Cell() + template.HTML(thin+template.HTMLEscapeString(m.currency))
}

// sums are exact amounts, one a currency: amounts of different currencies are never added up. The first currency that
// was added is the first.
type sums []*money

func (s *sums) add(m *money) {
	for i, had := range *s {
		if had.currency == m.currency {
			(*s)[i] = had.plus(m)
			return
		}
	}
	*s = append(*s, m)
}

func (s *sums) merge(all sums) {
	for _, m := range all {
		s.add(m)
	}
}

// in is the sum in a currency; zero where there is none.
func (s sums) in(currency string) *money {
	for _, m := range s {
		if m.currency == currency {
			return m
		}
	}
	return &money{currency: currency}
}

// first puts the sum in a currency before all others, also where it is zero.
func (s *sums) first(currency string) {
	rest := slices.DeleteFunc(slices.Clone(*s), func(m *money) bool { return m.currency == currency })
	*s = append(sums{s.in(currency)}, rest...)
}

// share is a ÷ b in percent with one decimal; nothing where b is zero.
func share(a, b *big.Int) string {
	if b.Sign() == 0 {
		return ""
	}
	text := new(big.Rat).Mul(big.NewRat(100, 1), new(big.Rat).SetFrac(a, b)).FloatString(1)
	return strings.Replace(text, "-", minus, 1) + thin + "%"
}

// change says in words how now compares to before: in percent of it, or where it more than doubled, or fell below zero,
// by what it was.
func change(now, before *money) (text, direction string) {
	d := now.minus(before)
	if d.Sign() == 0 {
		return "the same", "same"
	}
	direction, word := "up", " more"
	if d.Sign() < 0 {
		direction, word = "down", " less"
	}
	if before.Sign() <= 0 || now.Sign() < 0 || d.units.CmpAbs(&before.units) > 0 {
		return "was " + before.Cents(), direction
	}
	return strings.TrimPrefix(share(&d.units, &before.units), minus) + word + " than " + before.Cents(), direction
}

// permille is a ÷ most for the length of a bar, 0 to 1000: geometry only.
func permille(a, most *big.Int) int64 {
	if most.Sign() <= 0 || a.Sign() <= 0 {
		return 0
	}
	return new(big.Int).Quo(new(big.Int).Mul(a, big.NewInt(1000)), most).Int64()
}
