package estimate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// A forecast needs so many whole weeks, and so many of them in which failures cost something: of fewer the interval
// holds the end too seldom.
const (
	leastWeeksKnown = 4
	leastWeeksUsed  = 4
)

// mostComing is how many days a forecast reaches: what the weeks known say of later ones isn't held against anything.
const mostComing = 366

// drawn is how many futures are drawn: a bound lies within half a point of its chance.
const drawn = 4000

// Forecast is what the coming days will cost together, after days whose cost is known, the last of them the day before
// the first that comes. Its value is the mean of the weeks known, from the coming days' first weekday on. Its interval
// is of the sum itself, not of its mean. It is read from futures that are drawn, week by week, out of the weeks known:
// costs of one failure follow each other within days, sizes are skewed, and of a small store many weeks cost
// nothing; a week that is drawn has all of that. The draws are the same each time.
//
// Each week drawn goes back with a second of its kind (the urn of Blackwell and MacQueen 1973, Annals of Statistics 1),
// which is what the weeks known leave open of all weeks (Rubin 1981, Annals of Statistics 9). Its spread is somewhat
// too small: of n weeks, by (n−1)/(n+1) of the variance, and by what Student's distribution is wider than the normal
// one. The futures are drawn apart by that.
//
// A sum that may be nothing has no interval that leaves out as many below as above. Where more than a quarter of what
// the interval leaves out comes to nothing, it begins there, and all that it leaves out is above. Where nothing comes
// more often than the level, no interval covers less.
func Forecast(known []float64, coming int, level float64) Estimated {
	weeks, ends := wholeWeeks(known, coming%7)
	n, used := len(weeks), 0
	for _, x := range weeks {
		if x != 0 {
			used++
		}
	}
	switch {
	case coming > mostComing:
		return cannot(len(known), level, fmt.Sprintf("a forecast reaches %d days at most", mostComing))
	case n < leastWeeksKnown:
		return cannot(len(known), level, fmt.Sprintf("%d whole weeks are known; %d are needed", n, leastWeeksKnown))
	case used < leastWeeksUsed:
		return cannot(len(known), level, fmt.Sprintf("failures cost something in %d of %d weeks; %d such weeks are needed",
			used, n, leastWeeksUsed))
	}
	value := 0.0
	for i := range weeks {
		value += (float64(coming/7)*weeks[i] + ends[i]) / float64(n)
	}
	e := Estimated{Value: value, Level: level, N: len(known)}
	if coming > 0 {
		e.Low, e.High = bounds(futures(weeks, ends, coming, level), level)
		e.Low, e.High = min(e.Low, value), max(e.High, value)
	}
	return e
}

// wholeWeeks sums the days known to weeks that begin with the weekday after the last of them, and the first days of
// each; the days before the first whole week are left out.
func wholeWeeks(known []float64, days int) (weeks, ends []float64) {
	for at := len(known) - 7; at >= 0; at -= 7 {
		week, end := 0.0, 0.0
		for d, x := range known[at : at+7] {
			week += x
			if d < days {
				end += x
			}
		}
		weeks, ends = append(weeks, week), append(ends, end)
	}
	return weeks, ends
}

// futures draws what the coming days come to, in rising order.
func futures(weeks, ends []float64, coming int, level float64) []float64 {
	n, whole := len(weeks), coming/7
	mean, least := 0.0, slices.Min(weeks)
	for i := range weeks {
		mean += (float64(whole)*weeks[i] + ends[i]) / float64(n)
	}
	apart := math.Sqrt(float64(n+1)/float64(n-1)) * student(level, float64(n-1)) / Quantile((1+level)/2)
	r := rand.New(rand.NewPCG(1, 1))
	sums, urn := make([]float64, drawn), make([]int, (coming+6)/7)
	for i := range sums {
		sum := 0.0
		for w := range urn {
			if urn[w] = r.IntN(n + w); urn[w] >= n {
				urn[w] = urn[urn[w]-n]
			}
			if w < whole {
				sum += weeks[urn[w]]
			} else {
				sum += ends[urn[w]]
			}
		}
		if sum != 0 {
			sum = mean + (sum-mean)*apart
		}
		if sum < 0 && least >= 0 { // nobody ever paid back more than came
			sum = 0
		}
		sums[i] = sum
	}
	slices.Sort(sums)
	return sums
}

// bounds are those of the middle of sums in rising order, or, where it may well be nothing, from nothing on.
func bounds(sums []float64, level float64) (low, high float64) {
	n := float64(len(sums))
	first, _ := slices.BinarySearch(sums, 0)
	last := first
	for last < len(sums) && sums[last] == 0 {
		last++
	}
	at := func(p float64) float64 { return sums[min(len(sums)-1, int(p*n))] }
	below, nothing, tail := float64(first)/n, float64(last-first)/n, (1-level)/2
	if nothing > tail/2 && below < tail {
		return 0, at(level + below)
	}
	return at(tail), at(1 - tail)
}
