package estimate

import (
	"fmt"
	"math"
)

// Days are a run of days: what failures cost on each, and its weekday (0 is Sunday).
type Days struct {
	Weekday []int
	Amount  []float64
}

// leastDays is the least history of a forecast: each weekday was seen at least once, and the spread around them has
// something left to be read from.
const leastDays = 10

// Forecast is what the coming days will cost together: each its weekday's mean. Days vary around it in proportion to
// it, as sums of many cases do (quasi-Poisson); the interval is of the sum itself, not of its mean. A weekday that
// wasn't seen counts as closed where two weeks are known, else as the mean of the others.
func Forecast(known Days, coming []int, level float64) Estimated {
	n := len(known.Amount)
	if n < leastDays {
		return cannot(n, level, fmt.Sprintf("%d days are known; %d are needed", n, leastDays))
	}
	var seen, sum, mean [7]float64
	all := 0.0
	for i, x := range known.Amount {
		seen[known.Weekday[i]]++
		sum[known.Weekday[i]] += x
		all += x
	}
	open := 0
	for d := range mean {
		switch {
		case seen[d] > 0:
			if mean[d] = sum[d] / seen[d]; mean[d] > 0 {
				open++
			}
		case n < 14:
			mean[d] = all / float64(n)
		}
	}
	// Closed days say nothing of how the open ones vary.
	freedom, spread := -float64(open), 0.0
	for i, x := range known.Amount {
		if m := mean[known.Weekday[i]]; m > 0 {
			spread += (x - m) * (x - m) / m
			freedom++
		}
	}
	if freedom < 1 {
		return cannot(n, level, "failures cost something on too few days to see how they vary")
	}
	spread /= freedom
	var times [7]float64
	for _, d := range coming {
		times[d]++
	}
	total, variance := 0.0, 0.0
	for d, k := range times {
		total += k * mean[d]
		variance += spread * mean[d] * (k + k*k/math.Max(1, seen[d]))
	}
	half := student(level, freedom) * math.Sqrt(variance)
	return Estimated{Value: total, Low: math.Max(0, total-half), High: total + half, Level: level, N: n}
}
