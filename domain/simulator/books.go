package simulator

import (
	"strconv"
	"time"

	"github.com/makegood/makegood/domain"
)

// bookkeeping is what a company does by the calendar: rates, money for quality, the close of a month.
type bookkeeping struct {
	till  *till
	day   time.Time // the next day to look at, at its eighth hour
	next  int64
	weeks int
}

const (
	rolePicker     = "picker"
	roleSupervisor = "supervisor"
	pickerHour     = 26 * one
	supervisorHour = 48 * one
)

// newBookkeeping sets the rates before anything else, then puts the truck case into the first day.
func newBookkeeping(s *Simulation) bookkeeping {
	c := &s.config
	b := bookkeeping{till: &till{source: "urn:simulator:books", tag: s.tag}}
	put := func(e domain.Event) { s.queue.push(e.Time.UnixNano(), &e) }
	seen := map[string]bool{}
	for _, currency := range c.Currencies {
		if seen[currency] {
			continue
		}
		for _, e := range truckRates(c.Start, currency) {
			if e.Currency != "" || len(seen) == 0 {
				put(e)
			}
		}
		seen[currency] = true
		for _, r := range []struct {
			role string
			hour domain.Decimal
		}{{rolePicker, pickerHour}, {roleSupervisor, supervisorHour}} {
			put(domain.Event{
				Source: b.till.source, ID: b.till.nextID(), Type: domain.TypeRateSet, Time: c.Start, Currency: currency,
				Data: &domain.RateSet{Rate: domain.LabourHour, Key: r.role, Value: r.hour, EffectiveFrom: c.Start},
			})
		}
	}
	if !c.WithoutTruck {
		for _, e := range TruckCase(c.Start, "truck-1", s.world.stores[0].id, c.Currencies[0]) {
			if e.Type != domain.TypeRateSet { // they stand above already
				put(e)
			}
		}
	}
	for _, d := range s.world.terms(c.Start) {
		put(domain.Event{Source: b.till.source, ID: b.till.nextID(), Type: domain.TypeVendorTerms, Time: c.Start, Data: d})
	}
	y, m, d := c.Start.Date()
	b.day = time.Date(y, m, d, 8, 0, 0, 0, s.zone)
	b.tomorrow()
	if s.plot != nil {
		b.exchange(s, c.Start.UnixNano(), c.Start)
	}
	return b
}

func (b *bookkeeping) tomorrow() {
	b.day = b.day.AddDate(0, 0, 1)
	b.next = b.day.UnixNano()
}

// tell does what the day asks for.
func (b *bookkeeping) tell(s *Simulation) {
	if b.day.Weekday() == time.Monday {
		b.weeks++
		b.quality(s)
	}
	if s.plot != nil && b.day.Day() == 1 {
		b.exchange(s, b.next, b.day)
	}
	if s.config.ClosePeriods {
		last := domain.PeriodOf(b.day.AddDate(0, -1, 0), s.zone)
		switch b.day.Day() {
		case 5:
			b.put(s, domain.TypePeriodClosed, nil, &domain.PeriodClosed{Period: last})
		case 7: // every third month something was forgotten
			if last%3 == 0 {
				b.put(s, domain.TypePeriodReopened, nil, &domain.PeriodReopened{Period: last})
			}
		case 8:
			if last%3 == 0 {
				b.put(s, domain.TypePeriodClosed, nil, &domain.PeriodClosed{Period: last})
			}
		}
	}
	b.tomorrow()
}

// quality spends on doing it right the first time: small sums, against what errors cost.
func (b *bookkeeping) quality(s *Simulation) {
	if s.plot != nil {
		b.prevention(s)
	}
	for n := range s.world.stores {
		shop := &s.world.stores[n]
		d := &domain.QualitySpent{
			SpendID: "appraisal-" + s.tag + "-" + shop.id + "-" + strconv.Itoa(b.weeks), Category: "appraisal",
			TargetCause: "supplier_quality",
			Amount:      fromCents(4_000 + s.random.Int64N(6_000)), Description: "inspection of goods received",
		}
		b.put(s, domain.TypeQualitySpent, shop, d)
		if s.plot != nil {
			continue
		}
		if b.weeks%4 != n%4 {
			continue
		}
		b.put(s, domain.TypeQualitySpent, shop, &domain.QualitySpent{
			SpendID: "prevention-" + s.tag + "-" + shop.id + "-" + strconv.Itoa(b.weeks), Category: "prevention",
			TargetCause: "pick_pack",
			Amount:      fromCents(12_000 + s.random.Int64N(20_000)), Description: "training in the warehouse",
		})
	}
}

func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// prevention spends what a story plants: what is for all stores once.
func (b *bookkeeping) prevention(s *Simulation) {
	for i := range s.plot.Preventions {
		p := &s.plot.Preventions[i]
		if b.day.Before(p.From) {
			continue
		}
		of := &store{currency: s.config.Currencies[0]}
		for n := range s.world.stores {
			if s.world.stores[n].id == p.Store {
				of = &s.world.stores[n]
			}
		}
		b.put(s, domain.TypeQualitySpent, of, &domain.QualitySpent{
			SpendID:  "plan-" + s.tag + "-" + strconv.Itoa(i) + "-" + strconv.Itoa(b.weeks),
			Category: "prevention", TargetCause: p.Cause, Amount: p.Weekly, Description: "fewer failures by " + p.Cause,
		})
	}
}

// exchange sets what the other currencies are worth in the first one, within a tenth of what they are worth in the
// middle.
func (b *bookkeeping) exchange(s *Simulation, at int64, day time.Time) {
	first := s.config.Currencies[0]
	seen := map[string]bool{first: true}
	for _, currency := range s.config.Currencies {
		if seen[currency] {
			continue
		}
		seen[currency] = true
		s.tell(at, &domain.Event{
			Source: b.till.source, ID: b.till.nextID(), Type: domain.TypeRateSet, Currency: first,
			Data: &domain.RateSet{Rate: domain.ExchangeRate, Key: currency, EffectiveFrom: midnight(day),
				Value: one + domain.Decimal(s.random.Int64N(one/5))},
		})
	}
}

func (b *bookkeeping) put(s *Simulation, t domain.Type, of *store, d domain.Data) {
	e := &domain.Event{Source: b.till.source, ID: b.till.nextID(), Type: t, Data: d}
	if of != nil {
		e.StoreID, e.Currency = of.id, of.currency
	}
	s.tell(b.next, e)
}
