package estimate

import (
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"
)

// Estimated is an estimate with its bounds. Where WhyNot says something, nothing else of it may be shown but N.
type Estimated struct {
	Value, Low, High float64
	Level            float64 // the share of intervals like this one that cover the truth: 0.95
	N                int     // what it rests on: orders, failures, weeks
	WhyNot           string  // what would be needed; empty: enough is known
}

// Enough reports whether the estimate may be shown.
func (e Estimated) Enough() bool { return e.WhyNot == "" }

// Covers reports whether the truth is within the bounds.
func (e Estimated) Covers(truth float64) bool { return e.Low <= truth && truth <= e.High }

// cannot is an estimate that can't be given.
func cannot(n int, level float64, why string) Estimated {
	return Estimated{N: n, Level: level, WhyNot: why}
}

// student is how many standard errors lie on either side of an estimate whose variance has so many degrees of freedom.
func student(level, freedom float64) float64 {
	return distuv.StudentsT{Sigma: 1, Nu: freedom}.Quantile((1 + level) / 2)
}

// freedom is how many degrees of freedom a variance has that is read from distances to a mean: twice its squared mean
// over its variance (Satterthwaite 1946). That of n distances of kurtosis k varies by (k−1)/n of its square, so it is
// 2n/(k−1): n for normal ones, few where a few large distances are most of it, as in weeks of few failures. It is at
// most n−1, and at least 1.
func freedom(distances []float64) float64 {
	n, square, fourth := float64(len(distances)), 0.0, 0.0
	for _, d := range distances {
		square += d * d
		fourth += d * d * d * d
	}
	if square == 0 {
		return n - 1
	}
	kurtosis := n * fourth / (square * square)
	return max(1, min(n-1, 2*n/(kurtosis-1)))
}

// Estimate writes it with so many decimals, as an answer carries it.
func (e Estimated) Estimate(method string, decimals int) *Estimate {
	a := &Estimate{Level: strconv.FormatFloat(e.Level, 'f', -1, 64), N: uint64(max(0, e.N)), Method: method,
		Enough: e.Enough(), WhyNot: e.WhyNot}
	if a.Enough {
		a.Value, a.Low, a.High = Text(e.Value, decimals), Text(e.Low, decimals), Text(e.High, decimals)
	}
	return a
}
