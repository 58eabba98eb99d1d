package estimate

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Counts is what is known of a chart before it starts: so many cases in so many periods, days or weeks.
type Counts struct {
	Cases, Periods int
	// Dispersion is the variance of the periods over their mean. 1 is Poisson; below 1 counts as 1.
	Dispersion float64
}

// Cusum adds up what the counts are above the reference and calls when the sum reaches the threshold: the quickest
// test for a change of known size whose day isn't known (Page 1954; Lucas 1985 for counts).
type Cusum struct {
	Mean      float64 // of the baseline, per period
	Reference float64 // per period; halfway between the mean and its multiple, on the scale of the likelihood ratio
	Threshold float64
	Hazard    float64 // false alarms per period once it runs, over what the baseline leaves open
}

// leastCases is the least of a baseline: with fewer the mean is known to no better than a half either way, and a
// doubling isn't told from it. 16 cases have a standard error of a quarter, whose double is a half.
const leastCases = 16

// mostCases is the most that a period of a chart has: the chain of the sums takes a second beyond.
const mostCases = 3000

// NewCusum makes one chart, see NewCusums.
func NewCusum(base Counts, factor, alarms float64) (Cusum, error) {
	all, err := NewCusums(base, factor, alarms)
	if err != nil {
		return Cusum{}, err
	}
	return all[0], nil
}

// NewCusums makes for each rate of false alarms the chart that finds counts that grow by the factor (2: a doubling) as
// soon as can be at no more than so many false alarms per period; the charts differ in their thresholds alone. The
// threshold is computed, not looked up: for each mean that the baseline leaves possible the rate of false alarms is
// that of the Markov chain of the sums (Brook and Evans 1972), and their average is held to the budget.
func NewCusums(base Counts, factor float64, alarms ...float64) ([]Cusum, error) {
	if base.Cases < leastCases {
		return nil, fmt.Errorf("the baseline has %d cases; %d are needed", base.Cases, leastCases)
	}
	c := Cusum{Mean: float64(base.Cases) / float64(base.Periods)}
	if c.Mean > mostCases {
		return nil, fmt.Errorf("%.0f cases a period are charted in parts, not together", c.Mean)
	}
	spread := math.Max(1, base.Dispersion)
	// The sums live on a lattice. Of its steps the reference has at least 8, and so has a case, or as many as make up for
	// its spread: the threshold grows with that, and the lattice needn't.
	steps := latticeSteps(c.Mean, factor, spread)
	reference := int(math.Round(c.Mean * (factor - 1) / math.Log(factor) * float64(steps)))
	means, weights := possible(base, spread)
	c.Reference = float64(reference) / float64(steps)
	least := leastHazard(means, weights, spread, c.Reference)
	if least >= alarms[0] {
		return nil, unknownMean(base)
	}
	walk, at := nearest(reference, alarms[0], weights, func(at int) *chain { return newChain(means, spread, steps, at) })
	c.Reference = float64(at) / float64(steps)
	all := make([]Cusum, 0, len(alarms))
	for _, a := range alarms {
		threshold, hazard := 0, 0.0
		if least < a {
			threshold, hazard = walk.threshold(weights, steps, a)
		}
		if threshold == 0 {
			return nil, unknownMean(base)
		}
		c.Threshold, c.Hazard = float64(threshold)/float64(steps), hazard
		all = append(all, c)
	}
	return all, nil
}

func unknownMean(base Counts) error {
	return fmt.Errorf("the baseline has %d cases of %d periods; more periods are needed, to know the mean well enough "+
		"for so few false alarms", base.Cases, base.Periods)
}

// A chart that uses nearly all of its budget is taken as it is. Else some references are tried that are away from the
// best one by one in so many parts of it: the chart is hardly slower with them.
const (
	nearlyAll = 0.92
	partsAway = 40
	mostAway  = 3
)

// nearest is the chain, of references near the best one, whose rate of false alarms comes nearest to the budget. Where
// many cases come in a period, a chart calls within few of them: whole counts meet its threshold, one more is too many,
// and it calls more seldom than it may. With another reference other counts meet it.
func nearest(reference int, alarms float64, weights []float64, of func(reference int) *chain) (best *chain, at int) {
	most := -1.0
	for away := 0; away <= min(reference/partsAway, mostAway) && most < nearlyAll*alarms; away++ {
		for _, tried := range []int{reference + away, reference - away}[:min(2, away+1)] {
			c := of(tried)
			threshold, hazard := c.threshold(weights, c.steps, alarms)
			if hazard > most {
				best, at, most = c, tried, hazard
			}
			if threshold == 0 {
				return best, at
			}
		}
	}
	return best, at
}

// latticeSteps is how many steps a case has on the lattice of the sums.
func latticeSteps(mean, factor, spread float64) int {
	exact := mean * (factor - 1) / math.Log(factor)
	return int(math.Max(math.Ceil(8/spread), math.Ceil(8/exact)))
}

// leastHazard is a bound of the rate of false alarms from below, for every threshold. Some means that the baseline
// leaves possible are above the reference: then the sums rise until they reach the threshold. In the long run
// each period multiplies the chance that they haven't reached it yet by the least of E exp(θ(count − reference)), of
// all θ, or by less (Cramér 1938, for the maximum of a walk).
func leastHazard(means, weights []float64, spread, reference float64) (least float64) {
	for i, m := range means {
		if m <= reference {
			continue
		}
		log := reference - m - reference*math.Log(reference/m) // Poisson
		if spread > 1+1e-9 {                                   // negative binomial
			size := m / (spread - 1)
			y := reference / (size + reference)
			log = -reference*math.Log(y*spread/(spread-1)) - size*math.Log(spread*(1-y))
		}
		least += weights[i] * -math.Expm1(log)
	}
	return least
}

// highest and mostCasesHigh are where the search for a threshold ends, in steps of the lattice and in cases: where one
// of the possible means is as large as what the chart looks for, no threshold is enough.
const (
	highest       = 512
	mostCasesHigh = 16
)

// threshold is the least whose rate of false alarms is within the budget, and that rate; 0 where there is none. The
// logarithm of the rate is nearly straight in the threshold, so each guess but the first stands on the line through
// two.
func (c *chain) threshold(weights []float64, first int, alarms float64) (int, float64) {
	low, high := 0, 0 // too low, and high enough
	var atLow, atHigh float64
	try := func(at int) {
		if h := c.hazard(weights, at); h > alarms {
			low, atLow = at, h
		} else {
			high, atHigh = at, h
		}
	}
	for at := max(2, first); high == 0; at *= 2 {
		if at > max(highest, mostCasesHigh*first) {
			return 0, 0
		}
		try(at)
	}
	if low == 0 {
		try(1)
	}
	for high-low > 1 && low > 0 {
		part := math.Log(atLow/alarms) / math.Log(atLow/math.Max(atHigh, 1e-300))
		guess := low + int(math.Ceil(part*float64(high-low)))
		try(min(max(guess, low+1), high-1))
		if guess < high && high > guess+1 { // the line lies a little off: look at the guess's other side as well
			try(min(max(guess-1, low+1), high-1))
		}
	}
	return high, atHigh
}

// possible are the means that the baseline leaves possible, with their weights: the posterior of Jeffreys' prior, read
// at even steps of a normal variable.
func possible(base Counts, spread float64) (means, weights []float64) {
	posterior := distuv.Gamma{Alpha: (float64(base.Cases) + 0.5) / spread, Beta: float64(base.Periods) / spread}
	sum := 0.0
	for z := -2.5; z < 3.6; z += 0.5 {
		means = append(means, posterior.Quantile(distuv.UnitNormal.CDF(z)))
		weights = append(weights, distuv.UnitNormal.Prob(z))
		sum += distuv.UnitNormal.Prob(z)
	}
	for i := range weights {
		weights[i] /= sum
	}
	return means, weights
}

// chain walks the sums of a CUSUM as a Markov chain, for each possible mean.
type chain struct {
	counts           [][]float64 // chances of 0, 1, 2 … cases, for each mean
	tails            [][]float64 // chances of so many or more
	steps, reference int
	hazards          map[int]float64 // by threshold, as far as they were worked out
}

func newChain(means []float64, spread float64, steps, reference int) *chain {
	c := &chain{steps: steps, reference: reference, hazards: map[int]float64{}}
	for _, m := range means {
		var counts, tails []float64
		rest := 1.0
		for n, p := range chances(m, spread) {
			counts = append(counts, p)
			tails = append(tails, rest)
			rest = math.Max(0, rest-p)
			if float64(n) > m && p < 1e-14 {
				break
			}
		}
		c.counts, c.tails = append(c.counts, counts), append(c.tails, append(tails, 0))
	}
	return c
}

// chances goes through the chances of 0, 1, 2 … cases: Poisson, or negative binomial where they spread more.
func chances(mean, spread float64) func(func(int, float64) bool) {
	size, log := mean/(spread-1), func(n float64) float64 { return n*math.Log(mean) - mean - lgamma(n+1) }
	if spread > 1+1e-9 {
		log = func(n float64) float64 {
			return lgamma(size+n) - lgamma(size) - lgamma(n+1) - size*math.Log(spread) + n*math.Log1p(-1/spread)
		}
	}
	return func(yield func(int, float64) bool) {
		for n := 0; yield(n, math.Exp(log(float64(n)))); n++ {
		}
	}
}

func lgamma(x float64) float64 {
	l, _ := math.Lgamma(x)
	return l
}

// hazard is the chance of an alarm per period, of a chart that has run for long without one, averaged over the means.
// Those are in rising order, and the largest call by far the most often: it begins with them, and leaves out the others
// once they can't change the average. It remembers what it worked out: weights are the same in all calls.
func (c *chain) hazard(weights []float64, threshold int) (mean float64) {
	if known, is := c.hazards[threshold]; is {
		return known
	}
	rest := 0.0
	for _, w := range weights {
		rest += w
	}
	now, next := make([]float64, threshold), make([]float64, threshold)
	now[0] = 1
	for k := len(weights) - 1; k >= 0; k-- {
		last := -1.0
		for range 5000 { // begins with how the sums of the mean before are spread: that is nearly right
			out := c.step(k, now, next)
			now, next = next, now
			if math.Abs(out-last) <= 1e-4*out {
				last = out
				break
			}
			last = out
		}
		last = math.Max(last, 0)
		mean, rest = mean+weights[k]*last, rest-weights[k]
		if rest*last < 1e-4*mean {
			break
		}
	}
	c.hazards[threshold] = mean
	return mean
}

// step moves the sums by one period; it returns the chance that they reach the threshold, and leaves what didn't,
// scaled to 1.
func (c *chain) step(k int, now, next []float64) (out float64) {
	clear(next)
	counts, tails := c.counts[k], c.tails[k]
	for at, p := range now {
		if p == 0 {
			continue
		}
		room := len(now) - at + c.reference // an alarm from here: counts × steps ≥ room
		first := min((room+c.steps-1)/c.steps, len(counts))
		n := 0
		if at < c.reference { // so few that the sum is zero
			n = min((c.reference-at)/c.steps+1, first)
			next[0] += p * (1 - tails[n])
		}
		for to := at + n*c.steps - c.reference; n < first; n, to = n+1, to+c.steps {
			next[to] += p * counts[n]
		}
		out += p * tails[first]
	}
	stay := 0.0
	for _, p := range next {
		stay += p
	}
	for i := range next {
		next[i] /= stay
	}
	return out
}

// Next is the sum after a period with so many cases, where so much of a usual period's orders were handled (1: all of
// them). At the threshold or above it the chart calls.
func (c Cusum) Next(sum float64, cases int, exposure float64) float64 {
	return math.Max(0, sum+float64(cases)-c.Reference*exposure)
}

// Dispersion is the variance of counts over their mean, after what is explained by exposure (a usual period's is 1).
func Dispersion(counts []int, exposure []float64) float64 {
	var cases, exposed float64
	for i, n := range counts {
		cases, exposed = cases+float64(n), exposed+exposure[i]
	}
	if cases == 0 || exposed == 0 || len(counts) < 2 {
		return 1
	}
	sum := 0.0
	for i, n := range counts {
		if expected := cases / exposed * exposure[i]; expected > 0 {
			sum += (float64(n) - expected) * (float64(n) - expected) / expected
		}
	}
	return sum / float64(len(counts)-1)
}
