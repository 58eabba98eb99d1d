package trials

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// Trial holds one estimator against planted truth in so many shops.
type Trial struct {
	Name  string // of the question it belongs to
	About string // what is planted
	Run   func(r *rand.Rand, shops int) []Claim
}

// Trials are all of them.
func Trials() []Trial {
	return []Trial{
		{"signals", "stores of 0.5 to 5 cases a day, baselines of a year; a doubling in one of them", signals},
		{"counter", "ten pickers of 300 orders each, of whom 3 % fail; one errs three times as often, or none", counter},
		{"provision", "18 months of cases that cost at once, later, and are partly paid back", provision},
		{"budget", "a month of 2 to 400 cases, more on some weekdays, none on Sundays; half a year is known", budget},
		{"customers", "large baskets fail more and buy more; a failure costs 12 points, or nothing", customers},
		{"prevention", "eight stores, five causes, common shocks, staggered starts; effects of 0, −20 and −50 %",
			prevention},
		{"what-if", "causes of different size over a year, and the year after", yearly},
		{"vendors", "twelve suppliers of a thousand to three thousand lines; one fails four times as often, or all alike",
			vendors},
		{"sources", "tills of 1 to 10 orders an open hour, looked at every hour; each breaks at the end", sources},
	}
}

// Claim is what a trial measured, and what is wanted: a value between Least and Most.
type Claim struct {
	What        string
	Value       float64
	Margin      float64 // what chance explains in 997 of 1,000 trials of as many shops
	Least, Most float64 // infinite where there is no limit
}

// Holds reports whether the value is within what is wanted, but for what chance explains.
func (c Claim) Holds() bool { return c.Value >= c.Least-c.Margin && c.Value <= c.Most+c.Margin }

func (c Claim) String() string {
	wanted := ""
	switch {
	case math.IsInf(c.Least, -1) && math.IsInf(c.Most, 1):
		wanted = "shown as it is"
	case math.IsInf(c.Most, 1):
		wanted = fmt.Sprintf("at least %.4g", c.Least)
	case math.IsInf(c.Least, -1):
		wanted = fmt.Sprintf("at most %.4g", c.Most)
	default:
		wanted = fmt.Sprintf("%.4g to %.4g", c.Least, c.Most)
	}
	verdict := "ok"
	if !c.Holds() {
		verdict = "NOT HELD"
	} else if c.Value < c.Least || c.Value > c.Most {
		verdict = "within chance"
	}
	return fmt.Sprintf("%-66s %9.4f ± %.4f  (%s: %s)", c.What, c.Value, c.Margin, wanted, verdict)
}

// None is no limit; −None is none below.
var None = math.Inf(1)

// Share is a claim of how often something happened.
func Share(what string, hits, of int, least, most float64) Claim {
	p := float64(hits) / float64(of)
	expected := p
	switch { // the chance of a value at the limit is that of the limit
	case p < least && !math.IsInf(least, 0):
		expected = least
	case p > most && !math.IsInf(most, 0):
		expected = most
	}
	return Claim{what, p, 3 * math.Sqrt(expected*(1-expected)/float64(of)), least, most}
}

// Mean is a claim of a mean. The spread of few values is known badly: of four values three standard errors are left by
// one mean in seventeen, so that the margin is by Student's distribution.
func Mean(what string, values []float64, least, most float64) Claim {
	m, sum := 0.0, 0.0
	for _, x := range values {
		m += x / float64(len(values))
	}
	for _, x := range values {
		sum += (x - m) * (x - m)
	}
	freedom := float64(len(values) - 1)
	wide := distuv.StudentsT{Sigma: 1, Nu: freedom}.Quantile(distuv.UnitNormal.CDF(3))
	return Claim{what, m, wide * math.Sqrt(sum/freedom/float64(len(values))), least, most}
}

// median is a claim of a median; its margin are the ranks that chance leaves to it.
func median(what string, values []float64, least, most float64) Claim {
	x := slices.Clone(values)
	sort.Float64s(x)
	n := len(x)
	reach := int(1.5 * math.Sqrt(float64(n)))
	low, high := x[max(0, n/2-reach)], x[min(n-1, n/2+reach)]
	return Claim{what, x[n/2], max(x[n/2]-low, high-x[n/2]), least, most}
}

// poisson draws a count. Means are below some hundreds.
func poisson(r *rand.Rand, mean float64) int {
	if mean <= 0 {
		return 0
	}
	if mean > 60 { // in parts, so that the first chance isn't lost in a float
		half := mean / 2
		return poisson(r, half) + poisson(r, mean-half)
	}
	n, p, x := 0, math.Exp(-mean), r.Float64()
	for x > p && n < 1000 {
		x -= p
		n++
		p *= mean / float64(n)
	}
	return n
}

// lognormal draws an amount of this mean; most are smaller, some are much larger.
func lognormal(r *rand.Rand, mean, sigma float64) float64 {
	return mean * math.Exp(sigma*r.NormFloat64()-sigma*sigma/2)
}

// cost is what so many cases cost together.
func cost(r *rand.Rand, cases int, mean float64) (sum float64) {
	for range cases {
		sum += lognormal(r, mean, 0.8)
	}
	return sum
}
