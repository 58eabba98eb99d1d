package insight

import (
	"math/big"
	"testing"
	"time"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// TestForecastHoldsWhatCame: a store most of whose weeks cost nothing may have had all that comes of the month: amounts
// of four decimals are within bounds of cents.
func TestForecastHoldsWhatCame(t *testing.T) {
	since := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	q := &Query{From: since.AddDate(0, 0, budgetHistory), To: since.AddDate(0, 0, budgetHistory+28)}
	for _, came := range []string{"12.3456", "12.3401", "12.34", "0.0049"} {
		amount, _ := new(big.Rat).SetString(came)
		s := &daysOfStore{orders: make([]uint64, budgetHistory+21), cost: make([]float64, budgetHistory+21), came: amount}
		for d := range s.orders {
			if s.orders[d] = 10; d%35 == 3 {
				s.cost[d] = 20.1234
			}
		}
		for d := range s.cost[budgetHistory:] {
			s.cost[budgetHistory+d] = 0
		}
		s.cost[budgetHistory+2], _ = amount.Float64()
		e, is := q.budgetRow("s1", s, nil, since, q.From.AddDate(0, 0, 21))["forecast"].(*estimate.Estimate)
		if !is || !e.Enough {
			t.Fatalf("%s: %+v", came, e)
		}
		low, _ := new(big.Rat).SetString(*e.Low)
		high, _ := new(big.Rat).SetString(*e.High)
		if amount.Cmp(low) < 0 || amount.Cmp(high) > 0 || new(big.Rat).Sub(amount, low).Cmp(big.NewRat(1, 100)) >= 0 {
			t.Errorf("%s came, and the forecast is from %s to %s", came, *e.Low, *e.High)
		}
	}
}
