package domain

import (
	"cmp"
	"math/rand/v2"
	"testing"
)

// everyWay settles events in all orders of arrival, or 100 random ones of many, each split by a close at every place.
func everyWay(t *testing.T, events []*Event, check func(*Settlement, []Recorded)) {
	t.Helper()
	for _, arrival := range arrivals(len(events), rand.New(rand.NewPCG(1, 0))) {
		for closeAt := -1; closeAt <= len(events); closeAt++ {
			terms, all := recorded(events, arrival, closeAt)
			s, err := terms.Settle(all)
			if err != nil {
				t.Fatal(err)
			}
			check(s, all)
		}
	}
}

// inventory is what 1200 holds in the end, by currency or by store.
func inventory(s *Settlement, all []Recorded, by func(Line, *Event) string) map[string]string {
	sums, holds := map[string]Amount{}, map[string]string{}
	for i := range s.Events {
		for _, l := range s.Events[i].Lines {
			if l.Account == Inventory {
				sums[by(l, all[i].Event)] += l.Amount
			}
		}
	}
	for name, a := range sums {
		holds[name] = a.String()
	}
	return holds
}

// TestCurrencyOfGoods: without order and report the goods of a case are in the currency of its first ones by time. What
// comes after them in another one has no price.
func TestCurrencyOfGoods(t *testing.T) {
	out, in := sent("r"), comesBack("p", "1", "50", WasSold, GradeSaleable, "")
	for _, c := range []struct {
		first, second Data
		usd, eur      string
	}{{out, in, "-60.0000", "0.0000"}, {in, out, "50.0000", "0.0000"}} {
		events := asEvents([]told{{minute: 1, errorID: "c", data: c.first}, {minute: 2, errorID: "c", data: c.second}})
		events[1].Currency = "EUR"
		everyWay(t, events, func(s *Settlement, all []Recorded) {
			holds := inventory(s, all, func(l Line, e *Event) string { return cmp.Or(l.Currency, e.Currency) })
			if holds["USD"] != c.usd || cmp.Or(holds["EUR"], "0.0000") != c.eur {
				t.Errorf("in the sequence %v: 1200 holds %v", s.Sequence, holds)
			}
		})
	}
}

// TestStoreOfTheFirstFix: goods of a case that nobody reported are of the store of its first fix by time, also
// where that names no case and is of the only one.
func TestStoreOfTheFirstFix(t *testing.T) {
	goods := told{minute: 3, errorID: "c", data: back("1", WasSold, GradeSaleable)}
	for name, said := range map[string][]told{
		"a refund":  {{data: sale}, {minute: 2, data: refunded("r", "8", "0")}, goods},
		"a dispute": {{data: sale}, {minute: 2, data: &DisputeLost{DisputeID: "x", Amount: d("8")}}, goods},
		"a dispute whose end names the case": {{data: sale}, {minute: 2, data: &DisputeOpened{DisputeID: "x",
			Amount: d("8")}}, goods, {minute: 4, errorID: "c", data: &DisputeLost{DisputeID: "x", Amount: d("8")}}},
		"a refund that comes after the goods": {{data: sale}, goods, {minute: 4, data: refunded("r", "8", "0")}},
	} {
		events := asEvents(said)
		for i, store := range []string{"sold", "a", "b", "c"}[:len(events)] {
			events[i].StoreID = store
		}
		everyWay(t, events, func(s *Settlement, all []Recorded) {
			want := map[string]string{"sold": "-60.0000", "a": "60.0000"}
			holds := inventory(s, all, func(l Line, e *Event) string { return cmp.Or(l.Store, e.StoreID) })
			for _, store := range []string{"sold", "a", "b", "c"} {
				if cmp.Or(holds[store], "0.0000") != cmp.Or(want[store], "0.0000") {
					t.Errorf("%s, in the sequence %v: 1200 holds %v, not %v", name, s.Sequence, holds, want)
					break
				}
			}
		})
	}
}
