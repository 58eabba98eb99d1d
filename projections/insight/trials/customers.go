package trials

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// customers plays confounded shops: large baskets fail more often, and who buys large baskets comes back more often
// anyway; so do those who came often before.
func customers(r *rand.Rand, shops int) []Claim {
	var claims []Claim
	for _, effect := range []float64{-0.12, 0} {
		covered, money, paradox, naive := 0, 0, 0, 0
		for range shops {
			cells, spent := confounded(r, effect)
			m := estimate.Match(cells, 0.95)
			if m.Back.Covers(effect) {
				covered++
			}
			if m.Contribution.Covers(spent) {
				money++
			}
			if m.Back.Low > 0 {
				paradox++
			}
			for i := range cells {
				cells[i].Stratum = ""
			}
			if estimate.Match(cells, 0.95).Back.Covers(effect) {
				naive++
			}
		}
		name := fmt.Sprintf("%+.0f points: ", 100*effect)
		claims = append(claims,
			Share(name+"intervals that cover the difference in coming back", covered, shops, 0.93, None),
			Share(name+"intervals that cover the difference in contribution", money, shops, 0.93, None),
			Share(name+"shops where a paradox is claimed", paradox, shops, -None, 0.05),
			Share(name+"the same without matching", naive, shops, -None, None))
	}
	return append(append(claims, holdout(r, shops)), fixes(r, shops)...)
}

// holdout plays experiments: chance decides who gets a call, which brings five points more of them back.
func holdout(r *rand.Rand, shops int) Claim {
	covered := 0
	for range shops {
		arm := func(chance float64) estimate.Arm {
			a := estimate.Arm{N: uint64(40 + r.IntN(200))}
			for range a.N {
				if r.Float64() < chance {
					a.Back++
				}
			}
			return a
		}
		if estimate.Difference(arm(0.35), arm(0.30), 0.95).Covers(0.05) {
			covered++
		}
	}
	return Share("experiments of +5 points whose interval covers", covered, shops, 0.93, None)
}

// bands are how many bands of baskets are told apart.
const bands = 10

// confounded is a shop of some thousand customers, and what a failure there took from the contribution of 90 days.
func confounded(r *rand.Rand, effect float64) ([]estimate.Cell, float64) {
	sums := map[[5]int]*estimate.Tally{}
	lost, failures := 0.0, 0.0
	for customer := range 3000 {
		fond := r.NormFloat64() // how large their baskets are
		group := customer % estimate.Groups
		for before := range 1 + r.IntN(3) {
			basket := 0.8*fond + 0.6*r.NormFloat64() // the logarithm, in deviations
			likes := 1 / (1 + math.Exp(-basket))
			failed := r.Float64() < 0.03+0.12*likes
			chance, worth := 0.25+0.35*likes+0.05*float64(before), 20+30*likes
			if failed {
				chance += effect
				lost += effect * worth
				failures++
			}
			// Bands of the same size: the basket's rank among all.
			band := int(bands * 0.5 * math.Erfc(-basket/math.Sqrt2))
			key := [5]int{r.IntN(4), before, min(band, bands-1), group, 0}
			if failed {
				key[4] = 1
			}
			t := sums[key]
			if t == nil {
				t = &estimate.Tally{}
				sums[key] = t
			}
			t.N++
			if r.Float64() < chance {
				t.Back++
				t.Contribution += lognormal(r, worth, 0.5)
			}
			t.Prior[0] += float64(before)
			t.Prior[1] += float64(before * before)
			t.Basket[0] += basket
			t.Basket[1] += basket * basket
		}
	}
	cells := make([]estimate.Cell, 0, len(sums))
	for key, t := range sums {
		cells = append(cells, estimate.Cell{Stratum: fmt.Sprint(key[:3]), Group: key[3], Failed: key[4] == 1, Tally: *t})
	}
	return cells, lost / failures
}
