package estimate

import (
	"math/rand/v2"
	"testing"
)

// TestPowerByCounting compares with tests whose level is a tail itself, so that no lot is drawn.
func TestPowerByCounting(t *testing.T) {
	tail := func(mean float64, from int) float64 {
		sum := 1.0
		for n, p := range chances(mean, 1) {
			if n == from {
				return sum
			}
			sum -= p
		}
		return 0
	}
	for _, of := range []struct {
		mean float64
		from int
	}{{10, 20}, {10, 24}, {0.5, 3}, {40, 60}} {
		near(t, "power", power(of.mean, 2, tail(of.mean, of.from)), tail(2*of.mean, of.from), 1e-9)
	}
	// Ten days of one case a day, at one false alarm a year in 200 stores: one in nearly four doublings is seen.
	if p := power(10, 2, 10/(200*365.25)); p < 0.2 || p > 0.26 {
		t.Errorf("a power of %v", p)
	}
}

// TestRunLengthOfACompany: a company of 200 stores has a false alarm once in 365 days, within 10 % on both sides: no
// more often than it accepts, and no threshold is so high that what is wrong is found late for nothing. Where twenty
// cases come a day a chart calls within a day, so that its threshold is met by whole counts, and one more is too many:
// it calls somewhat less often than it might.
func TestRunLengthOfACompany(t *testing.T) {
	const stores = 200
	for _, company := range []struct {
		cases []int // of a year, by store
		most  float64
	}{{[]int{183, 365, 365, 730, 1825}, 1.1}, {[]int{365}, 1.1}, {[]int{140}, 1.1}, {[]int{300, 420, 555, 812, 1100}, 1.1},
		{[]int{3300, 3450, 3580, 3650, 3700, 3840, 3990}, 1.1},
		{[]int{7300, 9000, 20000}, 1.25}} {
		hazard := 0.0
		for _, cases := range company.cases {
			chart, err := NewCusum(Counts{Cases: cases, Periods: 365, Dispersion: 1}, 2,
				Budget{PerYear: 1, Charts: stores}.PerPeriod(1))
			if err != nil {
				t.Fatal(err)
			}
			hazard += chart.Hazard * stores / float64(len(company.cases))
		}
		days := 1 / hazard
		t.Logf("stores of %v cases a year: a false alarm in %.0f days", company.cases, days)
		if days < 365 || days > 365*company.most {
			t.Errorf("stores of %v cases a year: a false alarm in %.0f days", company.cases, days)
		}
	}
}

// TestNothingIsQuicker: the chart finds no change in less time than any method can, and not much later; the median that
// is worked out is the one that is played.
func TestNothingIsQuicker(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 4))
	for _, c := range []struct {
		cases  int
		charts int
	}{{365, 1}, {365, 200}, {3650, 200}, {1200, 20}} {
		alarms := Budget{PerYear: 1, Charts: c.charts}.PerPeriod(1)
		chart, err := NewCusum(Counts{Cases: c.cases, Periods: 365, Dispersion: 1}, 2, alarms)
		if err != nil {
			t.Fatal(err)
		}
		least, median := Quickest(chart.Mean, 2, alarms), chart.Median(2, 1)
		t.Logf("%.2g a day, 1 of %d charts: a median of %d days, and no method takes less than %d", chart.Mean, c.charts,
			median, least)
		if median < least || median > 2*least+1 {
			t.Errorf("%+v: %d days, the bound is %d", c, median, least)
		}
		const runs = 2000
		draw := func(mean float64) int {
			x := r.Float64()
			for n, p := range chances(mean, 1) {
				if x -= p; x < 0 || n > 1000 {
					return n
				}
			}
			return 0
		}
		before, by := 0, 0 // found before the median, and by then
		for range runs {
			at := 0.0
			for range 40 {
				if at = chart.Next(at, draw(chart.Mean), 1); at >= chart.Threshold {
					at = 0
				}
			}
			day := 0
			for at < chart.Threshold {
				at = chart.Next(at, draw(2*chart.Mean), 1)
				day++
			}
			if day < median {
				before++
			}
			if day <= median {
				by++
			}
		}
		if before > runs*54/100 || by < runs*46/100 {
			t.Errorf("%+v: of %d runs %d are found before the median of %d, %d by it", c, runs, before, median, by)
		}
	}
}
