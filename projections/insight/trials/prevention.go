package trials

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// prevention plays companies that spend on some causes in some stores, from different weeks on. Orders grow by store,
// and good and bad weeks befall all alike.
func prevention(r *rand.Rand, shops int) []Claim {
	const weeks, stores, causes = 96, 8, 5
	effects := []float64{0, -0.2, -0.5}
	covered, claimed, paid := make([]int, len(effects)), make([]int, len(effects)), 0
	for range shops {
		shock := make([]float64, weeks)
		for w := range shock {
			shock[w] = math.Exp(0.15*r.NormFloat64() + 0.2*math.Sin(float64(w)*2*math.Pi/52))
		}
		var units []estimate.Unit
		for s := range stores {
			orders, growth := 300+500*r.Float64(), 0.004*r.NormFloat64()
			for c := range causes {
				u := estimate.Unit{Cause: fmt.Sprint(c), Store: fmt.Sprint(s), Start: estimate.Never}
				effect := 0.0
				if c == 0 && s < len(effects) {
					effect, u.Start = effects[s], 40+8*s
				}
				chance := 0.005 + 0.01*r.Float64()
				for w := range weeks {
					handled := math.Round(orders * math.Exp(growth*float64(w)))
					rate := handled * chance * shock[w]
					if u.Start != estimate.Never && w >= u.Start {
						rate *= 1 + effect
					}
					u.Orders = append(u.Orders, handled)
					u.Amount = append(u.Amount, rounded(cost(r, poisson(r, rate), 50)))
				}
				units = append(units, u)
			}
		}
		for i, effect := range effects {
			e := estimate.DifferenceInDifferences(units, i*causes, 0.95)
			if e.Change.Covers(effect) {
				covered[i]++
			}
			if e.Change.High < 0 {
				claimed[i]++
			}
			if _, back := e.PaidBack(100); i == 2 && back {
				paid++
			}
		}
	}
	var claims []Claim
	for i, effect := range effects {
		name := fmt.Sprintf("%.0f %%: ", 100*effect)
		claims = append(claims, Share(name+"intervals that cover the change of cost an order", covered[i], shops, 0.93, None))
		if effect == 0 {
			claims = append(claims, Share(name+"shops where a benefit is claimed", claimed[i], shops, -None, 0.05))
		} else {
			claims = append(claims, Share(name+"shops where a benefit is claimed", claimed[i], shops, -None, None))
		}
	}
	claims = append(claims, Share("-50 %: shops where a spend of 100 is paid back", paid, shops, 0.95, None))
	return append(claims, few(r, 5*shops)...)
}

// few plays small stores: fifteen failures a year, of costs that differ much, so that most weeks have none.
func few(r *rand.Rand, shops int) []Claim {
	const weeks, units, start, aYear = 96, 20, 52, 15.0
	var claims []Claim
	for _, effect := range []float64{0, -0.5} {
		covered, claimed, enough := 0, 0, 0
		for range shops {
			all := make([]estimate.Unit, units)
			for i := range all {
				all[i] = estimate.Unit{Start: estimate.Never}
				if i == 0 {
					all[i].Start = start
				}
				for w := range weeks {
					rate := aYear / 52
					if i == 0 && w >= start {
						rate *= 1 + effect
					}
					all[i].Amount = append(all[i].Amount, cost(r, poisson(r, rate), 50))
					all[i].Orders = append(all[i].Orders, 15)
				}
			}
			e := estimate.DifferenceInDifferences(all, 0, 0.95)
			if !e.Change.Enough() {
				continue
			}
			enough++
			if e.Change.Covers(effect) {
				covered++
			}
			if e.Change.High < 0 {
				claimed++
			}
		}
		name := fmt.Sprintf("%.0f %%, 15 failures a year: ", 100*effect)
		most := None
		if effect == 0 {
			most = 0.05
		}
		claims = append(claims, Share(name+"intervals that cover the change of cost an order", covered, enough, 0.93, None),
			Share(name+"shops where a benefit is claimed", claimed, enough, -None, most))
	}
	return claims
}
