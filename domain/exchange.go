package domain

import (
	"sort"
	"time"
)

// Exchange knows what other currencies are worth in one, by day. It is for readers: reports that are translated say so,
// and nothing in the books is.
type Exchange struct {
	into string
	from map[string][]SetRate // by effective_from, of two alike the later recorded last
}

// Exchange gathers the rates into a currency that were known: those whose mark known says yes to, but for those whose
// void was known as well.
func (t *Terms) Exchange(into string, known func(*Mark) bool) *Exchange {
	x := &Exchange{into: into, from: map[string][]SetRate{}}
	for k, list := range t.Rates.byKey {
		if k.name != ExchangeRate || k.currency != into {
			continue
		}
		for i := range list {
			c := &list[i]
			void, voided := t.Rates.voided[c.id]
			if !known(&c.mark) || voided && known(&void) {
				continue
			}
			x.from[k.key] = append(
				x.from[k.key],
				SetRate{Name: k.name, Key: k.key, Currency: k.currency, EffectiveFrom: c.from, Value: c.value,
					Source: c.id.source, ID: c.id.id, Mark: c.mark},
			)
		}
	}
	return x
}

// Into is the currency translated into.
func (x *Exchange) Into() string { return x.into }

// On finds the rate at which money of a day is translated: the one with the latest effective_from no later than that
// day, a midnight UTC that names it. A rate holds for whole days, whatever the time zone of the books. false where
// there is none, and for the currency translated into, which needs none.
func (x *Exchange) On(currency string, day time.Time) (SetRate, bool) {
	list := x.from[currency]
	i := sort.Search(len(list), func(i int) bool { return list[i].EffectiveFrom.After(day) })
	if i == 0 {
		return SetRate{}, false
	}
	return list[i-1], true
}

// IsExchange reports whether the event of that identity is known, and is an exchange rate.
func (r *Rates) IsExchange(source, id string) bool {
	return r.seen[identity{source, id}].name == ExchangeRate
}
