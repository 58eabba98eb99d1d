package estimate

import "gonum.org/v1/gonum/stat/distuv"

// Ranked is one share among others: from which place to which it can stand, the smallest share on place 1.
type Ranked struct{ From, To int }

// Ranks says where each of several shares (Back of N) can stand among them. All places are right together in at
// least the share level of companies: each share has an interval whose risk is divided by how many there are
// (Bonferroni), and one stands before another where the two don't overlap (Klein, Wright and Wieczorek 2020, Journal of
// the Royal Statistical Society C 69, 589–606). Shares of nobody (N = 0) have no place: 0 to 0, and don't count.
func Ranks(shares []Arm, level float64) []Ranked {
	n := 0
	for _, s := range shares {
		if s.N > 0 {
			n++
		}
	}
	intervals := make([]Interval, len(shares))
	for i, s := range shares {
		if s.N > 0 {
			intervals[i] = exactInterval(s, 1-(1-level)/float64(n))
		}
	}
	ranks := make([]Ranked, len(shares))
	for i, s := range shares {
		if s.N == 0 {
			continue
		}
		ranks[i] = Ranked{1, n}
		for j, other := range shares {
			switch {
			case j == i || other.N == 0:
			case intervals[j].High < intervals[i].Low:
				ranks[i].From++
			case intervals[j].Low > intervals[i].High:
				ranks[i].To--
			}
		}
	}
	return ranks
}

// exactInterval is that of Clopper and Pearson (1934): it holds for shares near 0, which failures are.
func exactInterval(s Arm, level float64) Interval {
	k, n := float64(s.Back), float64(s.N)
	i := Interval{0, 1}
	if k > 0 {
		i.Low = distuv.Beta{Alpha: k, Beta: n - k + 1}.Quantile((1 - level) / 2)
	}
	if k < n {
		i.High = distuv.Beta{Alpha: k + 1, Beta: n - k}.Quantile((1 + level) / 2)
	}
	return i
}
