package estimate

import "math"

// Quickest is the least of periods in which any method whatever can find, with a chance of one half, that cases of so
// many a period have grown by the factor, at no more than so many false alarms per period.
//
// A method that calls falsely once in 1/alarms periods calls falsely in some stretch of m periods with a chance of m ×
// alarms at most (Lai 1998, IEEE Transactions on Information Theory 44). Let the growth begin with that stretch: then
// the method is a test of m periods of the one mean against m periods of the other, at that level, and no test has more
// power than that of Neyman and Pearson (1933), which counts the cases. What other stores do tells nothing of this one,
// so that no pooling of charts helps, unless they change together.
func Quickest(mean, factor, alarms float64) int {
	for m := 1; ; m++ {
		if power(mean*float64(m), factor, alarms*float64(m)) >= 0.5 {
			return m
		}
	}
}

// power is that of the most powerful test of a Poisson mean against its multiple, drawn by lot at its edge.
func power(mean, factor, level float64) float64 {
	if level >= 1 {
		return 1
	}
	above, aboveAfter := 1.0, 1.0 // chances of n or more, before and after
	for n, p := range chances(mean, 1) {
		q := math.Exp(float64(n)*math.Log(mean*factor) - mean*factor - lgamma(float64(n)+1))
		if above-p <= level { // n or more is too often, more than n is not often enough: at n lot decides
			return aboveAfter - q + q*math.Min(1, (level-math.Max(0, above-p))/p)
		}
		above, aboveAfter = above-p, aboveAfter-q
	}
	return 0
}

// Median is how many periods the chart takes, in one half of all runs, to find that its cases have grown by the factor,
// if it has run for long before.
func (c *Cusum) Median(factor, spread float64) int {
	spread = math.Max(1, spread)
	// The same lattice as the threshold was found on.
	steps := latticeSteps(c.Mean, factor, spread)
	walk := newChain([]float64{c.Mean, c.Mean * factor}, spread, steps, int(math.Round(c.Reference*float64(steps))))
	size := int(math.Round(c.Threshold * float64(steps)))
	now, next := make([]float64, size), make([]float64, size)
	now[0] = 1
	for range 1000 {
		walk.step(0, now, next)
		now, next = next, now
	}
	silent := 1.0
	for period := 1; ; period++ {
		silent *= 1 - walk.step(1, now, next)
		now, next = next, now
		if silent <= 0.5 {
			return period
		}
	}
}
