package domain

import (
	"sort"
	"strings"
	"time"
)

// The rates that a company sets. Money per hour, kilometre or piece; VoucherRedemption is the fraction of granted
// vouchers that is used in the end, 0 to 1, and has no currency. ExchangeRate is how many units of its currency one
// unit of its key is worth: it translates reports (see Exchange), and prices nothing.
const (
	LabourHour        = "labour_hour"        // key: role
	FleetHour         = "fleet_hour"         // key: vehicle
	FleetKM           = "fleet_km"           // key: vehicle
	ItemCost          = "item_cost"          // key: sku
	VoucherRedemption = "voucher_redemption" // key: kind of concession
	ExchangeRate      = "exchange_rate"      // key: the currency that is translated, never *
	anyKey            = "*"
)

// RateNames lists the rates that events are priced with.
func RateNames() []string {
	return []string{LabourHour, FleetHour, FleetKM, ItemCost, VoucherRedemption}
}

// SettableRates lists all that rate.set may set: RateNames, and ExchangeRate.
func SettableRates() []string { return append(RateNames(), ExchangeRate) }

// Rates knows every rate and when it was recorded. It is fed with the books stream in order.
type Rates struct {
	byKey  map[rateKey][]rate
	seen   map[identity]rateKey
	voided map[identity]Mark
}

type rateKey struct{ name, key, currency string }

type rate struct {
	id    identity
	mark  Mark
	from  time.Time
	value Decimal
}

// NewRates starts without any rate.
func NewRates() *Rates {
	return &Rates{byKey: map[rateKey][]rate{}, seen: map[identity]rateKey{}, voided: map[identity]Mark{}}
}

func (r *Rates) apply(e *Event, m Mark) {
	switch d := e.Data.(type) {
	case *RateSet:
		id := identity{strings.Clone(e.Source), strings.Clone(e.ID)}
		if _, again := r.seen[id]; again {
			return // the same event again, or a conflict: the first stands
		}
		k := rateKey{strings.Clone(d.Rate), strings.Clone(d.Key), strings.Clone(e.Currency)}
		if d.Rate == VoucherRedemption {
			k.currency = ""
		}
		r.seen[id] = k
		list := r.byKey[k]
		// Sorted by effective_from; of two alike the later recorded stands last, and the books are read in order.
		i := sort.Search(len(list), func(i int) bool { return list[i].from.After(d.EffectiveFrom) })
		list = append(list, rate{})
		copy(list[i+1:], list[i:])
		list[i] = rate{id: id, mark: m, from: d.EffectiveFrom, value: d.Value}
		r.byKey[k] = list
	case *EventVoided:
		if _, is := d.Original.Data.(*RateSet); !is {
			return
		}
		id := identity{strings.Clone(d.Source), strings.Clone(d.ID)}
		if _, again := r.voided[id]; !again {
			r.voided[id] = m
		}
	}
}

// At finds the rate for an event that occurred then and stands in the log there: among those recorded no later than
// the event, the one with the latest effective_from, for the key, else for any key.
func (r *Rates) At(name, key, currency string, occurred time.Time, at Position) (Decimal, bool) {
	if name == VoucherRedemption {
		currency = ""
	}
	if v, ok := r.find(rateKey{name, key, currency}, occurred, at); ok || key == anyKey {
		return v, ok
	}
	return r.find(rateKey{name, anyKey, currency}, occurred, at)
}

func (r *Rates) find(k rateKey, occurred time.Time, at Position) (Decimal, bool) {
	list := r.byKey[k]
	for i := len(list) - 1; i >= 0; i-- {
		c := &list[i]
		if c.from.After(occurred) || !c.mark.Precedes(at) {
			continue
		}
		if void, is := r.voided[c.id]; is && void.Precedes(at) {
			continue
		}
		return c.value, true
	}
	return 0, false
}

// marks are those of the rates that events are priced with, and of their voids.
func (r *Rates) marks(yield func(*Mark) bool) {
	for k, list := range r.byKey {
		for i := range list {
			if k.name != ExchangeRate && !yield(&list[i].mark) {
				return
			}
		}
	}
	for id, m := range r.voided {
		if r.seen[id].name != ExchangeRate && !yield(&m) {
			return
		}
	}
}

// Last is the mark of the last rate, or void of one, that the books stream holds and events are priced with; false
// where there is none.
func (r *Rates) Last() (last Mark, any bool) {
	for m := range r.marks {
		if !any || m.Offset > last.Offset {
			last, any = *m, true
		}
	}
	return last, any
}

// ByPlace reports whether every rate that events are priced with, and every void of one, says where in the log it
// took effect, so that no producer's clock decides what it precedes.
func (r *Rates) ByPlace() bool {
	for m := range r.marks {
		if m.Ends == nil {
			return false
		}
	}
	return true
}

// Terms are what the books stream says so far: the rates, the closed months, the rebuilds, the seals.
type Terms struct {
	Rates    *Rates
	Periods  *Periods
	Rebuilds *Rebuilds
	Seals    *Seals
	Read     int64 // offset of the books stream up to which they are read
}

// NewTerms starts with no rates and every month open.
func NewTerms(zone *time.Location) *Terms {
	return &Terms{Rates: NewRates(), Periods: NewPeriods(zone), Rebuilds: &Rebuilds{seen: map[identity]bool{}},
		Seals: &Seals{}}
}

// Apply takes the next event of the books stream, in the order of their offsets. Events that lay nothing down are
// passed over. What it keeps it copies.
func (t *Terms) Apply(e *Event, m Mark) {
	t.Rates.apply(e, m)
	t.Periods.apply(e, m)
	t.Rebuilds.apply(e, m)
	t.Seals.apply(e, m, t.Periods)
	t.Read = max(t.Read, m.Offset+1)
}
