package domain

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestParseDecimal(t *testing.T) {
	for _, c := range []struct {
		text     string
		decimals int
		want     Decimal
		err      error
	}{
		{"0", 4, 0, nil}, {"-0", 4, 0, nil}, {"1", 4, 1_000_000, nil}, {"1.5", 4, 1_500_000, nil}, {"-1.5", 4, -1_500_000,
			nil},
		{"0.0001", 4, 100, nil}, {"0.00001", 4, 0, ErrTooManyDecimals}, {"1.00000", 4, 0, ErrTooManyDecimals}, {"1.000001",
			6, 1_000_001, nil},
		{"1e2", 4, 100_000_000, nil}, {"1.25e1", 4, 12_500_000, nil}, {"1500e-3", 4, 1_500_000, nil}, {"1e-5", 4, 0,
			ErrTooManyDecimals},
		{"0e-9", 4, 0, nil}, {"1E+2", 4, 100_000_000, nil}, {"1000000000000", 4, MaxDecimal, nil}, {"1000000000000.0001", 4,
			0, ErrTooLarge},
		{"1e13", 4, 0, ErrTooLarge}, {"1e999", 4, 0, ErrTooLarge}, {"99999999999999999999", 4, 0, ErrTooLarge},
		{"000000000000000000000001", 4, 1_000_000, nil},
		{"", 4, 0, ErrNotANumber}, {"-", 4, 0, ErrNotANumber}, {".5", 4, 0, ErrNotANumber}, {"5.", 4, 0, ErrNotANumber},
		{"1.2.3", 4, 0, ErrNotANumber},
		{"1,5", 4, 0, ErrNotANumber}, {" 1", 4, 0, ErrNotANumber}, {"1e", 4, 0, ErrNotANumber}, {"1e1.5", 4, 0,
			ErrNotANumber}, {"0x10", 4, 0, ErrNotANumber},
		{"NaN", 4, 0, ErrNotANumber}, {"Infinity", 4, 0, ErrNotANumber}, {"+1", 4, 0, ErrNotANumber},
	} {
		got, err := ParseDecimal([]byte(c.text), c.decimals)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q with %d decimals: %v, %v; want %v, %v", c.text, c.decimals, got, err, c.want, c.err)
		}
	}
}

// FuzzDecimal: nothing panics, and what is accepted is the number that was written.
func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"0", "1.5", "-12.3456", "1e3", "12345678901.123456", "1e-6", "0.0000001", "9e999", "--1",
		"1e+"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDecimal([]byte(s), 6)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Fatalf("%q was read as %s, and is no number", s, d)
		}
		if got := big.NewRat(int64(d), one); got.Cmp(want) != 0 {
			t.Fatalf("%q was read as %s", s, d)
		}
		again, err := ParseDecimal([]byte(d.String()), 6)
		if err != nil || again != d {
			t.Fatalf("%q was written as %s, which reads as %s (%v)", s, d, again, err)
		}
	})
}

func FuzzAmount(f *testing.F) {
	for _, s := range []string{"0.0000", "-1.2345", "99999999999999.9999", "100000000000000", "-999999999999999999",
		"922700000000000", ".", "1.23456"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAmount(s)
		if err != nil {
			return
		}
		if again, err := ParseAmount(a.String()); err != nil || again != a {
			t.Fatalf("%q: %s reads as %s (%v)", s, a, again, err)
		}
	})
}

// halfEven rounds a fraction to 4 decimals by the definition, with nothing of exact's.
func halfEven(r *big.Rat) *big.Int {
	scaled := new(big.Rat).Mul(r, big.NewRat(10_000, 1))
	floor := new(big.Int).Div(scaled.Num(), scaled.Denom()) // Euclidean: towards −∞, the denominator is positive
	rest := new(big.Rat).Sub(scaled, new(big.Rat).SetInt(floor))
	if c := rest.Cmp(big.NewRat(1, 2)); c > 0 || (c == 0 && floor.Bit(0) == 1) {
		floor.Add(floor, big.NewInt(1))
	}
	return floor
}

func TestRoundingIsHalfEven(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200_000 {
		var e exact
		want := new(big.Rat)
		for range 1 + random.IntN(4) {
			a, b := Decimal(random.Int64N(2e9)-1e9), Decimal(random.Int64N(2e9)-1e9)
			if random.IntN(2) == 0 {
				a, b = a/100*100, 50*(b%1000) // makes ties likely
			}
			e.product(a, b)
			want.Add(want, new(big.Rat).Mul(big.NewRat(int64(a), one), big.NewRat(int64(b), one)))
		}
		divisor := []int64{1, 1, 60, 120, 60 * 7}[random.IntN(5)]
		want.Quo(want, big.NewRat(divisor, 1))
		got, err := e.round(divisor)
		if err != nil {
			t.Fatal(err)
		}
		if w := halfEven(want); w.Cmp(big.NewInt(int64(got))) != 0 {
			t.Fatalf("seed %d: %s rounds to %s, not to %s", seed, want.FloatString(20), Amount(w.Int64()), got)
		}
	}
}

func TestRoundingBeyondTheRange(t *testing.T) {
	var e exact
	e.product(MaxDecimal, MaxDecimal)
	if _, err := e.round(1); !errors.Is(err, ErrAmountOutOfRange) {
		t.Errorf("10^24 rounds with %v", err)
	}
}

// The widest that the bounds of an event allow: products of millions of millions, and divisors of more than 64 bits.
func TestRoundingOfWideNumbers(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	most := new(big.Int).SetInt64(int64(MaxAmount))
	for range 50_000 {
		var e exact
		want := new(big.Rat)
		for range 1 + random.IntN(3) {
			a, b := Decimal(
				random.Int64N(int64(MaxDecimal)>>random.IntN(50)+1),
			), Decimal(
				random.Int64N(int64(MaxDecimal)>>random.IntN(50)+1),
			)
			if random.IntN(4) == 0 {
				a = -a
			}
			factor := []int64{1, 60}[random.IntN(2)]
			e.scaled(a, b, factor)
			term := new(big.Rat).Mul(big.NewRat(int64(a), one), big.NewRat(int64(b), one))
			want.Add(want, term.Mul(term, big.NewRat(factor, 1)))
		}
		divisor := 1 + random.Int64N(60_000_000_000_000>>random.IntN(46))
		want.Quo(want, big.NewRat(divisor, 1))
		w := halfEven(want)
		got, err := e.round(divisor)
		if beyond := new(big.Int).Abs(w).Cmp(most) > 0; beyond != (err != nil) {
			t.Fatalf("seed %d: %s / %d ends with %v", seed, want.FloatString(6), divisor, err)
		}
		if err == nil && w.Cmp(big.NewInt(int64(got))) != 0 {
			t.Fatalf("seed %d: %s rounds to %s, not to %s", seed, want.FloatString(20), got, w)
		}
	}
}

func TestSumsBeyond128Bits(t *testing.T) {
	var e exact
	for range 200 {
		e.product(MaxDecimal, MaxDecimal)
	}
	if _, err := e.round(1); !errors.Is(err, ErrAmountOutOfRange) {
		t.Errorf("2 x 10^26 rounds with %v", err)
	}
}

func TestAmountsInWords(t *testing.T) {
	for a, want := range map[Amount]string{0: "0.0000", 1: "0.0001", -1: "-0.0001", 1_234_567: "123.4567",
		MaxAmount: "99999999999999.9999", -10_000: "-1.0000"} {
		if a.String() != want {
			t.Errorf("%d is %s, not %s", int64(a), a, want)
		}
	}
	for d, want := range map[Decimal]string{0: "0", 1: "0.000001", -1_500_000: "-1.5", 2_000_000: "2",
		MaxDecimal: "1000000000000"} {
		if d.String() != want {
			t.Errorf("%d is %s, not %s", int64(d), d, want)
		}
	}
	if !strings.HasPrefix(fmt.Sprint(MaxAmount), "9999") {
		t.Error("an Amount prints as its digits")
	}
}
