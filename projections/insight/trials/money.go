package trials

import (
	"math"
	"math/rand/v2"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// provision plays companies whose cases cost at once and later and are partly paid back, and asks in their 18th month
// what is still to come. A case's cost is spread over six months; nothing comes after.
func provision(r *rand.Rand, shops int) []Claim {
	const months = 18
	later := [...]float64{0.55, 0.22, 0.14, 0.08, 0.04, 0.02} // chances that a cost is of this age
	covered := 0
	var estimated, truly float64
	var misses []float64
	for range shops {
		triangle := make([][]float64, months)
		truth := 0.0
		for cohort := range months {
			triangle[cohort] = make([]float64, months-cohort)
			for range poisson(r, 150) {
				for range 1 + poisson(r, 1.5) { // the costs of a case
					age := pick(r, later[:])
					amount := lognormal(r, 30, 0.8)
					if cohort+age < months {
						triangle[cohort][age] += amount
					} else {
						truth += amount
					}
				}
				if r.Float64() < 0.2 { // somebody pays a part, one to four months later
					if age := 1 + r.IntN(4); cohort+age < months {
						triangle[cohort][age] -= 20
					} else {
						truth -= 20
					}
				}
			}
		}
		p, err := estimate.ChainLadder(triangle, 0.8)
		if err != nil {
			panic(err)
		}
		if p.Total.Covers(truth) {
			covered++
		}
		estimated, truly = estimated+p.Total.Value, truly+truth
		misses = append(misses, p.Total.Value-truth)
	}
	bias := Mean("bias of the provision, as a share", misses, -None, None)
	scale := truly / float64(shops)
	return []Claim{
		Share("80 % intervals of the provision that cover", covered, shops, 0.77, 0.83),
		{"bias of the provision, as a share", bias.Value / scale, bias.Margin / scale, -0.01, 0.01},
	}
}

// pick draws an index by its chance; the rest to 1 is the first one's.
func pick(r *rand.Rand, chances []float64) int {
	x := r.Float64()
	for i, p := range chances {
		if x -= p; x < 0 {
			return i
		}
	}
	return 0
}

// budget forecasts the end of a month from its tenth day on, with half a year of history.
func budget(r *rand.Rand, shops int) []Claim {
	const history, month = 182, 30
	busy := [7]float64{0, 8, 6, 6, 7, 10, 12} // cases by weekday
	var claims []Claim
	for _, day := range []int{10, 15, 20, 25} {
		covered := 0
		var misses []float64
		for range shops {
			var known estimate.Days
			var coming []int
			truth, expected := 0.0, 0.0
			for d := range history + month {
				weekday := d % 7
				amount := cost(r, poisson(r, busy[weekday]), 40)
				if d < history+day {
					known.Weekday, known.Amount = append(known.Weekday, weekday), append(known.Amount, amount)
				} else {
					coming = append(coming, weekday)
					truth += amount
					expected += busy[weekday] * 40
				}
			}
			f := estimate.Forecast(known, coming, 0.8)
			if f.Covers(truth) {
				covered++
			}
			misses = append(misses, (f.Value-truth)/expected)
		}
		name := map[int]string{10: "10", 15: "15", 20: "20", 25: "25"}[day]
		claims = append(claims, Share("80 % intervals of the month's end that cover, on day "+name, covered, shops,
			0.77, 0.83), Mean("bias of the forecast, as a share, on day "+name, misses, -0.01, 0.01))
	}
	return claims
}

// yearly plays a year of causes and looks at the year after.
func yearly(r *rand.Rand, shops int) []Claim {
	covered, of, above := 0, 0, 0
	for range shops {
		whole := make([]float64, 52)
		parts := 0.0
		for range 6 {
			cases := 1 + 20*r.Float64()
			weeks := make([]float64, 52)
			for w := range weeks {
				weeks[w] = cost(r, poisson(r, cases), 40)
				whole[w] += weeks[w]
			}
			e := estimate.Yearly(weeks, 0.95)
			parts += e.Value
			of++
			next := cost(r, poisson(r, cases*365.25/7), 40)
			if e.Covers(next) {
				covered++
			}
		}
		if all := estimate.Yearly(whole, 0.95); parts > all.Value*(1+1e-12) {
			above++
		}
	}
	return []Claim{
		Share("95 % intervals of a cause's next year that cover", covered, of, 0.93, None),
		Share("companies where the causes come to more than the whole", above, shops, -None, 0),
	}
}

// rounded keeps amounts to cents, as books do.
func rounded(x float64) float64 { return math.Round(x*100) / 100 }
