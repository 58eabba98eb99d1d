// Package estimate has the figures that a sample carries: each with an interval, the level of that, how many there
// were, and its method, or why nothing can be said yet. Its estimators are pure functions of counts and sums that
// ClickHouse has made. It knows no SQL, no clock and no money of the books; what it draws by lot is the same each time.
// Statistics are floats; what is shown is decimal text.
//
// An interval of level 0.95 covers the truth in 95 of 100 companies: projections/insight/trials holds each estimator
// against companies whose truth is known, and `makegood insight-check` prints how often it was covered.
//
// Distributions and their quantiles are gonum's (gonum.org/v1/gonum: BSD, pure Go, kept since 2013; nothing else in Go
// has Student's, the gamma and the beta distribution with their quantiles).
package estimate

import (
	"math"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"
)

// Estimate is a figure with its interval. Where there is not enough to tell, Enough is false, WhyNot says what would be
// needed, and Value is null where a figure would mislead.
type Estimate struct {
	Value  *string `json:"value"` // decimal text, in the unit of its column
	Low    *string `json:"low"`
	High   *string `json:"high"`
	Level  string  `json:"level"` // of the interval: 0.95
	N      uint64  `json:"n"`
	Method string  `json:"method"`
	Enough bool    `json:"enough"`
	WhyNot string  `json:"why_not,omitempty"`
}

// Text is a figure as an estimate shows it, with so many decimals. What is no number is null.
func Text(x float64, decimals int) *string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	t := strconv.FormatFloat(x, 'f', decimals, 64)
	return &t
}

// Interval are the bounds of an estimated share or rate.
type Interval struct{ Low, High float64 }

// Quantile is that of the standard normal distribution, for p between 0 and 1.
func Quantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// WilsonInterval is the score interval of k out of n (Wilson 1927, JASA 22, 209–212): it stays between 0 and 1, and
// holds for few. n must be above 0, k at most n, level between 0 and 1.
func WilsonInterval(k, n uint64, level float64) Interval {
	z := Quantile((1 + level) / 2)
	size, p := float64(n), float64(k)/float64(n)
	middle := (p + z*z/(2*size)) / (1 + z*z/size)
	half := z / (1 + z*z/size) * math.Sqrt(p*(1-p)/size+z*z/(4*size*size))
	return Interval{max(middle-half, 0), min(middle+half, 1)}
}

// Level95 is the level of intervals where a question doesn't say otherwise.
const Level95 = 0.95

// Wilson is the share of k out of n, times per (1 for a share, 1000 for a rate per thousand), with its 95 % interval.
// With fewer than least it has an interval and isn't enough; of none it has nothing.
func Wilson(k, n, least uint64, per float64) *Estimate {
	e := &Estimate{Level: "0.95", N: n, Method: "wilson", Enough: n >= least && n > 0}
	if !e.Enough {
		e.WhyNot = "at least " + strconv.FormatUint(max(least, 1), 10) + " are needed"
	}
	if n == 0 {
		return e
	}
	i := WilsonInterval(k, n, Level95)
	e.Value, e.Low, e.High = Text(per*float64(k)/float64(n), 6), Text(per*i.Low, 6), Text(per*i.High, 6)
	return e
}

// PoissonInterval is the exact interval of the mean of a count n (Garwood 1936, Biometrika 28, 437–442): it covers
// the mean in at least level of the cases. level is between 0 and 1.
func PoissonInterval(n uint64, level float64) (low, high float64) {
	tail := (1 - level) / 2
	if n > 0 {
		low = distuv.ChiSquared{K: 2 * float64(n)}.Quantile(tail) / 2
	}
	return low, distuv.ChiSquared{K: 2*float64(n) + 2}.Quantile(1-tail) / 2
}
