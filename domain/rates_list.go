package domain

import (
	"cmp"
	"slices"
	"time"
)

// SetRate is a rate as somebody set it. Value is money per hour, kilometre, piece or unit of a foreign currency, or a
// fraction for VoucherRedemption.
type SetRate struct {
	Name, Key, Currency string
	EffectiveFrom       time.Time
	Value               Decimal
	Source, ID          string
	Mark                Mark // where the books stream holds it
	Voided              bool
}

// All lists every rate that was ever set: by name, key and currency, then by effective_from, of two alike the later
// recorded last.
func (r *Rates) All() []SetRate {
	var all []SetRate
	for k, list := range r.byKey {
		for i := range list {
			c := &list[i]
			_, voided := r.voided[c.id]
			all = append(all, SetRate{Name: k.name, Key: k.key, Currency: k.currency, EffectiveFrom: c.from, Value: c.value,
				Source: c.id.source, ID: c.id.id, Mark: c.mark, Voided: voided})
		}
	}
	slices.SortStableFunc(all, func(a, b SetRate) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Currency, b.Currency),
			a.EffectiveFrom.Compare(b.EffectiveFrom), cmp.Compare(a.Mark.Offset, b.Mark.Offset))
	})
	return all
}

// InForce lists the rates that an event which happens at that time, and is recorded now, would be priced with: per
// name, key and currency the one with the latest effective_from by then.
func (r *Rates) InForce(at time.Time) []SetRate {
	var rates []SetRate
	for _, s := range r.All() {
		if s.Voided || s.EffectiveFrom.After(at) {
			continue
		}
		if n := len(rates); n > 0 && rates[n-1].Name == s.Name && rates[n-1].Key == s.Key &&
			rates[n-1].Currency == s.Currency {
			rates[n-1] = s
			continue
		}
		rates = append(rates, s)
	}
	return rates
}
