package estimate

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Handled is what one person handled, and how many of those orders failed by what that person did.
type Handled struct {
	Who            string
	Orders, Failed int
}

// Standing is a person beside the others of the same counter.
type Standing struct {
	Handled
	// Right is the share of orders right first time, drawn towards the counter's mean as far as n is small.
	Right Estimated
	// FunnelLow and FunnelHigh are within which the share of so many orders lies by chance, if all were equal.
	FunnelLow, FunnelHigh float64
	// Apart is 1 for who does better than chance explains, -1 for worse, 0 for everybody else.
	Apart  int
	WhyNot string // why nothing can be said of this person yet
}

// Counter compares people who handle orders of one store, of as many stores as there are counters. Who has fewer than
// least orders is not judged. Among equals somebody stands apart in no more than 1 − level of companies: each person
// is held against all others of the counter by the exact conditional test (Fisher 1935), and the risk is shared by the
// counters, the people and the two directions. Who stands apart is taken out before the next is looked at, so that one
// bad run doesn't make all others look good.
func Counter(people []Handled, least int, level float64, counters int) []Standing {
	judged := make([]Handled, 0, len(people))
	for _, p := range people {
		if p.Orders >= least && p.Orders > 0 {
			judged = append(judged, p)
		}
	}
	apart, risk := Apart(people, least, level, counters), riskOf(len(judged), level, counters)
	prior := fitBeta(judged)
	all := make([]Standing, 0, len(people))
	for _, p := range people {
		s := Standing{Handled: p, Apart: apart[p.Who]}
		switch {
		case p.Orders < least || p.Orders == 0:
			s.WhyNot = fmt.Sprintf("%d orders are known; %d are needed", p.Orders, least)
		case len(judged) < 2:
			s.WhyNot = "nobody else of this counter has enough orders"
		default:
			s.FunnelLow, s.FunnelHigh = funnel(judged, p, risk)
		}
		if s.Right = prior.right(p, level); s.WhyNot != "" {
			s.Right = cannot(p.Orders, level, s.WhyNot)
		}
		all = append(all, s)
	}
	return all
}

// Apart is who of a counter stands apart, see Counter: 1 for better, -1 for worse.
func Apart(people []Handled, least int, level float64, counters int) map[string]int {
	judged := make([]Handled, 0, len(people))
	for _, p := range people {
		if p.Orders >= least && p.Orders > 0 {
			judged = append(judged, p)
		}
	}
	return standApart(judged, riskOf(len(judged), level, counters))
}

// riskOf is the risk that each of so many people, and each direction, has.
func riskOf(people int, level float64, counters int) float64 {
	return (1 - level) / float64(2*max(1, people)*max(1, counters))
}

// standApart names who differs from all the others, the clearest first. Of two it names both.
func standApart(people []Handled, risk float64) map[string]int {
	apart := map[string]int{}
	rest := slices.Clone(people)
	for len(rest) > 1 {
		orders, failed := sums(rest)
		best, at, way := risk, -1, 0
		for i, p := range rest {
			more := hypergeometricTail(orders, failed, p.Orders, p.Failed)
			less := hypergeometricTail(orders, orders-failed, p.Orders, p.Orders-p.Failed)
			if more <= best {
				best, at, way = more, i, -1
			}
			if less <= best {
				best, at, way = less, i, 1
			}
		}
		if at < 0 {
			break
		}
		apart[rest[at].Who] = way
		if len(rest) == 2 { // of two nothing tells which of them is usual
			apart[rest[1-at].Who] = -way
			break
		}
		rest = slices.Delete(rest, at, at+1)
	}
	return apart
}

func sums(people []Handled) (orders, failed int) {
	for _, p := range people {
		orders, failed = orders+p.Orders, failed+p.Failed
	}
	return orders, failed
}

// hypergeometricTail is the chance that, of failed among all orders dealt out by chance, a hand of n gets k or more.
func hypergeometricTail(all, failed, n, k int) float64 {
	sum := 0.0
	for x := max(k, n+failed-all); x <= min(n, failed); x++ {
		p := math.Exp(choose(failed, x) + choose(all-failed, n-x) - choose(all, n))
		sum += p
		if p < 1e-12*sum && float64(x) > float64(n)*float64(failed)/float64(all) {
			break
		}
	}
	return math.Min(1, sum)
}

// choose is the logarithm of the number of ways to take k out of n.
func choose(n, k int) float64 { return lfactorial(n) - lfactorial(k) - lfactorial(n-k) }

func lfactorial(n int) float64 { return lgamma(float64(n) + 1) }

// funnel is the range of the share right first time that chance leaves to n orders of the counter.
func funnel(people []Handled, p Handled, risk float64) (low, high float64) {
	orders, failed := sums(people)
	n := p.Orders
	fewest, most := 0, n
	for fewest < n && hypergeometricTail(orders, orders-failed, n, n-fewest) <= risk {
		fewest++
	}
	for most > 0 && hypergeometricTail(orders, failed, n, most) <= risk {
		most--
	}
	return 1 - float64(most)/float64(n), 1 - float64(fewest)/float64(n)
}

// beta is how the chance to fail is spread over people.
type beta struct{ alpha, beta float64 }

// spread is what the counter's people say of that: the distributions that are possible, with their weights.
type spread struct {
	possible []beta
	weights  []float64
}

// fitBeta weighs the beta distributions by how likely they make the counts (beta-binomial, empirical Bayes). Mean and
// concentration are both known only so well, and a person's interval must say so: one best distribution would make the
// intervals of equals as narrow as that of all of them together.
func fitBeta(people []Handled) spread {
	orders, failed := sums(people)
	mean := (float64(failed) + 0.5) / (float64(orders) + 1)
	middle, error := math.Log(mean/(1-mean)), 1/math.Sqrt((float64(orders)+1)*mean*(1-mean))
	var s spread
	best := math.Inf(-1)
	// Concentrations from 1 order's worth to ten times all orders, by a factor of about 2: beyond, nothing changes.
	for weight := 1.0; weight < 10*float64(orders)+2; weight *= 2 {
		// The mean of few people is known less well than that of the orders, by the spread among people.
		wide := math.Hypot(error, 1/math.Sqrt((weight+1)*mean*(1-mean)*float64(max(1, len(people)))))
		for z := -3.0; z <= 3; z += 0.5 {
			m := 1 / (1 + math.Exp(-(middle + z*wide)))
			b := beta{m * weight, (1 - m) * weight}
			l := b.likelihood(people) + math.Log(wide) // even steps of the mean, however wide they are
			s.possible, s.weights = append(s.possible, b), append(s.weights, l)
			best = math.Max(best, l)
		}
	}
	sum := 0.0
	for i, l := range s.weights {
		s.weights[i] = math.Exp(l - best)
		sum += s.weights[i]
	}
	for i := range s.weights {
		s.weights[i] /= sum
	}
	return s
}

// likelihood is its logarithm, without what doesn't depend on the parameters.
func (b beta) likelihood(people []Handled) float64 {
	sum := 0.0
	for _, p := range people {
		sum += lbeta(b.alpha+float64(p.Failed), b.beta+float64(p.Orders-p.Failed)) - lbeta(b.alpha, b.beta)
	}
	return sum
}

func lbeta(a, b float64) float64 { return lgamma(a) + lgamma(b) - lgamma(a+b) }

// right is the share right first time of who failed so often: the mean over the distributions that are possible, and
// the bounds of the beta distribution of that mean and variance.
func (s spread) right(p Handled, level float64) Estimated {
	mean, square := 0.0, 0.0
	for i, b := range s.possible {
		x, y := b.alpha+float64(p.Failed), b.beta+float64(p.Orders-p.Failed)
		m := x / (x + y)
		mean += s.weights[i] * m
		square += s.weights[i] * m * (x + 1) / (x + y + 1)
	}
	weight := mean*(1-mean)/(square-mean*mean) - 1
	wrong := distuv.Beta{Alpha: mean * weight, Beta: (1 - mean) * weight}
	return Estimated{Value: 1 - mean, Low: 1 - wrong.Quantile((1+level)/2), High: 1 - wrong.Quantile((1-level)/2),
		Level: level, N: p.Orders}
}
