package simulator

import (
	"slices"
	"time"
)

// Truth is what a simulation planted, and what became of it so far: what estimates are held against. All shares are
// from 0 to 1, days are days of UTC (YYYY-MM-DD), and "errs" is how many times as often as the usual one.
type Truth struct {
	Seed        uint64            `json:"seed"`
	Start       time.Time         `json:"start"`
	Orders      int               `json:"orders"` // placed so far, without the truck's
	Cases       uint64            `json:"cases"`
	Stores      []TrueStore       `json:"stores"`
	Pickers     []Errs            `json:"pickers"`
	Vendors     []Errs            `json:"vendors"`
	Carriers    []Errs            `json:"carriers"`
	Season      float64           `json:"season"` // see Story
	Shocks      float64           `json:"shocks"`
	Preventions []TruePrevention  `json:"preventions"`
	Customers   *TrueLoyalty      `json:"customers"`  // null without a story
	Experiment  *TrueExperiment   `json:"experiment"` // null without one
	Ratings     map[string]TrueOf `json:"ratings"`    // 1 to 5, by what became of the order
	Lags        map[string]TrueOf `json:"lags"`       // days from a failure to an event of its fix, by type
}

// TrueStore is a store and its currency.
type TrueStore struct {
	Store        string `json:"store"`
	Currency     string `json:"currency"`
	Overpromises bool   `json:"overpromises"` // breaks promises several times as often as others
}

// Errs is how often somebody errs, and from which day on how much more.
type Errs struct {
	Who   string  `json:"who"`
	Store string  `json:"store,omitempty"`
	Errs  float64 `json:"errs"`
	From  string  `json:"worse_from,omitempty"`
	Then  float64 `json:"errs_then,omitempty"`
}

// TruePrevention is a prevention, with how many failures of its cause happened from its first day on, and how many it
// kept from happening.
type TruePrevention struct {
	Cause     string  `json:"root_cause"`
	Store     string  `json:"store"` // empty: all
	From      string  `json:"from"`
	Effect    float64 `json:"effect"` // of the cost per order
	Weekly    string  `json:"weekly"` // spent each week
	Happened  int     `json:"happened"`
	Prevented int     `json:"prevented"`
}

// TrueLoyalty is what failing does to coming back within 90 days.
type TrueLoyalty struct {
	Effect     float64 `json:"effect"` // of a founded case on the share that comes back
	Low        float64 `json:"low"`    // the share of those who like the shop least,
	High       float64 `json:"high"`   // and most
	Failed     int     `json:"failed"` // orders with a founded case
	Back       int     `json:"back"`   // orders after which the customer comes back
	FailedBack int     `json:"failed_back"`
}

// TrueExperiment is what lot decides of those who report a case: who is in the arm call comes back more often by
// Effect.
type TrueExperiment struct {
	Name    string  `json:"name"`
	Holdout float64 `json:"holdout"` // share of the customers
	Effect  float64 `json:"effect"`
}

// TrueOf is a mean of N.
type TrueOf struct {
	N    int     `json:"n"`
	Mean float64 `json:"mean"`
	Most float64 `json:"most"`
}

// Truth is what was planted, and what became of it up to now.
func (s *Simulation) Truth() *Truth {
	t := &Truth{Seed: s.config.Seed, Start: s.config.Start.UTC(), Orders: s.orders, Cases: s.cases,
		Preventions: []TruePrevention{}, Ratings: map[string]TrueOf{}, Lags: map[string]TrueOf{}}
	for i := range s.world.stores {
		shop := &s.world.stores[i]
		t.Stores = append(t.Stores, TrueStore{shop.id, shop.currency, shop.overpromises})
		for _, p := range shop.pickers {
			t.Pickers = append(t.Pickers, Errs{Who: p.id, Store: shop.id, Errs: p.trouble * s.plot.pickers()})
		}
	}
	for _, v := range s.world.vendors {
		t.Vendors = append(t.Vendors, s.plot.errs(v.id, v.trouble))
	}
	for _, c := range s.world.carriers {
		t.Carriers = append(t.Carriers, s.plot.errs(c.id, c.trouble))
	}
	if s.plot != nil {
		s.plot.truth(t)
	}
	return t
}

func (p *plot) errs(who string, trouble float64) Errs {
	e := Errs{Who: who, Errs: trouble}
	if p == nil {
		return e
	}
	if i := slices.IndexFunc(p.Worsening, func(w Worsening) bool { return w.Who == who }); i >= 0 {
		from := p.Worsening[i].From
		e.From, e.Then = from.UTC().Format(time.DateOnly), trouble*p.worse(who, from.UnixNano())
	}
	return e
}

func (p *plot) truth(t *Truth) {
	t.Season, t.Shocks = p.Season, p.Shocks
	for i := range p.Preventions {
		a := &p.Preventions[i]
		t.Preventions = append(t.Preventions, TruePrevention{a.Cause, a.Store, a.From.UTC().Format(time.DateOnly), a.Effect,
			a.Weekly.String(), p.told.happened[i], p.told.prevented[i]})
	}
	l := &p.Loyalty
	t.Customers = &TrueLoyalty{l.Effect, l.Low, l.High, p.told.failed, p.told.back, p.told.failedBack}
	if e := p.Experiment; e.Name != "" {
		t.Experiment = &TrueExperiment{e.Name, e.Holdout, e.Effect}
	}
	for what, m := range p.told.ratings {
		t.Ratings[what] = m.of()
	}
	for kind, m := range p.told.lags {
		t.Lags[kind.Name()] = m.of()
	}
}

func (m *meanOf) of() TrueOf { return TrueOf{m.n, m.sum / float64(m.n), m.most} }
