package trials

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// fixes plays shops that make failures good in four ways: who buys large baskets gets the better ones more often, and
// comes back more often anyway. One way brings eight points more back than the others, or none does.
func fixes(r *rand.Rand, shops int) []Claim {
	const ways, level = 4, 1 - 0.05/4
	var claims []Claim
	for _, effect := range []float64{0.08, 0} {
		covered, claimed, paradox := 0, 0, 0
		for range shops {
			failed, whole := madeGood(r, ways, effect)
			differs, anyParadox := false, false
			for way := range ways {
				others, unfailed := make([]estimate.Cell, 0, len(failed)), []estimate.Cell(nil)
				for _, c := range failed {
					one := c.Cell
					if one.Failed = c.way == way; one.Failed {
						unfailed = append(unfailed, c.Cell)
					}
					others = append(others, one)
				}
				m := estimate.Match(others, level)
				if way == 0 && m.Back.Covers(effect) {
					covered++
				}
				differs = differs || m.Back.Enough() && !m.Back.Covers(0)
				anyParadox = anyParadox || estimate.Match(append(unfailed, whole...), level).Back.Low > 0
			}
			if differs {
				claimed++
			}
			if anyParadox {
				paradox++
			}
		}
		name := fmt.Sprintf("a fix of %+.0f points: ", 100*effect)
		claims = append(claims, Share(name+"intervals that cover it", covered, shops, 0.93, None),
			Share(name+"shops where a paradox is claimed", paradox, shops, -None, 0.05))
		if effect == 0 {
			claims = append(claims, Share(name+"shops where one fix is said to differ", claimed, shops, -None, 0.05))
		}
	}
	return claims
}

type madeGoodCell struct {
	estimate.Cell
	way int
}

// madeGood is a shop's failed orders by the way in which they were made good, and its others. A failure costs ten
// points, of which the first way brings so many back.
func madeGood(r *rand.Rand, ways int, effect float64) ([]madeGoodCell, []estimate.Cell) {
	var failed []madeGoodCell
	var whole []estimate.Cell
	for customer := range 8000 {
		basket := r.NormFloat64()
		likes := 1 / (1 + math.Exp(-basket))
		band := min(int(10*0.5*math.Erfc(-basket/math.Sqrt2)), 9)
		c := estimate.Cell{Stratum: fmt.Sprint(band), Group: customer % estimate.Groups, Failed: r.Float64() < 0.15,
			Tally: estimate.Tally{N: 1}}
		chance, way := 0.25+0.35*likes, 0
		if c.Failed {
			chance -= 0.1
			for way < ways-1 && r.Float64() > 0.15+0.5*likes {
				way++
			}
			if way == 0 {
				chance += effect
			}
		}
		if r.Float64() < chance {
			c.Back = 1
		}
		if c.Failed {
			failed = append(failed, madeGoodCell{c, way})
		} else {
			whole = append(whole, c)
		}
	}
	return failed, whole
}
