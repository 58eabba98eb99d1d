package trials

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestEstimatesHold holds each estimator against some dozens of shops. A claim may miss by what chance explains in so
// few; the command insight-check does it with as many as one likes.
func TestEstimatesHold(t *testing.T) {
	const seed, shops = 20261128, 36
	t.Logf("seed %d, %d shops", seed, shops)
	for n, trial := range Trials() {
		t.Run(trial.Name, func(t *testing.T) {
			shops := shops
			if trial.Name == "signals" {
				shops = 8 // a company of 200 charts for a year is slow under the race detector
			}
			for _, claim := range trial.Run(rand.New(rand.NewPCG(seed, uint64(n))), shops) {
				t.Log(claim)
				if !claim.Holds() {
					t.Error(claim)
				}
			}
		})
	}
}

// TestClaims: a claim that is missed by more than chance explains doesn't hold.
func TestClaims(t *testing.T) {
	for _, c := range []struct {
		claim Claim
		holds bool
	}{
		{Share("", 50, 1000, -None, 0.05), true},
		{Share("", 60, 1000, -None, 0.05), true}, // chance
		{Share("", 90, 1000, -None, 0.05), false},
		{Share("", 700, 1000, 0.77, 0.83), false},
		{Mean("", []float64{9, 10, 11, 10}, 15, None), false},
		{Mean("", []float64{0.1, 0.12, 0.18, 0.22}, -0.01, 0.01), true}, // four shops: one mean in 75 is as far off by chance
		{median("", []float64{1, 2, 3, 4, 5, 6, 7, 8, 9}, -None, 10), true},
	} {
		if c.claim.Holds() != c.holds || math.IsNaN(c.claim.Margin) {
			t.Errorf("%s holds: %v", c.claim, c.claim.Holds())
		}
	}
}
