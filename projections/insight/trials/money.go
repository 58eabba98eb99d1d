package trials

import (
	"fmt"
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

// shopsCosts is how the cases of a store cost: what one does in the mean, how skewed that is, and whether it comes at
// once or in parts over some days, and is now and then paid back.
type shopsCosts struct {
	what     string
	sigma    float64
	in, over int // so many parts at most, over so many days
	paid     float64
}

// month plays half a year and a month of a store with so many cases a month: what failures cost by day.
func (c shopsCosts) month(r *rand.Rand, cases float64) []float64 {
	const half, month = 182, 30
	busy := [7]float64{0, 8, 6, 6, 7, 10, 12} // by weekday, 49 a week
	days := make([]float64, half+month)
	add := func(day int, amount float64) {
		if day < len(days) {
			days[day] += amount
		}
	}
	for d := range days {
		for range poisson(r, busy[d%7]/49*7/month*cases) {
			parts := 1 + r.IntN(c.in)
			for part := range parts {
				at := d
				if part > 0 {
					at += r.IntN(c.over + 1)
				}
				add(at, lognormal(r, 40/float64(parts), c.sigma))
			}
			if r.Float64() < c.paid {
				add(d+5+r.IntN(20), -25)
			}
		}
	}
	return days
}

// budget forecasts the end of a month from its tenth day on, with half a year of history, of stores of every size.
func budget(r *rand.Rand, shops int) []Claim {
	const month, mean = 30, 40.0
	var claims []Claim
	for _, costs := range []shopsCosts{{"at once", 0.8, 1, 0, 0}, {"some large", 1.4, 1, 0, 0},
		{"in parts, some paid back", 0.8, 3, 5, 0.2}} {
		for _, cases := range []float64{2, 6, 12, 40, 120, 400} {
			var misses []float64
			of, told := 0, 0
			for _, day := range []int{10, 15, 20, 25} {
				covered, enough := 0, 0
				for range shops {
					days := costs.month(r, cases)
					known, truth := days[:len(days)-month+day], 0.0
					for _, x := range days[len(known):] {
						truth += x
					}
					f := estimate.Forecast(known, month-day, 0.8)
					if of++; !f.Enough() {
						continue
					}
					if enough++; f.Low <= truth+1e-9 && truth-1e-9 <= f.High { // a sum that comes to nothing is a float
						covered++
					}
					misses = append(misses, (f.Value-truth)/(mean*cases))
				}
				told += enough
				claims = append(claims, Share(fmt.Sprintf("%g cases a month, %s: 80 %% intervals that cover, day %d", cases,
					costs.what, day), covered, enough, 0.77, 0.83))
			}
			name := fmt.Sprintf("%g cases a month, %s: ", cases, costs.what)
			claims = append(claims, Mean(name+"bias, as a share of a month", misses, -0.01, 0.01),
				Share(name+"can tell", told, of, 0.9, None))
		}
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
