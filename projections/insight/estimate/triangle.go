package estimate

import (
	"fmt"
	"math"
)

// Provision is what is still to come of the failures of some months.
type Provision struct {
	ByCohort []Estimated // still to come, by month of failure, the oldest first
	Total    Estimated
}

// leastCohorts is the least that a development can be read from: its spread is estimated from the months beside one
// another, and the oldest has none.
const leastCohorts = 6

// ChainLadder estimates what is still to come (Mack 1993): each age of a cohort is to the age before as those of older
// cohorts were, and the error is what the ratios vary, of process and of estimate. triangle holds, for each month of
// failure from the oldest, what came in the month itself, in the next, and so on up to now: each row is one shorter
// than the row before. What comes at a greater age than the oldest row has isn't estimated.
func ChainLadder(triangle [][]float64, level float64) (Provision, error) {
	n := len(triangle)
	for i, row := range triangle {
		if len(row) != n-i {
			return Provision{}, fmt.Errorf("row %d of the triangle has %d ages, not %d", i, len(row), n-i)
		}
	}
	p := Provision{ByCohort: make([]Estimated, n)}
	if n < leastCohorts {
		return p.refuse(level, fmt.Sprintf("%d whole months are known; %d are needed", n, leastCohorts)), nil
	}
	c := cumulate(triangle)
	f, spread, err := ratios(c)
	if err != nil {
		return p.refuse(level, err.Error()), nil
	}
	p.mack(c, f, spread, level)
	return p, nil
}

func (p Provision) refuse(level float64, why string) Provision {
	p.Total = cannot(len(p.ByCohort), level, why)
	for i := range p.ByCohort {
		p.ByCohort[i] = p.Total
	}
	return p
}

func cumulate(triangle [][]float64) [][]float64 {
	c := make([][]float64, len(triangle))
	for i, row := range triangle {
		sum := 0.0
		for _, x := range row {
			sum += x
			c[i] = append(c[i], sum)
		}
	}
	return c
}

// ratios are how each age is to the age before, and the variance of that per unit of money.
func ratios(c [][]float64) (f, spread []float64, err error) {
	n := len(c)
	f, spread = make([]float64, n-1), make([]float64, n-1)
	for j := range n - 1 {
		var before, after float64
		for i := range n - 1 - j {
			if c[i][j] <= 0 {
				return nil, nil, fmt.Errorf("month %d has come to nothing by age %d: its development can't be read", i+1, j)
			}
			before, after = before+c[i][j], after+c[i][j+1]
		}
		f[j] = after / before
		for i := range n - 1 - j {
			d := c[i][j+1]/c[i][j] - f[j]
			spread[j] += c[i][j] * d * d
		}
		if known := n - 2 - j; known > 0 {
			spread[j] /= float64(known)
		}
	}
	// The last ratio has one month to be read from; its spread is no more than those before it let expect.
	spread[n-2] = math.Min(spread[n-3], spread[n-4])
	if spread[n-4] > 0 {
		spread[n-2] = math.Min(spread[n-2], spread[n-3]*spread[n-3]/spread[n-4])
	}
	return f, spread, nil
}

// mack fills in what is still to come of each cohort and of all, with their mean squared errors.
func (p *Provision) mack(c [][]float64, f, spread []float64, level float64) {
	n := len(c)
	ultimate := make([]float64, n)
	total := 0.0
	for i := range n {
		ultimate[i] = c[i][n-1-i]
		for j := n - 1 - i; j < n-1; j++ {
			ultimate[i] *= f[j]
		}
		total += ultimate[i] - c[i][n-1-i]
	}
	parts := make([]float64, n-1)
	for i := range n {
		later := 0.0
		for k := i + 1; k < n; k++ {
			later += ultimate[k]
		}
		at, own := c[i][n-1-i], make([]float64, n-1)
		for j := n - 1 - i; j < n-1; j++ {
			before := 0.0
			for k := range n - 1 - j {
				before += c[k][j]
			}
			each := spread[j] / (f[j] * f[j])
			own[j] = ultimate[i] * ultimate[i] * each * (1/at + 1/before)
			parts[j] += own[j] + 2*ultimate[i]*later*each/before
			at *= f[j]
		}
		p.ByCohort[i] = withError(ultimate[i]-c[i][n-1-i], own, level, n)
	}
	p.Total = withError(total, parts, level, n)
}

// withError is a value whose mean squared error has these parts, one for each age: the ratio of that age is read from
// one month less than the age before. The degrees of freedom are those of Satterthwaite (1946).
func withError(value float64, parts []float64, level float64, n int) Estimated {
	variance, weight := 0.0, 0.0
	for j, part := range parts {
		variance += part
		weight += part * part / float64(max(1, n-2-j))
	}
	half := 0.0
	if weight > 0 {
		half = student(level, variance*variance/weight) * math.Sqrt(variance)
	}
	return Estimated{Value: value, Low: value - half, High: value + half, Level: level, N: n}
}
