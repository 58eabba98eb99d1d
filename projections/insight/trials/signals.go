package trials

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/makegood/makegood/projections/insight/estimate"
)

const baselineDays = 365

// charts keeps those that were made: stores of as many cases have the same one.
type charts map[[2]int]madeChart

type madeChart struct {
	estimate.Cusum
	err error // why there is none: of many stores of half a case a day one has 119 cases in its year, and not some 180
}

func (c charts) of(cases, stores int) madeChart {
	key := [2]int{cases, stores}
	chart, known := c[key]
	if !known {
		chart.Cusum, chart.err = estimate.NewCusum(estimate.Counts{Cases: cases, Periods: baselineDays, Dispersion: 1}, 2,
			estimate.Budget{PerYear: 1, Charts: stores}.PerPeriod(1))
		c[key] = chart
	}
	return chart
}

// draws makes counts of a mean quickly: by a table of a thousand chances, and exactly beyond.
type draws struct {
	mean  float64
	below []float64
}

func newDraws(mean float64) *draws {
	d := &draws{mean: mean}
	p, sum := math.Exp(-mean), 0.0
	for n := 0; sum < 1-1e-15 && n < 300; n++ {
		sum += p
		d.below = append(d.below, sum)
		p *= mean / float64(n+1)
	}
	return d
}

func (d *draws) draw(r *rand.Rand) int {
	x := r.Float64()
	for n, below := range d.below {
		if x < below {
			return n
		}
	}
	return len(d.below)
}

// signals plays companies until the first false alarm, and stores whose cases double until that is found. A company is
// in a steady state when it begins: its charts have run for a while.
func signals(r *rand.Rand, shops int) []Claim {
	const stores = 200
	c := charts{}
	rates := []*draws{newDraws(0.5), newDraws(1), newDraws(1), newDraws(2), newDraws(5)}
	run := make([]float64, 0, shops)
	for range shops {
		run = append(run, untilFalse(r, c, rates, stores))
	}
	claims := []Claim{Mean("days to the first false alarm, 200 stores", run, 365*0.9, 365*1.1)}
	for _, p := range []struct {
		rate   float64
		charts int
		most   float64
	}{{1, 1, 10}, {10, 1, 3}, {10, stores, 3}, {1, stores, None}} {
		least := estimate.Quickest(p.rate, 2, estimate.Budget{PerYear: 1, Charts: p.charts}.PerPeriod(1))
		found := make([]float64, 0, shops)
		before, after := newDraws(p.rate), newDraws(2*p.rate)
		for range shops {
			found = append(found, untilFound(r, c, before, after, p.charts))
		}
		claims = append(claims, median(fmt.Sprintf("days till a doubling of %g a day is found, 1 of %d (no method: %d)",
			p.rate, p.charts, least), found, -None, p.most))
	}
	return append(claims, limits(r, shops)...)
}

// limits plays weeks of shares and of money that vary more than chance does, of few orders and of many, and counts the
// points that a chart calls: one in a hundred is allowed, or one in a thousand.
func limits(r *rand.Rand, shops int) []Claim {
	const weeks = 52
	var claims []Claim
	for _, c := range []struct {
		orders        int
		share, spread float64
	}{{60, 0.05, 0}, {500, 0.05, 0.3}, {500, 0.01, 0}} {
		for _, alarms := range []float64{0.01, 0.001} {
			outside, points := 0, 20*shops
			for range points {
				var base estimate.Shares
				week := func() (right, of float64) {
					of = float64(c.orders*4/5 + r.IntN(c.orders*2/5))
					wrong := min(poisson(r, of*lognormal(r, c.share, c.spread)), int(of))
					return of - float64(wrong), of
				}
				for range weeks {
					right, of := week()
					base.Right, base.Of = append(base.Right, right), append(base.Of, of)
				}
				right, of := week()
				// A store without a failure in a year has no chart.
				if chart, err := estimate.NewPPrime(base); err == nil && chart.Limits(of, alarms).Outside(right/of) != 0 {
					outside++
				}
			}
			claims = append(claims, Share(fmt.Sprintf("weeks of %d orders, %g %% wrong, outside p′ limits of %g %%", c.orders,
				100*c.share, 100*alarms), outside, points, -None, 2*alarms))
		}
	}
	outside, points := 0, 20*shops
	for range points {
		money := make([]float64, weeks+1)
		for w := range money {
			money[w] = 1000 + 150*r.NormFloat64()
		}
		x, err := estimate.XmR(money[:weeks], 0.01)
		if err != nil {
			panic(err)
		}
		if x.Outside(money[weeks]) != 0 {
			outside++
		}
	}
	return append(claims, Share("weeks of money outside XmR limits of 1 %", outside, points, -None, 0.02))
}

func (d *draws) baseline(r *rand.Rand) int { return poisson(r, d.mean*baselineDays) }

const settling = 60 // days that a chart runs before the company is looked at

func untilFalse(r *rand.Rand, c charts, rates []*draws, stores int) float64 {
	first := math.MaxInt
	for s := range stores {
		rate := rates[s%len(rates)]
		chart := c.of(rate.baseline(r), stores)
		if chart.err != nil {
			continue // it calls nothing
		}
		sum := 0.0
		for day := -settling; day < first; day++ {
			sum = chart.Next(sum, rate.draw(r), 1)
			if sum >= chart.Threshold {
				if sum = 0; day >= 0 {
					first = day
				}
			}
		}
	}
	return float64(first + 1)
}

func untilFound(r *rand.Rand, c charts, before, after *draws, stores int) float64 {
	chart := c.of(before.baseline(r), stores)
	if chart.err != nil {
		panic(chart.err) // a case a day and more always make a chart
	}
	sum := 0.0
	for range settling {
		if sum = chart.Next(sum, before.draw(r), 1); sum >= chart.Threshold {
			sum = 0
		}
	}
	for day := 1; ; day++ {
		if sum = chart.Next(sum, after.draw(r), 1); sum >= chart.Threshold {
			return float64(day)
		}
	}
}
