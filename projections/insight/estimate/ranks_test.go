package estimate

import (
	"math"
	"testing"
)

// TestExactIntervalByCounting: at a bound, what was seen or more, or less, has half of the risk, summed up by counts.
func TestExactIntervalByCounting(t *testing.T) {
	tail := func(n, from, to int, p float64) (sum float64) {
		for k := from; k <= to; k++ {
			sum += math.Exp(choose(n, k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
		}
		return sum
	}
	for _, of := range [][2]int{{3, 20}, {1, 1000}, {40, 2500}, {99, 100}} {
		k, n := of[0], of[1]
		i := exactInterval(Arm{N: uint64(n), Back: uint64(k)}, 0.996)
		near(t, "above the lower bound", tail(n, k, n, i.Low), 0.002, 1e-9)
		near(t, "below the upper bound", tail(n, 0, k, i.High), 0.002, 1e-9)
	}
	if none := exactInterval(Arm{N: 10}, 0.95); none.Low != 0 {
		t.Errorf("%+v", none)
	}
	if all := exactInterval(Arm{N: 10, Back: 10}, 0.95); all.High != 1 {
		t.Errorf("%+v", all)
	}
}

// TestPlaces: who is clearly worse comes later, who can't be told apart shares places, and who has nothing has none.
func TestPlaces(t *testing.T) {
	got := Ranks([]Arm{{1000, 100}, {1000, 11}, {}, {1000, 10}}, 0.95)
	want := []Ranked{{3, 3}, {1, 2}, {}, {1, 2}}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%d: %+v, want %+v", i, got[i], want[i])
		}
	}
}
