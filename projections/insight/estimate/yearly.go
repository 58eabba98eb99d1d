package estimate

import (
	"fmt"
	"math"
)

// WeeksAYear are the weeks of a year, leap years among them.
const WeeksAYear = daysAYear / 7

// Yearly is what comes in a year as it came in the weeks known: their mean times a year. The interval is that of a year
// to come, not of the mean alone: a year's own luck is in it.
func Yearly(weeks []float64, level float64) Estimated {
	n := len(weeks)
	if n < LeastWeeks {
		return cannot(n, level, fmt.Sprintf("%d of %d weeks that are needed are known", n, LeastWeeks))
	}
	mean, sum, distances := 0.0, 0.0, make([]float64, n)
	for _, x := range weeks {
		mean += x / float64(n)
	}
	for i, x := range weeks {
		distances[i] = x - mean
		sum += distances[i] * distances[i]
	}
	variance := sum / float64(n-1) * (WeeksAYear + WeeksAYear*WeeksAYear/float64(n))
	half := student(level, freedom(distances)) * math.Sqrt(variance)
	value := mean * WeeksAYear
	return Estimated{Value: value, Low: value - half, High: value + half, Level: level, N: n}
}
