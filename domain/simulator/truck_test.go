package simulator

import (
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
)

// TestTruckSettles holds the truck case against the contract's numbers.
func TestTruckSettles(t *testing.T) {
	terms := domain.NewTerms(time.UTC)
	var unit []domain.Recorded
	events := TruckCase(start, "truck-1", "store-1", "USD")
	if len(events) != 13 {
		t.Fatalf("%d events", len(events))
	}
	last := start
	for i, e := range events {
		if rate := e.Type == domain.TypeRateSet; rate != (i < 5) {
			t.Errorf("event %d is a %s: the rates come first", i, e.Type)
		}
		if e.Time.Before(last) {
			t.Errorf("%s happens before what is told before it", e.ID)
		}
		last = e.Time
		at := domain.Position{Stream: e.Stream(), Offset: int64(i), Time: e.Time}
		if e.Stream() == domain.Books {
			terms.Apply(&e, domain.Mark{Offset: int64(i), Time: e.Time})
			continue
		}
		unit = append(unit, domain.Recorded{Event: &e, At: at, RecordedAt: e.Time})
	}
	s, err := terms.Settle(unit)
	if err != nil {
		t.Fatal(err)
	}
	b := &settledUnit{T: t, name: "truck", cases: map[string]domain.CaseFacts{}, open: map[account]domain.Amount{}}
	var gross, hidden, booked domain.Amount
	for i := range s.Events {
		b.take(unit[i].Event, &s.Events[i])
		for _, l := range s.Events[i].Lines {
			switch {
			case l.Element == domain.NoElement:
			case l.Element == domain.Recovery:
				booked += l.Amount
			case l.Basis == domain.Imputed:
				gross, hidden = gross+l.Amount, hidden+l.Amount
			default:
				gross, booked = gross+l.Amount, booked+l.Amount
			}
		}
	}
	b.compare()
	for what, c := range map[string][2]string{
		"perfect contribution": {b.perfect.String(), "36.5700"}, "contribution": {b.contribution.String(), "-26.7800"},
		"gross": {gross.String(), "88.3500"}, "net": {b.net.String(), "63.3500"}, "hidden": {hidden.String(), "70.3500"},
		"in the general ledger": {booked.String(), "-7.0000"},
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
