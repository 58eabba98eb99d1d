package estimate

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// The tests of this file work intervals out a second time, in another way.

// fit is a weighted least squares: coefficients, their covariance per unit of dispersion, and the dispersion.
func fit(t *testing.T, x *mat.Dense, y, weights []float64) (beta *mat.VecDense, cov *mat.Dense, dispersion float64) {
	t.Helper()
	n, k := x.Dims()
	var wx, information mat.Dense
	wx.Mul(mat.NewDiagDense(n, weights), x)
	information.Mul(x.T(), &wx)
	cov, beta = mat.NewDense(k, k, nil), mat.NewVecDense(k, nil)
	if err := cov.Inverse(&information); err != nil {
		t.Fatal(err)
	}
	var right, fitted mat.VecDense
	right.MulVec(wx.T(), mat.NewVecDense(n, y))
	beta.MulVec(cov, &right)
	fitted.MulVec(x, beta)
	for i := range y {
		dispersion += weights[i] * (y[i] - fitted.AtVec(i)) * (y[i] - fitted.AtVec(i)) / float64(n-k)
	}
	return beta, cov, dispersion
}

// TestYearlyByRegression predicts a year as so many weeks of a regression on nothing but a mean.
func TestYearlyByRegression(t *testing.T) {
	weeks := []float64{12, 40, 0, 33, 18, 47, 25, 9, 44, 30, 12, 5}
	x, ones := mat.NewDense(len(weeks), 1, nil), make([]float64, len(weeks))
	for i := range weeks {
		x.Set(i, 0, 1)
		ones[i] = 1
	}
	beta, cov, dispersion := fit(t, x, weeks, ones)
	const year = 365.25 / 7
	deviation := math.Sqrt(dispersion * (year + year*year*cov.At(0, 0)))
	e := Yearly(weeks, 0.95)
	near(t, "the year", e.Value, beta.AtVec(0)*year, 1e-9)
	near(t, "half of the interval", e.High-e.Value, 2.20099*deviation, 1e-2) // Student's 97.5 % for 11
}

// TestFreedomOfFewLargeWeeks plays weeks, most of them empty, and holds the degrees of freedom against how the variance
// that is read from them varies.
func TestFreedomOfFewLargeWeeks(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 7))
	const weeks, rounds = 4000, 2000
	week := func() float64 {
		if r.Float64() < 0.9 {
			return 0
		}
		return 50 + 20*r.NormFloat64()
	}
	known, mean, square := make([]float64, weeks), 0.0, 0.0
	for range rounds {
		sum, squares := 0.0, 0.0
		for i := range known {
			known[i] = week()
			sum, squares = sum+known[i], squares+known[i]*known[i]
		}
		variance := (squares - sum*sum/weeks) / (weeks - 1)
		mean, square = mean+variance/rounds, square+variance*variance/rounds
		for i := range known {
			known[i] -= sum / weeks
		}
	}
	played := 2 * mean * mean / (square - mean*mean)
	near(t, "degrees of freedom over those that were played", freedom(known)/played, 1, 0.2)
	near(t, "of normal weeks", freedom([]float64{-1, 1, -1, 1}), 3, 0)
	near(t, "of one large week", freedom([]float64{100, 0, 0, 0}), 8.0/3, 1e-12)
	near(t, "of nothing", freedom([]float64{0, 0, 0}), 2, 0)
}

// TestEffectByLeavingOut reads the spread of an effect from what it becomes without each week.
func TestEffectByLeavingOut(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 5))
	const before, after = 52, 48
	treated, other := Unit{Start: before}, Unit{Start: Never}
	for w := range before + after {
		shock := math.Exp(0.2 * r.NormFloat64())
		rate := 40 * shock
		if w >= before {
			rate *= 0.7
		}
		for u, mean := range map[*Unit]float64{&treated: rate, &other: 400 * shock} {
			u.Orders = append(u.Orders, 100+20*r.Float64())
			u.Amount = append(u.Amount, mean*(1+0.3*r.NormFloat64()))
		}
	}
	effect := func(without int) float64 {
		units := [2]Unit{{Start: before}, {Start: Never}}
		for u, all := range [2]*Unit{&treated, &other} {
			for w := range all.Amount {
				if w != without {
					units[u].Amount = append(units[u].Amount, all.Amount[w])
					units[u].Orders = append(units[u].Orders, all.Orders[w])
				}
			}
		}
		if without >= 0 && without < before {
			units[0].Start--
		}
		return math.Log1p(DifferenceInDifferences(units[:], 0, 0.95).Change.Value)
	}
	variance := 0.0
	for _, span := range [][2]int{{0, before}, {before, before + after}} {
		n := float64(span[1] - span[0])
		sum, squares := 0.0, 0.0
		for w := span[0]; w < span[1]; w++ {
			x := effect(w)
			sum, squares = sum+x, squares+x*x
		}
		variance += (n - 1) / n * (squares - sum*sum/n)
	}
	e := DifferenceInDifferences([]Unit{treated, other}, 0, 0.95)
	half := (math.Log1p(e.Change.High) - math.Log1p(e.Change.Low)) / 2
	near(t, "half of the interval over the deviation", half/math.Sqrt(variance), 1.985, 0.2) // Student's 97.5 % for 96
}

// TestLimitsOfTextbooks: with many periods and the false alarms of three deviations, an individuals chart has the
// limits of Shewhart's constant, 2.66 mean ranges; a p′ chart of periods of one size, with so many failures that they
// lean to no side, is the individuals chart of its shares.
func TestLimitsOfTextbooks(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 6))
	const three = 0.0026998 // chance that a normal variable is three deviations away
	const orders = 1_000_000
	x, base := make([]float64, 20_000), Shares{}
	for i := range x {
		x[i] = 50 + 7*r.NormFloat64()
		right := orders * (0.9 + 0.02*r.NormFloat64()) // binomial chance alone would be 0.0003
		base.Right, base.Of = append(base.Right, right), append(base.Of, orders)
	}
	limits, err := XmR(x, three)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the constant", (limits.High-limits.Centre)/meanRange(x), 2.66, 0.005)
	chart, err := NewPPrime(base)
	if err != nil {
		t.Fatal(err)
	}
	p := chart.Limits(orders, 0.01)
	shares := make([]float64, len(base.Right))
	for i := range shares {
		shares[i] = base.Right[i] / orders
	}
	alike, err := XmR(shares, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "low", p.Low, alike.Low, 1e-9)
	near(t, "high", p.High, alike.High, 1e-9)
}

// TestLimitsOfHardlyMoreThanChance: weeks that vary by next to nothing more than chance have the limits of those that
// vary as chance does. Rounding kept the chances from summing to 1, and they were added up until memory ended.
func TestLimitsOfHardlyMoreThanChance(t *testing.T) {
	for _, spread := range []float64{1 + 2e-9, 1 + 1e-8, 1 + 1e-7, 1 + 1e-6, 1 + 1e-4} {
		var c [2]Limits
		for i, spread := range []float64{1, spread} {
			one := []float64{1}
			chart := PPrime{share: 0.95, rates: []float64{0.05}, spreads: []float64{spread}, steps: one}
			c[i] = chart.Limits(500, 0.01)
		}
		if c[0] != c[1] || c[0].Low < 0.9 || c[0].High > 0.99 {
			t.Errorf("of a spread of %g the limits are %+v, of chance %+v", spread, c[1], c[0])
		}
	}
}

// TestScoreIntervals holds what Newcombe (1998, Statistics in Medicine 17, 857–872, table I, method 3) prints.
func TestScoreIntervals(t *testing.T) {
	for _, c := range []struct {
		k, n      uint64
		low, high float64
	}{{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}} {
		i := WilsonInterval(c.k, c.n, 0.95)
		near(t, "low", i.Low, c.low, 5e-5)
		near(t, "high", i.High, c.high, 5e-5)
	}
}
