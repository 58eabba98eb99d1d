package report

import (
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
)

// TestRoundBalanced: rounded amounts still sum to zero, none is off by a unit or more, and what is whole stays as it
// is.
func TestRoundBalanced(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 20_000 {
		decimals := random.IntN(5)
		unit := int64(1)
		for range 4 - decimals {
			unit *= 10
		}
		n := 2 + random.IntN(8)
		exact := make([]int64, n)
		amounts := make([]*big.Int, n)
		var sum int64
		for i := range n {
			if exact[i] = random.Int64N(2_000_000) - 1_000_000; random.IntN(3) == 0 {
				exact[i] -= exact[i] % unit
			}
			if i == n-1 {
				exact[i] = -sum
			}
			sum += exact[i]
			amounts[i] = big.NewInt(exact[i])
		}
		if err := roundBalanced(amounts, decimals); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		var after int64
		for i, a := range amounts {
			got := a.Int64()
			after += got
			if off := got - exact[i]; off <= -unit || off >= unit || got%unit != 0 || (exact[i]%unit == 0 && off != 0) {
				t.Fatalf("seed %d: %d became %d with %d decimals (%v)", seed, exact[i], got, decimals, exact)
			}
		}
		if after != 0 {
			t.Fatalf("seed %d: %v became %v, which sums to %d", seed, exact, amounts, after)
		}
	}
	if err := roundBalanced([]*big.Int{big.NewInt(1)}, 2); err == nil {
		t.Error("what doesn't balance was rounded")
	}
}

// TestCents writes amounts with the decimals of their currency.
func TestCents(t *testing.T) {
	for code, want := range map[string]string{"USD": "-12.30", "JPY": "-12", "KWD": "-12.300", "RSD": "-12.30",
		"CNH": "-12.30", "XXX": "-12.30", "nonsense": "-12.30"} {
		if got := cents(big.NewInt(-123_000), domain.MinorUnit(code)); got != want {
			t.Errorf("%s: %s, not %s", code, got, want)
		}
	}
}
