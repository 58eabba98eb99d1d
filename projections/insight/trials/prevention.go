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
	return append(claims, Share("-50 %: shops where a spend of 100 is paid back", paid, shops, 0.95, None))
}
