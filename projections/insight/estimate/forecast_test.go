package estimate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// daily spreads weeks over their days: all of a week comes on its third day.
func daily(weeks []float64) []float64 {
	days := make([]float64, 7*len(weeks))
	for w, x := range weeks {
		days[7*w+2] = x
	}
	return days
}

// TestForecastByCounting holds the interval of two weeks against all pairs that the urn can give, each with its chance,
// and of twenty days against shares of the weeks that are drawn as a whole: those of Rubin's bootstrap.
func TestForecastByCounting(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 8))
	weeks := make([]float64, 26)
	for i := range weeks {
		weeks[i] = 100 * math.Exp(0.7*r.NormFloat64())
	}
	n := float64(len(weeks))
	apart := math.Sqrt((n+1)/(n-1)) * 1.31635 / 1.28155 // Student's 90 % for 25, and the normal one
	mean := 0.0
	for _, x := range weeks {
		mean += x / n
	}
	check := func(coming int, sums, chances []float64) {
		t.Helper()
		f := Forecast(daily(weeks), coming, 0.8)
		centre := mean * float64((coming+4)/7) // what comes on the third day of a week that is left is in it
		near(t, "the forecast", f.Value, centre, 1e-9)
		low, high := 0.0, 0.0
		for i, x := range sums {
			if x = centre + (x-centre)*apart; x < f.Low {
				low += chances[i]
			} else if x > f.High {
				high += chances[i]
			}
		}
		near(t, "the chance of less", low, 0.1, 0.015)
		near(t, "the chance of more", high, 0.1, 0.015)
	}
	var sums, chances []float64
	for i, x := range weeks {
		for j, y := range weeks {
			again := 0.0
			if i == j {
				again = 1
			}
			sums, chances = append(sums, x+y), append(chances, (1+again)/(n*(n+1)))
		}
	}
	check(14, sums, chances)
	sums, chances = nil, nil
	const rounds = 20_000
	for range rounds {
		below, all := make([]float64, len(weeks)), 0.0
		for i := range below {
			all += r.ExpFloat64()
			below[i] = all
		}
		sum := 0.0
		for range 3 {
			at, _ := slices.BinarySearch(below, all*r.Float64())
			sum += weeks[at]
		}
		sums, chances = append(sums, sum), append(chances, 1.0/rounds)
	}
	check(20, sums, chances)
}

// TestForecastOfAWeek is the prediction of textbooks where weeks are normal: mean ± t s √(1 + 1/n).
func TestForecastOfAWeek(t *testing.T) {
	const n = 200
	weeks := make([]float64, n)
	for i := range weeks {
		weeks[i] = 100 + 10*Quantile((float64(i)+0.5)/n)
	}
	f := Forecast(daily(weeks), 7, 0.8)
	near(t, "the forecast", f.Value, 100, 1e-9)
	near(t, "low", f.Low, 100-1.28582*10*math.Sqrt(1+1.0/n), 0.5) // Student's 90 % for 199
	near(t, "high", f.High, 100+1.28582*10*math.Sqrt(1+1.0/n), 0.5)
}

// TestForecastOfFew: where nothing more may come, the interval begins at nothing and leaves out 20 of 100 above; where
// nothing comes most often, it still holds the mean; and what was paid back can come again.
func TestForecastOfFew(t *testing.T) {
	weeks := make([]float64, 26)
	for i := range 10 {
		weeks[2*i] = float64(10 * (i + 1))
	}
	f := Forecast(daily(weeks), 7, 0.8)
	// A week costs something in 10 of 26: more than the 80th of 100 are those above 50.
	if f.Low != 0 || f.High < 50 || f.High > 70 {
		t.Errorf("10 weeks of 26: %+v", f)
	}
	for i := range weeks {
		weeks[i] = 0
		if i < 4 {
			weeks[i] = 100
		}
	}
	if f = Forecast(daily(weeks), 7, 0.8); f.Low != 0 || f.High != f.Value || math.Abs(f.Value-400.0/26) > 1e-9 {
		t.Errorf("4 weeks of 26: %+v", f)
	}
	if f = Forecast(daily(weeks), 1, 0.8); f.Low != 0 || f.High != 0 || f.Value != 0 {
		t.Errorf("a weekday on which nothing ever cost: %+v", f)
	}
	for i := range weeks {
		weeks[i] = []float64{60, -40, 5, 30}[i%4]
	}
	if f = Forecast(daily(weeks), 7, 0.8); f.Low > -30 || f.High < 50 {
		t.Errorf("weeks that are paid back: %+v", f)
	}
}
