package estimate

import (
	"math"
	"slices"
	"testing"
)

// TestRefusals: where too little is known an estimate says what is needed, and no figure.
func TestRefusals(t *testing.T) {
	triangle, err := ChainLadder([][]float64{{5, 1}, {4}}, 0.8)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := ChainLadder([][]float64{{5, 1, 0, 0, 0, 0}, {0, 1, 0, 0, 0}, {4, 1, 0, 0}, {5, 1, 0}, {6, 1}, {5}}, 0.8)
	if err != nil {
		t.Fatal(err)
	}
	alone := []Unit{{Start: 20, Amount: make([]float64, 40), Orders: make([]float64, 40)}}
	early := append(alone, Unit{Start: Never, Amount: make([]float64, 40), Orders: make([]float64, 40)})
	early[0].Start = 3
	nowhere := make([]Cell, 100)
	for i := range nowhere {
		nowhere[i] = Cell{Stratum: string(rune('a' + i%20)), Group: i % Groups, Failed: i%20 < 18, Tally: Tally{N: 1}}
	}
	counter := Counter([]Handled{{"a", 50, 1}, {"b", 400, 4}}, 100, 0.95, 1)
	for what, e := range map[string]Estimated{
		"two months":               triangle.Total,
		"a month without a cost":   gone.Total,
		"three weeks":              Forecast(slices.Repeat([]float64{1}, 27), 5, 0.8),
		"days without a cost":      Forecast(make([]float64, 182), 5, 0.8),
		"a year and two days":      Forecast(slices.Repeat([]float64{1}, 182), 367, 0.8),
		"no controls":              DifferenceInDifferences(alone, 0, 0.95).Change,
		"three weeks before":       DifferenceInDifferences(early, 0, 0.95).Saved,
		"three weeks of a year":    Yearly([]float64{1, 2, 3}, 0.95),
		"ten failed orders":        Match(nowhere[:10], 0.95).Back,
		"no order like them":       Match(nowhere, 0.95).Contribution,
		"an experiment of one arm": Difference(Arm{10, 3}, Arm{}, 0.95),
		"fifty orders":             counter[0].Right,
		"nobody beside":            counter[1].Right,
	} {
		if e.Enough() || e.Value != 0 || e.Low != 0 || e.High != 0 {
			t.Errorf("%s: %+v", what, e)
		}
	}
	if _, err := ChainLadder([][]float64{{1, 2}, {1, 2}}, 0.8); err == nil {
		t.Error("a square was taken for a triangle")
	}
	if _, err := NewCusum(Counts{Cases: 3, Periods: 90}, 2, 0.01); err == nil {
		t.Error("three cases were taken for a baseline")
	}
	if _, err := XmR([]float64{1, 2}, 0.01); err == nil {
		t.Error("two weeks were taken for a baseline")
	}
	if _, err := NewPPrime(Shares{Right: []float64{1}, Of: []float64{2}}); err == nil {
		t.Error("one week was taken for a baseline")
	}
}

// TestCausesAddUp: disjoint causes never come to more than the whole, to the last digit.
func TestCausesAddUp(t *testing.T) {
	a, b := []float64{1, 2, 0, 4, 9, 3, 2, 1}, []float64{0, 3, 1, 1, 0, 0, 7, 2}
	whole := make([]float64, len(a))
	for i := range a {
		whole[i] = a[i] + b[i]
	}
	near(t, "the sum", Yearly(a, 0.95).Value+Yearly(b, 0.95).Value, Yearly(whole, 0.95).Value, 1e-9)
}

// TestDispersion is 1 for counts that vary as chance does, and of no days.
func TestDispersion(t *testing.T) {
	near(t, "of nothing", Dispersion(nil, nil), 1, 0)
	near(t, "of even days", Dispersion([]int{2, 2, 2}, []float64{1, 1, 1}), 0, 1e-12)
	near(t, "of half a day", Dispersion([]int{4, 2, 4}, []float64{1, 0.5, 1}), 0, 1e-12)
	near(t, "of two days", Dispersion([]int{0, 4}, []float64{1, 1}), 4, 1e-12)
}

// TestLimitsAreOrdered: a chart's limits hold its centre, and a rarer alarm makes them wider.
func TestLimitsAreOrdered(t *testing.T) {
	base := make([]float64, 30)
	for i := range base {
		base[i] = 100 + 10*math.Sin(float64(i*i))
	}
	often, err := XmR(base, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	rarely, err := XmR(base, 0.001)
	if err != nil {
		t.Fatal(err)
	}
	if !(rarely.Low < often.Low && often.Low < often.Centre && often.High < rarely.High) {
		t.Errorf("%+v, %+v", often, rarely)
	}
	if often.Outside(often.Low-1) != -1 || often.Outside(often.High+1) != 1 || often.Outside(often.Centre) != 0 {
		t.Error("what is outside isn't said")
	}
}

// TestCusumRefusesWhatItCannotKnow: where a mean that the baseline leaves possible is as large as what is looked for,
// no threshold is enough, and that is said at once.
func TestCusumRefusesWhatItCannotKnow(t *testing.T) {
	for _, c := range []Counts{{30, 17, 1}, {17, 17, 3}, {16, 17, 1}} {
		if chart, err := NewCusum(c, 2, 1.0/365/30); err == nil {
			t.Errorf("%+v: %+v", c, chart)
		}
	}
	if chart, err := NewCusum(Counts{60, 17, 1.5}, 2, 1.0/365/30); err != nil || chart.Threshold <= 0 {
		t.Errorf("%+v %v", chart, err)
	}
}
