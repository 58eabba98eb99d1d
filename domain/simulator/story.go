package simulator

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/makegood/makegood/domain"
)

// Story is what befalls a company beside its everyday trouble: planted, so that it can be found again. The zero value
// plants an even year in which failures change nothing that customers do.
type Story struct {
	// Season is how far orders swing around their mean over a year: 0.3 is 30 % more in June than in the mean month, and
	// 30 % less in December.
	Season float64
	// Shocks is the standard deviation of the logarithm of how often orders go wrong, from week to week. A shock befalls
	// all stores and causes alike.
	Shocks float64
	// Pickers is how often all pickers err, in times of usual ones; 0 is once.
	Pickers     float64
	Preventions []Prevention
	Worsening   []Worsening
	Loyalty     Loyalty
	Experiment  Experiment
}

// Prevention is money spent on having fewer failures of a cause, from a day on.
type Prevention struct {
	Cause  string // of domain.RootCauses: one of Preventable
	Store  string // empty: all
	From   time.Time
	Effect float64        // −0.5: half of these failures don't happen any more; 0: nothing changes
	Weekly domain.Decimal // spent each week, in the currency of the store; for all stores in the first one
}

// Worsening is a vendor or a carrier who errs Times as often as before, from a day on.
type Worsening struct {
	Who   string
	From  time.Time
	Times float64
}

// Experiment lets lot decide about the customers who report that something went wrong: the share Holdout of them gets
// what everybody gets, the others are called as well, which adds Effect to the chance that they come back. Without a
// name there is none.
type Experiment struct {
	Name    string
	Holdout float64
	Effect  float64
}

// Loyalty is who comes back. A customer's order is followed by another one, 2 to 80 days later, with a chance that
// rises with what they are fond of (a normal score that also fills their baskets) from Low to High. A founded case adds
// Effect to it. Large baskets go wrong more often, so that those who fail come back more often than others do anyway.
type Loyalty struct {
	Low, High float64
	Effect    float64
}

// Preventable are the root causes that a Prevention can be for: those that orders fail by.
func Preventable() []string {
	return []string{"pick_pack", "inventory_accuracy", "training", "preparation", "supplier_quality", "carrier",
		"overpromise", "order_capture", "catalog_data", "dispatch", "billing_system"}
}

// StandardStory is a year as companies have it, told in the days of the configuration: in the first store a prevention
// halves what suppliers' goods break, in the last one a fifth of the mix-ups goes, in the one between money is spent on
// carriers and nothing changes; a vendor and a carrier worsen in the last third; failures cost 12 points of those who
// come back, of which a call, by lot, wins 5.
func StandardStory(c *Config) *Story {
	at := func(share float64) time.Time {
		return c.Start.AddDate(0, 0, int(share*float64(c.Days))).Truncate(24 * time.Hour)
	}
	store := func(n int) string { return storeName(min(n, c.Stores)) }
	return &Story{
		Season: 0.2, Shocks: 0.15,
		Preventions: []Prevention{
			{"supplier_quality", store(1), at(0.45), -0.5, fromCents(4_000)},
			{"carrier", store(2), at(0.5), 0, fromCents(3_000)},
			{"pick_pack", store(c.Stores), at(0.55), -0.2, fromCents(3_000)},
		},
		Worsening: []Worsening{{"vendor-orient", at(0.67), 6}, {"carrier-lagoon", at(0.67), 2}},
		Loyalty:   Loyalty{Low: 0.25, High: 0.6, Effect: -0.12},
		// Half of them, since a difference is told soonest by arms of one size.
		Experiment: Experiment{Name: "calls", Holdout: 0.5, Effect: 0.05},
	}
}

// validate says what is wrong with the story of a company.
func (s *Story) validate(c *Config) error {
	var problems []error
	bad := func(format string, with ...any) { problems = append(problems, fmt.Errorf(format, with...)) }
	if s.Season < 0 || s.Season > 0.9 {
		bad("a season of %g is not between 0 and 0.9", s.Season)
	}
	if s.Shocks < 0 || s.Shocks > 1 {
		bad("shocks of %g are not between 0 and 1", s.Shocks)
	}
	if s.Pickers < 0 || s.Pickers > 10 {
		bad("pickers who err %g times as often as usual ones", s.Pickers)
	}
	for _, p := range s.Preventions {
		if !slices.Contains(Preventable(), p.Cause) {
			bad("%q is no cause that can be prevented", p.Cause)
		}
		if p.Effect < -1 || p.Effect > 0 || p.Weekly <= 0 || p.From.IsZero() {
			bad("a prevention of %s: an effect of %g for %s a week from %s", p.Cause, p.Effect, p.Weekly, p.From)
		}
		known := p.Store == ""
		for n := range c.Stores {
			known = known || p.Store == storeName(n+1)
		}
		if !known {
			bad("there is no %s", p.Store)
		}
	}
	for _, w := range s.Worsening {
		if !errs(w.Who) {
			bad("%q is no vendor and no carrier", w.Who)
		}
		if w.Times <= 0 || w.Times > 100 || w.From.IsZero() {
			bad("%s errs %g times as often from %s", w.Who, w.Times, w.From)
		}
	}
	if l := s.Loyalty; l.Low < 0 || l.High < l.Low || l.High > 1 || l.Effect < -1 || l.Effect > 1 {
		bad("customers come back with a chance of %g to %g, and %g where they were failed", l.Low, l.High, l.Effect)
	}
	if e := s.Experiment; e.Name != "" && (e.Holdout <= 0 || e.Holdout >= 1 || e.Effect < -1 || e.Effect > 1) {
		bad("an experiment of %g that holds out %g of the customers", e.Effect, e.Holdout)
	}
	return errors.Join(problems...)
}
