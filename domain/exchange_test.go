package domain

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestExchangeAgainstSearch holds the rate of a day against the contract's words, looked for the slow way: of those
// known, the latest effective_from no later than the day, of two alike the later recorded, none that was known to be
// voided.
func TestExchangeAgainstSearch(t *testing.T) {
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 41))
		terms := NewTerms(time.UTC)
		type set struct {
			from, into     string
			day            int
			value          Decimal
			offset, voided int64 // voided: 0 where it was not
		}
		var all []set
		for offset := int64(1); offset < 30; offset++ {
			if len(all) > 0 && random.IntN(4) == 0 {
				s := &all[random.IntN(len(all))]
				id := string(rune('a' + s.offset))
				terms.Apply(&Event{Source: "s", ID: "void" + string(rune('a'+offset)), Data: &EventVoided{Source: "s", ID: id,
					Original: rateEvent(id, ExchangeRate, s.from, "1", s.into, first)}}, Mark{Offset: offset})
				if s.voided == 0 {
					s.voided = offset
				}
				continue
			}
			s := set{[]string{"EUR", "GBP"}[random.IntN(2)], []string{"USD", "CHF"}[random.IntN(2)], random.IntN(12),
				Decimal(1 + random.IntN(2_000_000)), offset, 0}
			all = append(all, s)
			terms.Apply(&Event{Source: "s", ID: string(rune('a' + offset)), Currency: s.into,
				Data: &RateSet{
					Rate:          ExchangeRate,
					Key:           s.from,
					Value:         s.value,
					EffectiveFrom: first.AddDate(0, 0, s.day),
				}}, Mark{Offset: offset})
			// Of another name: it says nothing of what money is worth.
			terms.Apply(
				rateEvent("other"+string(rune('a'+offset)), ItemCost, s.from, "7", s.into, first),
				Mark{Offset: offset},
			)
		}
		for range 60 {
			from, into := []string{"EUR", "GBP", "USD"}[random.IntN(3)], []string{"USD", "CHF"}[random.IntN(2)]
			day, before := random.IntN(14)-1, int64(random.IntN(32))
			var want *set
			for i := range all {
				s := &all[i]
				if s.from != from || s.into != into || s.day > day || s.offset >= before || s.voided > 0 && s.voided < before {
					continue
				}
				if want == nil || s.day >= want.day {
					want = s
				}
			}
			x := terms.Exchange(into, func(m *Mark) bool { return m.Offset < before })
			got, found := x.On(from, first.AddDate(0, 0, day))
			if found != (want != nil) ||
				found && (got.Value != want.value || got.Mark.Offset != want.offset || got.ID != string(rune('a'+want.offset))) {
				t.Fatalf("seed %d: %s into %s on day %d, before %d: got %+v, %t, not %+v", seed, from, into, day, before, got,
					found, want)
			}
		}
	}
}

// TestExchangeRatesPriceNothing: no event asks for them, and neither they nor their voids make a rebuild out of date.
func TestExchangeRatesPriceNothing(t *testing.T) {
	terms := NewTerms(time.UTC)
	set := rateEvent("x", ExchangeRate, "EUR", "1.085", "USD", when.AddDate(-1, 0, 0))
	terms.Apply(set, Mark{Offset: 5})
	terms.Apply(&Event{Source: "s", ID: "v", Data: &EventVoided{Source: "s", ID: "x", Original: set}}, Mark{Offset: 6})
	if terms.ChangedBetween(0, 100) {
		t.Error("an exchange rate and its void make a rebuild out of date")
	}
	if last, any := terms.Rates.Last(); any || !terms.Rates.ByPlace() {
		t.Errorf("the last rate that prices is at %d", last.Offset)
	}
	terms.Apply(rateEvent("y", LabourHour, "*", "20", "USD", when), Mark{Offset: 7})
	if !terms.ChangedBetween(7, 8) || terms.ChangedBetween(0, 7) || terms.ChangedBetween(8, 100) {
		t.Error("a rate that prices does, where it stands")
	}
	if terms.Rates.IsExchange("s", "y") || !terms.Rates.IsExchange("s", "x") || terms.Rates.IsExchange("s", "nobody") {
		t.Error("which of them translate is told wrongly")
	}
	terms.Apply(&Event{Source: "s", ID: "w", Data: &EventVoided{Source: "s", ID: "y", Original: set}}, Mark{Offset: 9})
	if !terms.ChangedBetween(9, 10) {
		t.Error("the void of a rate that prices does, whatever it says that it voids")
	}
	if last, any := terms.Rates.Last(); !any || last.Offset != 9 || terms.Rates.ByPlace() {
		t.Errorf(
			"the last rate that prices, or its void, is at %d, and it is places that tell: %t",
			last.Offset,
			terms.Rates.ByPlace(),
		)
	}
}
