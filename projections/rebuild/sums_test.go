package rebuild

import (
	"math"
	"testing"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// TestBalancesBeyondAnAmount: sums of many amounts are exact, also where an Amount can't hold them.
func TestBalancesBeyondAnAmount(t *testing.T) {
	one, other := balances{}, balances{}
	row := func(amount domain.Amount) *ledger.Row {
		return &ledger.Row{Event: &domain.Event{StoreID: "s", Currency: "USD"}, Posting: 7,
			Lines: []domain.Line{{Account: domain.Sales, Amount: amount}}}
	}
	for range 3 {
		one.move(row(0), row(math.MaxInt64))
		other.move(row(math.MaxInt64), row(0))
	}
	other.move(row(5), row(-1234))
	one.addAll(other)
	if is := fourDecimals(one[balanceKey{7, "s", "USD"}][domain.Sales].units()); is != "-0.1239" {
		t.Errorf("it moves by %s", is)
	}
	one.move(row(0), row(math.MaxInt64))
	one.move(row(0), row(math.MaxInt64))
	abroad := row(7)
	abroad.Lines[0].Store, abroad.Lines[0].Currency = "t", "JPY" // the line's own, not the event's
	one.add(abroad, 1)
	if is := fourDecimals(one[balanceKey{7, "t", "JPY"}][domain.Sales].units()); is != "0.0007" {
		t.Errorf("a line of its own currency and store moves them by %s", is)
	}
	if is := fourDecimals(one[balanceKey{7, "s", "USD"}][domain.Sales].units()); is != "1844674407370955.0375" {
		t.Errorf("it moves by %s", is)
	}
}
