package projections

import (
	"math"
	"testing"

	"github.com/makegood/makegood/domain"
)

// TestBalancesBeyondAnAmount: sums of many amounts are exact, also where an Amount can't hold them.
func TestBalancesBeyondAnAmount(t *testing.T) {
	one, other := balances{}, balances{}
	row := func(amount domain.Amount) *Row {
		return &Row{Event: &domain.Event{StoreID: "s", Currency: "USD"}, Posting: 7, Lines: []domain.Line{{Account: domain.Sales, Amount: amount}}}
	}
	for range 3 {
		one.add(row(math.MaxInt64))
		other.add(row(math.MinInt64))
	}
	other.add(row(-5))
	one.addAll(other)
	was, will, err := one.moved(7, domain.Sales, "s", "USD", "-0.1234")
	if err != nil || was != "-0.0008" || will != "-0.1242" {
		t.Errorf("%s, then %s (%v)", was, will, err)
	}
	if was, will, err := one.moved(8, domain.Sales, "s", "USD", "12.0000"); err != nil || was != "0.0000" || will != "12.0000" {
		t.Errorf("of nothing %s, then %s (%v)", was, will, err)
	}
	if _, _, err := one.moved(7, domain.Sales, "s", "USD", "much"); err == nil {
		t.Error("a change of much was taken")
	}
}
