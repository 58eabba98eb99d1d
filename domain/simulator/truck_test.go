package simulator

import (
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
)

// TestTruckCaseIsTheContracts posts the case and holds it against the contract's numbers.
func TestTruckCaseIsTheContracts(t *testing.T) {
	events := TruckCase(start, "truck-1", "store-1", "USD")
	if len(events) != 13 {
		t.Fatalf("%d events", len(events))
	}
	terms := domain.NewTerms(time.UTC)
	var entry domain.Entry
	var gross, net, hidden, actual, perfect, booked domain.Amount
	last := start
	for i := range events {
		e := &events[i]
		if rate := e.Type == domain.TypeRateSet; rate != (i < 5) {
			t.Errorf("event %d is a %s: the rates come first", i, e.Type)
		}
		if e.Time.Before(last) {
			t.Errorf("%s happens before what is told before it", e.ID)
		}
		last = e.Time
		terms.Apply(e, domain.Mark{Offset: int64(i), Time: e.Time})
		at := domain.Position{Stream: e.Stream(), Offset: int64(i), Time: e.Time}
		if err := domain.Post(e, terms.Rates, at, &entry); err != nil {
			t.Fatal(err)
		}
		if len(entry.Unpriced) > 0 {
			t.Errorf("%s is unpriced: %q", e.ID, entry.Unpriced)
		}
		for _, l := range entry.Lines {
			if l.Account.ProfitAndLoss() {
				actual -= l.Amount
				if e.Type == domain.TypeOrderPlaced {
					perfect -= l.Amount
				}
			}
			if l.Element == domain.NoElement {
				continue
			}
			net += l.Amount
			if l.Element != domain.Recovery && l.Element != domain.SalvageElement {
				gross += l.Amount
				if l.Basis == domain.Imputed {
					hidden += l.Amount
				} else {
					booked += l.Amount
				}
			}
		}
	}
	for what, c := range map[string][2]string{
		"perfect contribution": {perfect.String(), "36.5700"}, "contribution": {actual.String(), "-26.7800"},
		"gross": {gross.String(), "88.3500"}, "net": {net.String(), "63.3500"}, "hidden": {hidden.String(), "70.3500"},
		"booked": {booked.String(), "18.0000"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s is %s instead of %s", what, c[0], c[1])
		}
	}
}

func TestTheTruckIsPartOfEverySimulation(t *testing.T) {
	want := TruckCase(start, "truck-1", "store-1", "USD")
	found := 0
	for n, e := range all(t, config(4, 2000)) {
		for _, w := range want {
			if e.Source == w.Source && e.ID == w.ID {
				found++
				if e.Type == domain.TypeRateSet && n > 20 {
					t.Errorf("the rate %s comes as event %d", e.ID, n)
				}
			}
		}
	}
	if found != len(want) {
		t.Errorf("%d of its %d events", found, len(want))
	}
}
