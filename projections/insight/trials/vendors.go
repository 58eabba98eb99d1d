package trials

import (
	"math/rand/v2"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// vendors plays buyers of twelve suppliers of different size, one of whom has become four times as bad, and buyers
// whose suppliers are equals.
func vendors(r *rand.Rand, shops int) []Claim {
	const suppliers = 12
	held, told, alike := 0, 0, 0
	for n := range 2 * shops {
		planted := n%2 == 0
		chances, arms := make([]float64, suppliers), make([]estimate.Arm, suppliers)
		for i := range arms {
			chances[i] = 0.01
			if planted {
				chances[i] = lognormal(r, 0.01, 0.3)
			}
			if planted && i == 0 {
				chances[i] = 0.04
			}
			arms[i].N = uint64(1000 + r.IntN(2000))
			arms[i].Back = uint64(poisson(r, chances[i]*float64(arms[i].N)))
		}
		ranks := estimate.Ranks(arms, 0.95)
		if !planted {
			apart := false
			for _, rank := range ranks {
				apart = apart || rank.From > 1 || rank.To < suppliers
			}
			if !apart {
				alike++
			}
			continue
		}
		all := true
		for i, rank := range ranks {
			place := 1
			for j := range chances {
				if chances[j] < chances[i] {
					place++
				}
			}
			all = all && rank.From <= place && place <= rank.To
		}
		if all {
			held++
		}
		if ranks[0].From > suppliers/2 {
			told++
		}
	}
	return []Claim{
		Share("buyers where all places hold", held, shops, 0.95, None),
		Share("buyers of equals where nobody has a place of their own", alike, shops, 0.95, None),
		Share("buyers who see the one that is four times as bad in the last half", told, shops, 0.8, None),
	}
}
