package estimate

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// The tests of this file work estimates out a second time, in another way.

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s is %v, want %v ± %v", what, got, want, tolerance)
	}
}

// TestTriangleOfTaylorAndAshe holds the provision and its error against what Mack (1993) gives for this triangle.
func TestTriangleOfTaylorAndAshe(t *testing.T) {
	p, err := ChainLadder([][]float64{
		{357848, 766940, 610542, 482940, 527326, 574398, 146342, 139950, 227229, 67948},
		{352118, 884021, 933894, 1183289, 445745, 320996, 527804, 266172, 425046},
		{290507, 1001799, 926219, 1016654, 750816, 146923, 495992, 280405},
		{310608, 1108250, 776189, 1562400, 272482, 352053, 206286},
		{443160, 693190, 991983, 769488, 504851, 470639},
		{396132, 937085, 847498, 805037, 705960},
		{440832, 847631, 1131398, 1063269},
		{359480, 1061648, 1443370},
		{376686, 986608},
		{344014},
	}, 0.8)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the provision", p.Total.Value, 18_680_856, 1)
	near(t, "the provision of the last year", p.ByCohort[9].Value, 4_625_811, 1)
	sum := 0.0
	for _, x := range p.ByCohort {
		sum += x.Value
	}
	near(t, "the sum of the cohorts", sum, p.Total.Value, 1e-6)
	// Mack's standard error is 2,447,095; the interval is that times a quantile between the normal one (1.2816) and that
	// of 5 degrees of freedom (1.4759).
	if half := p.Total.High - p.Total.Value; half < 1.2816*2_447_095 || half > 1.4759*2_447_095 {
		t.Errorf("half of the interval is %v", half)
	}
}

// TestHazardIsThatOfTheRunLength solves the equations of the mean run length (Brook and Evans 1972) and compares: a
// chart in its steady state calls as often as one in so many periods.
func TestHazardIsThatOfTheRunLength(t *testing.T) {
	for _, c := range []struct {
		mean, spread     float64
		steps, reference int
		threshold        int
	}{{1, 1, 8, 12, 60}, {1, 1.7, 8, 12, 90}, {5, 1, 8, 58, 80}, {0.3, 1, 19, 8, 150},
		{900, 4, 2, 1960, 300}} {
		chain := newChain([]float64{c.mean}, c.spread, c.steps, c.reference)
		hazard := chain.hazard([]float64{1}, c.threshold)
		a := mat.NewDense(c.threshold, c.threshold, nil)
		ones := mat.NewVecDense(c.threshold, nil)
		for s := range c.threshold {
			ones.SetVec(s, 1)
			a.Set(s, s, 1)
			for n, p := range chain.counts[0] {
				if to := max(0, s+n*c.steps-c.reference); to < c.threshold {
					a.Set(s, to, a.At(s, to)-p)
				}
			}
		}
		var lengths mat.VecDense
		if err := lengths.SolveVec(a, ones); err != nil {
			t.Fatal(err)
		}
		// From zero the first run is a little longer than later ones.
		if ratio := lengths.AtVec(0) * hazard; ratio < 1 || ratio > 1.1 {
			t.Errorf("mean %v: a run of %v periods, a hazard of %v: times each other %v", c.mean, lengths.AtVec(0),
				hazard, ratio)
		}
	}
}

// TestTailIsThatOfCounting compares with whole numbers, counted out.
func TestTailIsThatOfCounting(t *testing.T) {
	exact := func(all, failed, n, k int) float64 {
		sum := new(big.Int)
		for x := k; x <= min(n, failed); x++ {
			if n-x <= all-failed {
				a := new(big.Int).Binomial(int64(failed), int64(x))
				sum.Add(sum, a.Mul(a, new(big.Int).Binomial(int64(all-failed), int64(n-x))))
			}
		}
		r, _ := new(big.Rat).SetFrac(sum, new(big.Int).Binomial(int64(all), int64(n))).Float64()
		return r
	}
	r := rand.New(rand.NewPCG(14, 1))
	for range 300 {
		all := 2 + r.IntN(400)
		failed, n := r.IntN(all+1), 1+r.IntN(all)
		k := r.IntN(n + 1)
		want := exact(all, failed, n, k)
		near(t, fmt.Sprint("the tail of ", all, failed, n, k), hypergeometricTail(all, failed, n, k), want, 1e-9+1e-7*want)
	}
}

// TestSharesByIntegration integrates over the chance to fail by a sum, where the estimate knows the moments.
func TestSharesByIntegration(t *testing.T) {
	people := []Handled{{"a", 400, 9}, {"b", 250, 12}, {"c", 90, 1}, {"d", 700, 44}}
	s := fitBeta(people)
	for _, p := range people {
		weight, mean := 0.0, 0.0
		const steps = 20000
		for i := range steps {
			x := (float64(i) + 0.5) / steps
			density := 0.0
			for k, b := range s.possible {
				density += s.weights[k] * math.Exp((b.alpha+float64(p.Failed)-1)*math.Log(x)+
					(b.beta+float64(p.Orders-p.Failed)-1)*math.Log1p(-x)-
					lbeta(b.alpha+float64(p.Failed), b.beta+float64(p.Orders-p.Failed)))
			}
			weight, mean = weight+density, mean+density*x
		}
		near(t, p.Who, s.right(p, 0.95).Value, 1-mean/weight, 1e-4)
	}
}

// TestMatchByUnits matches order by order, and leaves each group out by taking its orders away.
func TestMatchByUnits(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 2))
	type order struct {
		stratum, group int
		failed, back   bool
	}
	var orders []order
	var cells []Cell
	for range 3000 {
		o := order{r.IntN(12), r.IntN(Groups), false, false}
		o.failed = r.Float64() < 0.05+0.02*float64(o.stratum)
		o.back = r.Float64() < 0.3+0.03*float64(o.stratum)
		orders = append(orders, o)
		c := Cell{Stratum: fmt.Sprint(o.stratum), Group: o.group, Failed: o.failed, Tally: Tally{N: 1}}
		if o.back {
			c.Back = 1
		}
		cells = append(cells, c)
	}
	difference := func(without int) float64 {
		sum, n := 0.0, 0.0
		for _, f := range orders {
			if !f.failed || f.group == without {
				continue
			}
			alike, back := 0.0, 0.0
			for _, o := range orders {
				if !o.failed && o.stratum == f.stratum && o.group != without {
					alike++
					if o.back {
						back++
					}
				}
			}
			if alike > 0 {
				n++
				sum -= back / alike
				if f.back {
					sum++
				}
			}
		}
		return sum / n
	}
	m := Match(cells, 0.95)
	near(t, "the difference", m.Back.Value, difference(-1), 1e-9)
	mean, square := 0.0, 0.0
	for g := range Groups {
		d := difference(g)
		mean, square = mean+d/Groups, square+d*d
	}
	deviation := math.Sqrt((square - Groups*mean*mean) * (Groups - 1) / Groups)
	near(t, "half of the interval", m.Back.High-m.Back.Value, 2.0687*deviation, 1e-4) // Student's 97.5 % for 23
}

// TestKnownIntervals holds what papers print.
func TestKnownIntervals(t *testing.T) {
	d := Difference(Arm{70, 56}, Arm{80, 48}, 0.95) // Newcombe 1998, table II, (a), method 10
	near(t, "low", d.Low, 0.0524, 5e-5)
	near(t, "high", d.High, 0.3339, 5e-5)
	m := Matched{BackAlike: 0.1, Back: Estimated{Value: 0.29, Low: 0.08, High: 0.5}} // a ratio of 3.9
	m.bound()
	near(t, "E-value", m.EValue, 7.26, 5e-3) // VanderWeele and Ding 2017
	near(t, "E-value of the bound", m.EBound, 1.8+math.Sqrt(1.8*0.8), 1e-9)
	near(t, "ranges", freedomPerRange, 0.605, 5e-4)
}

// TestFreedomOfRanges plays the moving ranges whose degrees of freedom are worked out.
func TestFreedomOfRanges(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 3))
	const n, rounds = 60, 20000
	mean, square := 0.0, 0.0
	x := make([]float64, n)
	for range rounds {
		for i := range x {
			x[i] = r.NormFloat64()
		}
		m := meanRange(x)
		mean, square = mean+m/rounds, square+m*m/rounds
	}
	near(t, "the mean range", mean, expectedRange, 0.005)
	near(t, "degrees of freedom", mean*mean/(square-mean*mean)/2/(n-1), freedomPerRange, 0.02)
}

// TestEffectWithoutNoise finds an effect to the last digit where nothing else happens but what befalls all.
func TestEffectWithoutNoise(t *testing.T) {
	var units []Unit
	for i, effect := range []float64{-0.3, 0, 0.1, 0} {
		u := Unit{Start: []int{30, Never, 40, Never}[i]}
		for w := range 60 {
			orders := float64(100 + 10*i + w%(3+i))
			rate := 0.5 * float64(1+i) * (1 + 0.2*math.Sin(float64(w)))
			if u.Start != Never && w >= u.Start {
				rate *= 1 + effect
			}
			u.Orders, u.Amount = append(u.Orders, orders), append(u.Amount, orders*rate)
		}
		units = append(units, u)
	}
	e := DifferenceInDifferences(units, 0, 0.95)
	near(t, "the change", e.Change.Value, -0.3, 1e-6)
	if e.Controls != 2 || e.Before != 30 || e.After != 30 {
		t.Errorf("%+v", e)
	}
	cost := 0.0
	for _, x := range units[0].Amount[30:] {
		cost += x
	}
	near(t, "what was saved", e.Saved.Value, cost*(1/(1+e.Change.Value)-1), 1e-9)
	if week, back := e.PaidBack(e.BySince[4]); !back || week != 4 {
		t.Errorf("paid back in week %d, %v", week, back)
	}
}

// TestPoissonInterval holds the interval against the two tails that define it, summed term by term.
func TestPoissonInterval(t *testing.T) {
	term := func(k uint64, mean float64) float64 {
		return math.Exp(float64(k)*math.Log(mean) - mean - lfactorial(int(k)))
	}
	for _, n := range []uint64{0, 1, 5, 23, 400} {
		low, high := PoissonInterval(n, 0.95)
		below := 0.0
		for k := range n + 1 {
			below += term(k, high)
		}
		near(t, "at most n where the mean is the upper bound", below, 0.025, 1e-9)
		if n == 0 {
			near(t, "the lower bound of none", low, 0, 0)
			continue
		}
		below = 0
		for k := range n {
			below += term(k, low)
		}
		near(t, "at least n where the mean is the lower bound", 1-below, 0.025, 1e-9)
	}
}
