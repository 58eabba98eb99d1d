package domain

import "math/big"

// This file does the rounding of money. Amounts are exact until they enter a position; there they are rounded half to
// even to 4 decimals, once.

// sum is an exact amount of money. It is whole in 10^-12 but where a mean or a part of a line doesn't end; then ratio
// is its value.
type sum struct {
	exact
	ratio *big.Rat
}

// cost is what one piece costs: unit, or mean where it doesn't end.
type cost struct {
	unit Decimal
	mean *big.Rat
}

// add adds a number of an event.
func (s *sum) add(d Decimal) {
	if s.ratio == nil {
		s.exact.add(d)
		return
	}
	s.ratio = new(big.Rat).Add(s.ratio, ratOf(d))
}

func (s *sum) subtract(d Decimal) { s.add(-d) }

func (s *sum) plus(o *sum) {
	if s.ratio == nil && o.ratio == nil {
		s.exact.plus(&o.exact)
		return
	}
	s.ratio, s.over = new(big.Rat).Add(s.rat(), o.rat()), s.over || o.over
}

func (s *sum) minus(o *sum) {
	if s.ratio == nil && o.ratio == nil {
		negative := o.exact
		negative.negate()
		s.exact.plus(&negative)
		return
	}
	s.ratio, s.over = new(big.Rat).Sub(s.rat(), o.rat()), s.over || o.over
}

// pieces adds what so many of them cost.
func (s *sum) pieces(quantity Decimal, c *cost) {
	if c.mean == nil && s.ratio == nil {
		s.product(quantity, c.unit)
		return
	}
	s.ratio = new(big.Rat).Add(s.rat(), new(big.Rat).Mul(ratOf(quantity), c.rat()))
}

// part is of × share ÷ whole.
func part(of sum, share, whole Decimal) sum {
	if share == whole {
		return of
	}
	if share == 0 {
		return sum{}
	}
	f := new(big.Rat).Quo(ratOf(share), ratOf(whole))
	of.ratio = f.Mul(f, of.rat())
	return of
}

func (s *sum) cmp(o *sum) int {
	if s.ratio == nil && o.ratio == nil {
		d := *s
		d.minus(o)
		switch {
		case d.high < 0:
			return -1
		case d.isZero():
			return 0
		}
		return 1
	}
	return s.rat().Cmp(o.rat())
}

var trillion = new(big.Int).SetInt64(1_000_000_000_000)

// rat is the value as a fraction, not to be changed.
func (s *sum) rat() *big.Rat {
	if s.ratio != nil {
		return s.ratio
	}
	n := new(big.Int).SetInt64(s.high)
	n.Lsh(n, 64)
	n.Add(n, new(big.Int).SetUint64(s.low))
	return new(big.Rat).SetFrac(n, trillion)
}

func (c *cost) rat() *big.Rat {
	if c.mean != nil {
		return c.mean
	}
	return ratOf(c.unit)
}

func ratOf(d Decimal) *big.Rat { return big.NewRat(int64(d), one) }

// meanOf is what a piece costs on average where so many of them cost total.
func meanOf(total *sum, quantity Decimal) cost {
	return cost{mean: new(big.Rat).Quo(total.rat(), ratOf(quantity))}
}

// round is the sum ÷ divisor, half to even to 4 decimals.
func (s *sum) round(divisor int64) (Amount, error) {
	if s.ratio == nil {
		return s.exact.round(divisor)
	}
	if s.over {
		return 0, ErrAmountOutOfRange
	}
	x := new(big.Rat).Mul(s.ratio, big.NewRat(10_000, divisor))
	quotient, rest := new(big.Int).QuoRem(x.Num(), x.Denom(), new(big.Int))
	rest.Abs(rest).Lsh(rest, 1)
	if c := rest.Cmp(x.Denom()); c > 0 || c == 0 && quotient.Bit(0) == 1 {
		quotient.Add(quotient, big.NewInt(int64(x.Sign())))
	}
	if !quotient.IsInt64() || quotient.Int64() > int64(MaxAmount) || quotient.Int64() < -int64(MaxAmount) {
		return 0, ErrAmountOutOfRange
	}
	return Amount(quotient.Int64()), nil
}

// share is a × part ÷ whole, half to even; whole isn't zero.
func share(a, part, whole Amount) Amount {
	s := sum{ratio: new(big.Rat).Mul(big.NewRat(int64(a), 10_000), big.NewRat(int64(part), int64(whole)))}
	rounded, _ := s.round(1) // part is at most whole, so it is no larger than a
	return rounded
}

// asSum is an amount as a sum.
func asSum(a Amount) sum {
	var s sum
	s.scaled(Decimal(a), 100*one, 1) // 10^-4 → 10^-12
	return s
}

// proportion is s × part ÷ whole; whole isn't zero.
func proportion(s *sum, part, whole Amount) sum {
	if part == whole {
		return *s
	}
	return sum{ratio: new(big.Rat).Mul(s.rat(), big.NewRat(int64(part), int64(whole)))}
}
