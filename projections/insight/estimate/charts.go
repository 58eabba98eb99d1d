package estimate

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Budget is how many false alarms a year the company accepts, shared by all its charts: with one a year for 200 charts
// each may call once in 200 years.
type Budget struct {
	PerYear float64
	Charts  int
}

// PerPeriod is what one chart may call falsely per period of so many days: in half of them at most.
func (b Budget) PerPeriod(days float64) float64 {
	return min(0.5, b.PerYear*days/daysAYear/float64(max(1, b.Charts)))
}

const daysAYear = 365.25

// Limits are those of a chart; a point outside of them is a signal.
type Limits struct{ Centre, Low, High float64 }

// Outside is -1 below the limits, 1 above them, else 0.
func (l Limits) Outside(x float64) int {
	switch {
	case x < l.Low:
		return -1
	case x > l.High:
		return 1
	}
	return 0
}

// Shares is a p chart's baseline: of so many in each period so many were right.
type Shares struct{ Right, Of []float64 }

// PPrime is a p′ chart (Laney 2002, Quality Engineering 14, 531–537): a p chart whose limits are widened by how
// much more the periods of its baseline vary than chance does.
type PPrime struct {
	share   float64
	factor  float64 // by which limits are wider than those of a p chart: at least 1
	periods int     // with orders
	// What the baseline leaves open: failures an order, and by how much they vary more than chance, at even steps of a
	// normal variable; steps are the weights of both.
	rates, spreads, steps []float64
}

// NewPPrime makes the chart of a baseline. The factor is the mean moving range of the periods' z over its expectation
// for a normal variable, 2/√π; below 1 it counts as 1, and the chart is a p chart.
func NewPPrime(base Shares) (*PPrime, error) {
	var right, of float64
	for i := range base.Of {
		right, of = right+base.Right[i], of+base.Of[i]
	}
	if len(base.Of) < leastPeriods || right == of || right == 0 {
		return nil, fmt.Errorf("%d periods and %g failures are known; %d periods are needed, and some failures",
			len(base.Of), of-right, leastPeriods)
	}
	p := right / of
	z := make([]float64, 0, len(base.Of))
	for i, of := range base.Of {
		if of > 0 {
			z = append(z, (base.Right[i]/of-p)/math.Sqrt(p*(1-p)/of))
		}
	}
	if len(z) < leastPeriods {
		return nil, fmt.Errorf("orders are known of %d periods; %d are needed", len(z), leastPeriods)
	}
	factor := meanRange(z) / expectedRange
	c := &PPrime{share: p, factor: math.Max(1, factor), periods: len(z)}
	spread, freedom := factor*factor, freedomPerRange*float64(len(z)-1)
	variance := distuv.ChiSquared{K: freedom}
	rate := distuv.Gamma{Alpha: (of - right + 0.5) / math.Max(1, spread), Beta: of / math.Max(1, spread)}
	sum := 0.0
	for u := -3.0; u <= 3; u += 0.5 {
		at := distuv.UnitNormal.CDF(u)
		c.spreads = append(c.spreads, math.Max(1, spread*freedom/variance.Quantile(at)))
		c.rates = append(c.rates, rate.Quantile(at))
		c.steps = append(c.steps, distuv.UnitNormal.Prob(u))
		sum += distuv.UnitNormal.Prob(u)
	}
	for i := range c.steps {
		c.steps[i] /= sum
	}
	return c, nil
}

// Limits are those for a period of n orders. Laney's lie so many deviations from the centre, which calls too often
// where failures are few, since few lean to one side: these are tails of the negative binomial distribution of
// that spread, which is that of counts whose mean varies (Greenwood and Yule 1920, Journal of the Royal Statistical
// Society 83, 255–279), averaged over what the baseline leaves open of its mean and its spread. alarms: the chance
// that a point of a process that didn't change is outside.
func (c *PPrime) Limits(n, alarms float64) Limits {
	if p := c.share; n*(1-p) > mostCases { // so many lean to no side
		half := wide(alarms, c.periods) * c.factor * math.Sqrt(p*(1-p)/n)
		return Limits{Centre: p, Low: math.Max(0, p-half), High: math.Min(1, p+half)}
	}
	few, many := c.failures(n, alarms/2)
	return Limits{Centre: c.share, Low: math.Max(0, 1-(many-0.5)/n), High: math.Min(1, 1-(few+0.5)/n)}
}

// failures returns two counts of n orders: few or less come at most with the chance given, and so do many or more. few
// is -1 where even 0 is not rare enough.
func (c *PPrime) failures(n, chance float64) (few, many float64) {
	var counts []float64 // chances of 0, 1, 2 … failures, averaged
	for i, spread := range c.spreads {
		for j, rate := range c.rates {
			mean, rest := rate*n, 1.0
			for k, p := range chances(mean, spread) {
				if k == len(counts) {
					counts = append(counts, 0)
				}
				counts[k] += c.steps[i] * c.steps[j] * p
				// What is left may never be so little: where counts hardly spread more than chance, rounding leaves more.
				if rest -= p; float64(k) > mean && (rest < 1e-9 || p < 1e-14) {
					break
				}
			}
		}
	}
	few, many = -1, float64(len(counts))
	for k, below := 0, 0.0; k < len(counts); k++ {
		if below += counts[k]; below > chance {
			break
		}
		few = float64(k)
	}
	for k, above := len(counts)-1, 0.0; k >= 0; k-- {
		if above += counts[k]; above > chance {
			break
		}
		many = float64(k)
	}
	return few, many
}

// leastPeriods is the least of a baseline of periods: a moving range of 20 is known to within a quarter.
const leastPeriods = 20

// XmR makes the limits of an individuals chart (Shewhart 1931) for weekly money: the baseline's mean, and on each
// side so many standard deviations as the false alarms allow, the deviation read from the mean moving range.
func XmR(base []float64, alarms float64) (Limits, error) {
	if len(base) < leastPeriods {
		return Limits{}, fmt.Errorf("%d periods are known; %d are needed", len(base), leastPeriods)
	}
	mean := 0.0
	for _, x := range base {
		mean += x / float64(len(base))
	}
	half := wide(alarms, len(base)) * meanRange(base) / expectedRange
	return Limits{Centre: mean, Low: mean - half, High: mean + half}, nil
}

// expectedRange is the mean distance of two normal variables of deviation 1: E|X−Y| = 2/√π.
const expectedRange = 2 / math.SqrtPi

// meanRange is the mean distance of neighbours.
func meanRange(x []float64) float64 {
	sum := 0.0
	for i := 1; i < len(x); i++ {
		sum += math.Abs(x[i] - x[i-1])
	}
	return sum / float64(len(x)-1)
}

// wide is how many deviations a limit lies from the centre, where centre and deviation are estimated from n periods: a
// new point varies by √(1+1/n), and the deviation has the degrees of freedom that a mean of moving ranges leaves.
func wide(alarms float64, n int) float64 {
	return student(1-alarms, freedomPerRange*float64(n-1)) * math.Sqrt(1+1/float64(n))
}

// freedomPerRange is how many degrees of freedom one moving range is worth: half its mean squared over its variance. A
// range of normal variables has the mean 2/√π and the variance 2 − 4/π; neighbours share a point, so their
// covariance, 4/π (√3/2 + π/12 − 1), counts twice. It is 0.605.
var freedomPerRange = 4 / math.Pi / 2 / (2 - 4/math.Pi + 8/math.Pi*(math.Sqrt(3)/2+math.Pi/12-1))
