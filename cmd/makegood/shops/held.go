package shops

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/simulator"
	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/insight/trials"
)

// held counts how well answers held, over all shops.
type held struct {
	change           map[float64]*hits // by the effect planted
	back             map[float64]*hits
	afterCalls       map[float64]*hits // by the effect of the call
	provision        hits
	misses           []float64 // of the provision
	costs            []float64 // what a month of failures costs, by shop: what misses are shares of
	monthsEnd        map[string]*hits
	apart            int // shops whose provision isn't that of what is settled in memory
	nextYearOf       hits
	called, silent   int // shops
	charted, unequal int
	found, wrongly   int // pickers
	worst, misplaced int // vendors
}

// hits are how many intervals covered, and how many said more than there is.
type hits struct{ covered, claimed, enough, asked int }

func newHeld() *held {
	return &held{change: map[float64]*hits{}, back: map[float64]*hits{}, afterCalls: map[float64]*hits{},
		monthsEnd: map[string]*hits{"all": {}, "each": {}}}
}

// take counts an estimate of a truth; claimed is whether it says what is wrong where the truth is none.
func (h *hits) take(value any, truth float64, claimed func(low, high float64) bool) {
	h.asked++
	low, _, high, enough := interval(value)
	if !enough {
		return
	}
	h.enough++
	if low <= truth && truth <= high {
		h.covered++
	}
	if claimed != nil && claimed(low, high) {
		h.claimed++
	}
}

func at[K comparable](m map[K]*hits, key K) *hits {
	if m[key] == nil {
		m[key] = &hits{}
	}
	return m[key]
}

// prevented holds changes against the effects that were planted.
func (h *held) prevented(a *insight.Answer, truth *simulator.Truth, spent float64) error {
	for _, p := range truth.Preventions {
		found := false
		for _, row := range a.Rows {
			if row["cause"] == p.Cause && row["store"] == p.Store {
				found = true
				at(h.change, p.Effect).take(row["change"], p.Effect, func(_, high float64) bool { return high < 0 })
			}
		}
		if !found {
			return fmt.Errorf("prevention says nothing of %s in %s", p.Cause, p.Store)
		}
	}
	said, _ := figure(a.Totals["spent"])
	if math.Abs(said-spent) > 1e-6 {
		h.unequal++
	}
	return nil
}

// cameBack holds the difference in coming back against the effect that was planted.
func (h *held) cameBack(a *insight.Answer, effect float64) {
	for _, row := range a.Rows {
		if row["store"] == "all" {
			at(h.back, effect).take(row["difference"], effect, func(low, _ float64) bool { return low > 0 })
		}
	}
}

// drawn holds the difference of the arms against the effect that was planted.
func (h *held) drawn(a *insight.Answer, effect float64) error {
	for _, row := range a.Parts["experiments"].Rows {
		if row["arm"] != domain.Holdout {
			at(h.afterCalls, effect).take(row["difference"], effect, func(low, _ float64) bool { return low > 0 })
			return nil
		}
	}
	return errors.New("customers says nothing of the experiment")
}

// toCome holds the provision at the end of a month against what came later of the failures before it.
func (h *held) toCome(before, after *insight.Answer, month time.Time) {
	truth, cost := 0.0, 0.0
	for _, row := range after.Rows {
		if failed, _ := row["failed"].(string); failed < month.Format("2006-01") {
			came, _ := figure(row["came"])
			truth += came
		}
	}
	for _, row := range before.Rows {
		came, _ := figure(row["came"])
		cost += came
	}
	for _, row := range before.Parts["still_to_come"].Rows {
		if row["view"] != "economic" {
			continue
		}
		h.provision.take(row["to_come"], truth, nil)
		if _, value, _, enough := interval(row["to_come"]); enough {
			h.misses, h.costs = append(h.misses, value-truth), append(h.costs, cost)
		}
	}
}

// budget holds the forecast of a month's leakage against what it came to.
func (h *held) budget(before, after *insight.Answer) {
	came := map[any]float64{}
	for _, row := range after.Rows {
		came[row["store"]], _ = figure(row["leakage"])
	}
	for _, row := range before.Rows {
		of := "each"
		if row["store"] == "all" {
			of = "all"
		}
		h.monthsEnd[of].take(row["forecast"], came[row["store"]], nil)
	}
}

// nextYear holds a year of each cause that nothing was done about against the year after.
func (h *held) nextYear(before, after *insight.Answer, truth *simulator.Truth) {
	came := map[any]float64{}
	for _, row := range after.Rows {
		_, came[row["of"]], _, _ = interval(row["year"])
	}
	for _, row := range before.Rows {
		changed := row["of"] == ""
		for _, p := range truth.Preventions {
			changed = changed || p.Cause == row["of"] && p.Effect != 0
		}
		if !changed {
			h.nextYearOf.take(row["year"], came[row["of"]], nil)
		}
	}
}

// calls counts shops in which something is called though nothing changed.
func (h *held) calls(signals, sources *insight.Answer) {
	called, silent := false, false
	if signals != nil {
		h.charted++
		for _, row := range signals.Rows {
			called = called || row["signal"] == true
		}
	}
	for _, row := range sources.Rows {
		silent = silent || row["silent"] == true
	}
	if called {
		h.called++
	}
	if silent {
		h.silent++
	}
}

// The simulator's world: the picker who errs several times as often as the others, where, and the vendor whose goods
// break most.
const (
	worstPicker, worstCounter = "emp-203", "store-2"
	worstVendor               = "vendor-kestrel"
)

// named counts whether the picker who errs is named, and whether anybody is at counters of equals.
func (h *held) named(a *insight.Answer) {
	other := false
	for _, row := range a.Rows {
		switch {
		case row["employee"] == worstPicker && row["stands"] == "below":
			h.found++
		case row["store"] != worstCounter && (row["stands"] == "below" || row["stands"] == "above"):
			other = true
		}
	}
	if other {
		h.wrongly++
	}
}

// placed counts whether the place of the worst vendor is the last one, and whether it can be another one.
func (h *held) placed(a *insight.Answer) {
	last := uint64(0)
	for _, row := range a.Rows {
		to, _ := row["place_to"].(uint64)
		last = max(last, to)
	}
	for _, row := range a.Rows {
		if row["vendor"] != worstVendor {
			continue
		}
		from, _ := row["place_from"].(uint64)
		if from == last {
			h.worst++
		}
		if to, _ := row["place_to"].(uint64); to < last {
			h.misplaced++
		}
	}
}

// adder adds claims of how often something happened. It leaves out what was never tried.
func adder(all *[]trials.Claim) func(what string, hit, of int, least, most float64) {
	return func(what string, hit, of int, least, most float64) {
		if of > 0 {
			*all = append(*all, trials.Share(what, hit, of, least, most))
		}
	}
}

// customers are the claims of who comes back: after failures, and after calls to a random half.
func (h *held) customers() (all []trials.Claim) {
	add := adder(&all)
	most := func(effect float64) float64 { // a benefit that there isn't is claimed in 5 of 100 shops at most
		if effect <= 0 {
			return 0.05
		}
		return trials.None
	}
	for _, calling := range ofCalling {
		for _, failing := range ofFailing {
			effect := ofBoth(failing, calling)
			x, name := at(h.back, effect), fmt.Sprintf("customers %+.2g points: ", 100*effect)
			add(name+"can tell", x.enough, x.asked, -trials.None, trials.None)
			add(name+"difference covered", x.covered, x.enough, 0.93, trials.None)
			add(name+"paradox claimed", x.claimed, x.enough, -trials.None, most(effect))
		}
		x, name := at(h.afterCalls, calling), fmt.Sprintf("experiment %+.2g points: ", 100*calling)
		add(name+"can tell", x.enough, x.asked, -trials.None, trials.None)
		add(name+"difference covered", x.covered, x.enough, 0.93, trials.None)
		add(name+"benefit claimed", x.claimed, x.enough, -trials.None, most(calling))
	}
	return all
}

// aheadClaims are those of what is still to come: of months of failure, and of the month.
func (h *held) aheadClaims() (all []trials.Claim) {
	add := adder(&all)
	add("provision: 80 % intervals that cover what came", h.provision.covered, h.provision.enough, 0.77, 0.83)
	if len(h.misses) > 1 {
		m := trials.Mean("", h.misses, -0.01, 0.01)
		cost := trials.Mean("", h.costs, 0, 0).Value
		m.What, m.Value, m.Margin = "provision: bias, as a share of a month's failures", m.Value/cost, m.Margin/cost
		all = append(all, m)
	}
	for _, of := range []string{"all", "each"} { // a store has a dozen cases a month
		x := h.monthsEnd[of]
		add("budget, "+of+": 80 % intervals that cover the month's end, from day 10", x.covered, x.enough, 0.77, 0.83)
	}
	return all
}

// claims are what all shops together show. What was refused in all of them isn't there.
func (h *held) claims(shops int) []trials.Claim {
	var all []trials.Claim
	add := adder(&all)
	for _, effect := range []float64{0, -0.2, -0.5} {
		x, name := at(h.change, effect), fmt.Sprintf("prevention %+.0f %%: ", 100*effect)
		add(name+"can tell", x.enough, x.asked, -trials.None, trials.None)
		add(name+"change covered", x.covered, x.enough, 0.93, trials.None)
		most := trials.None
		if effect == 0 {
			most = 0.05
		}
		add(name+"benefit claimed", x.claimed, x.enough, -trials.None, most)
	}
	add("prevention: spends that don't tie to account 6100", h.unequal, shops, -trials.None, 0)
	all = append(all, h.customers()...)
	add("provision: shops of which memory and ClickHouse say another one", h.apart, shops, -trials.None, 0)
	all = append(all, h.aheadClaims()...)
	add("what-if: 95 % intervals that cover a cause's next year", h.nextYearOf.covered, h.nextYearOf.enough, 0.93,
		trials.None)
	add("counter: the picker who errs is found, n = 300", h.found, shops, 0.90, trials.None)
	add("counter: somebody is named among equals", h.wrongly, shops, -trials.None, 0.05)
	add("vendors: the worst one is told from all others", h.worst, shops, -trials.None, trials.None)
	add("vendors: the worst one has a better place", h.misplaced, shops, -trials.None, 0.05)
	// One false alarm a year is accepted: in 90 days 1 − exp(−90/365.25) of the shops have one.
	add("signals: shops where something is called in 90 even days", h.called, h.charted, -trials.None,
		1-math.Exp(-90/365.25))
	// 16 tills and stores, one false alarm a month in 200: once in 12.5 months.
	add("sources: shops where somebody is silent wrongly", h.silent, shops, -trials.None, 0.08)
	return all
}
