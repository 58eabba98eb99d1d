package domain

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// TestWhatIsPostedAloneIsSettledTheSame: Post of what may be posted by itself makes the entry that Settle makes of it
// alone.
func TestWhatIsPostedAloneIsSettledTheSame(t *testing.T) {
	seed := rand.Uint64()
	var entry Entry
	compare := func(e *Event, rates *Rates) {
		terms := NewTerms(time.UTC)
		terms.Rates = rates
		at := Position{Stream: Orders, Offset: 100}
		s, err := terms.Settle([]Recorded{{Event: e, At: at}})
		if err != nil {
			t.Fatal(err)
		}
		if err := Post(e, rates, at, &entry); err != nil {
			t.Fatal(err)
		}
		got := s.Events[0]
		if len(got.Lines) != len(entry.Lines) || len(got.Lines) > 0 && !reflect.DeepEqual(got.Lines, entry.Lines) {
			t.Fatalf("seed %d: %+v posts\n%+v\nand is settled as\n%+v", seed, e.Data, entry.Lines, got.Lines)
		}
		if got.Rated != entry.Rated || len(got.Unpriced) != len(entry.Unpriced) ||
			len(got.Unpriced) > 0 && !reflect.DeepEqual(got.Unpriced, entry.Unpriced) {
			t.Fatalf("seed %d: %+v asks for %v, and settled for %v", seed, e.Data, entry.Unpriced, got.Unpriced)
		}
	}
	alone := 0
	for n := range 3000 {
		for _, e := range drawUnit(rand.New(rand.NewPCG(seed, uint64(n))), 3) {
			if !Alone(e) {
				continue
			}
			alone++
			compare(e, NewRates())
			compare(e, tableRates())
		}
	}
	for _, d := range probes() {
		if e := (&Event{Time: when, OrderID: "o", StoreID: "s", Currency: "USD", Data: d}); Alone(e) {
			compare(e, tableRates())
		}
	}
	if alone < 100 {
		t.Errorf("only %d were compared", alone)
	}
}
