package trials

import (
	"fmt"
	"math/rand/v2"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// counter plays counters with a picker who errs more, and counters of equals.
func counter(r *rand.Rand, shops int) []Claim {
	const pickers, orders, share3 = 10, 300, 0.03
	found, wrongly, named, covered, estimates := 0, 0, 0, 0, 0
	for n := range 2 * shops {
		planted := n%2 == 0
		people := make([]estimate.Handled, pickers)
		for i := range people {
			chance := share3
			if planted && i == 0 {
				chance = 3 * share3
			}
			people[i] = estimate.Handled{Who: fmt.Sprint(i), Orders: orders}
			for range orders {
				if r.Float64() < chance {
					people[i].Failed++
				}
			}
		}
		anybody := false
		for i, s := range estimate.Counter(people, 100, 0.95, 1) {
			anybody = anybody || s.Apart != 0
			switch {
			case planted && i == 0 && s.Apart < 0:
				found++
			case planted && s.Apart < 0:
				wrongly++
			case !planted:
				estimates++
				if s.Right.Covers(1 - share3) {
					covered++
				}
			}
		}
		if !planted && anybody {
			named++
		}
	}
	return []Claim{
		Share("counters where the planted picker is found, n = 300", found, shops, 0.90, None),
		Share("counters of equals where nobody is named", shops-named, shops, 0.95, None),
		Share("somebody else named for the planted picker, of all counters", wrongly, shops, -None, 0.05),
		Share("shares right first time that are covered", covered, estimates, 0.95, None),
		counters(r, shops),
	}
}

// counters plays companies of twenty stores, all of whose people are equals.
func counters(r *rand.Rand, shops int) Claim {
	const stores, pickers, orders, chance = 20, 8, 300, 0.03
	nobody := 0
	for range shops {
		apart := false
		for range stores {
			people := make([]estimate.Handled, pickers)
			for i := range people {
				people[i] = estimate.Handled{Who: fmt.Sprint(i), Orders: orders, Failed: poisson(r, orders*chance)}
			}
			apart = apart || len(estimate.Apart(people, 100, 0.95, stores)) > 0
		}
		if !apart {
			nobody++
		}
	}
	return Share("companies of 20 counters of equals where nobody is named", nobody, shops, 0.95, None)
}
