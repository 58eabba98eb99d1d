package reference

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
)

// Standings of an event. What neither counts nor is one of these posts nothing by itself: a void, a decision.
const (
	counts       = "counts"
	double       = "double"        // says what another event says
	waits        = "waits"         // contradicts another event, until a person decides
	taken        = "voided"        // a void took it back
	discarded    = "discarded"     // a person decided against it
	voidsNothing = "voids_nothing" // a void whose original is not there
)

// view is a set of events of one unit, and what the books make of it.
type view struct {
	terms *terms
	set   []*event // in the sequence
	inSet map[Identity]*event
	on    map[Identity][]*event // voids of an event and decisions on it, in the sequence

	standing map[Identity]string
	instead  map[Identity]Identity // of a double and of what waits: the event that counts
	counted  []*event              // what counts, with what its doubles lend it, in the sequence
	sameAs   map[string]string     // a case that is part of another
	orderOf  map[string]string     // of a case
	takenAs  map[Identity]string   // the currency that a person's decision gave what changes an order

	whole map[Identity]bool // the cancellations that take all of their order, before it is known which of them counts

	position position
	unpriced map[Identity][]string
	flags    []Flag
	cases    map[caseKey]*facts
	homes    map[string]string // of cases: see homesOf
	sales    map[string]*sale  // by order_id
}

// Flag is something that can't be right, booked as far as it is known.
type Flag struct {
	Code     string
	Event    Identity
	Case     string
	Currency string
	Amount   string // 4 decimals; "" where it is no amount
}

// look makes the books of a set: "The position is a pure function of the set."
func look(t *terms, set []*event, homes map[string]string) *view {
	v := &view{
		terms: t, set: set, inSet: make(map[Identity]*event), standing: make(map[Identity]string),
		instead: make(map[Identity]Identity), position: make(position), unpriced: make(map[Identity][]string),
		cases: make(map[caseKey]*facts), sales: make(map[string]*sale), homes: homes,
	}
	v.on = make(map[Identity][]*event)
	for _, e := range set {
		v.inSet[e.Identity] = e
		switch e.kind {
		case "event.voided":
			v.on[voided(e)] = append(v.on[voided(e)], e)
		case "fact.decided":
			about := Identity{e.data.str("source"), e.data.str("id")}
			v.on[about] = append(v.on[about], e)
		}
	}
	v.takeBack()
	v.separateOrders()
	v.oneOrderPerCase()
	v.mergeCases()
	v.oneEventPerFact()
	all := v.position
	for _, name := range v.groups() {
		f := newFile(v, name)
		v.position = position{}
		f.book()
		for at, amount := range v.position {
			at.order = f.home
			all[at] = amount
		}
	}
	v.position = all
	return v
}

// homesOf says of which order the cases of a unit are before anybody names it: of the one that they are of then. Where
// nothing tells, it is the first order of the unit: that of "".
func homesOf(unit []*event) map[string]string {
	homes := map[string]string{}
	for _, e := range unit {
		if e.order() == "" || e.kind == "fact.decided" {
			continue
		}
		homes[""] = cmp.Or(homes[""], e.order())
		if id := e.named(); id != "" && homes[id] == "" {
			homes[id] = e.order()
		}
	}
	for range unit {
		for _, e := range unit {
			part, whole := e.named(), e.data.str("same_as")
			if e.kind != "error.classified" || part == "" || whole == "" {
				continue
			}
			homes[part] = cmp.Or(homes[part], homes[whole])
			homes[whole] = cmp.Or(homes[whole], homes[part])
		}
	}
	return homes
}

// speaks tells whether the event still has a say: no void took it, nothing makes it wait, nobody decided against it.
func (v *view) speaks(e *event) bool { return v.standing[e.Identity] == "" }

// stands gives an event its standing, and says which event counts in its place.
func (v *view) stands(e *event, standing string, instead *event) {
	v.standing[e.Identity] = standing
	if instead != nil {
		v.instead[e.Identity] = instead.Identity
	}
}

func (v *view) flag(code string, e *event, caseID, currency string, amount *big.Rat) {
	f := Flag{Code: code, Event: e.Identity, Case: caseID, Currency: currency}
	if amount != nil {
		f.Amount = money(RoundHalfEven(amount))
	}
	v.flags = append(v.flags, f)
}

// need is a rate; its absence is noted, so that it is never a silent zero.
func (v *view) need(e *event, name, key, currency string) *big.Rat {
	r := v.terms.rate(e, name, key, currency, v.inSet)
	if r == nil {
		v.lacks(e, fmt.Sprintf("no %s for %q", name, key))
	}
	return r
}

func (v *view) lacks(e *event, reason string) {
	if !slices.Contains(v.unpriced[e.Identity], reason) {
		v.unpriced[e.Identity] = append(v.unpriced[e.Identity], reason)
	}
}

// takeBack applies the voids: "event.voided takes its original out of the set; voiding the void brings it back. If the
// original is not there the void changes nothing and is counted (voids_nothing) until the original comes."
func (v *view) takeBack() {
	for _, e := range v.set {
		if v.isTaken(e, []*event{e}) {
			v.stands(e, taken, nil)
		} else if e.kind == "event.voided" && v.inSet[voided(e)] == nil && v.decided(e).counts != "false" {
			v.stands(e, voidsNothing, nil)
		}
	}
}

func (v *view) isTaken(e *event, asked []*event) bool {
	for _, o := range v.on[e.Identity] {
		if o.kind == "event.voided" && v.holds(o, asked) {
			return true
		}
	}
	return false
}

// mergeCases follows "error.classified {same_as} makes a case part of another". The last classification by time that
// has it counts.
func (v *view) mergeCases() {
	v.sameAs = make(map[string]string)
	for _, e := range byTime(v.set) {
		if e.kind == "error.classified" && v.speaks(e) && e.data.str("same_as") != "" && !v.isAcross(e) {
			v.sameAs[e.named()] = e.data.str("same_as")
		}
	}
}

// caseOf is the case that an error_id means in the end.
func (v *view) caseOf(errorID string) string {
	seen := map[string]bool{}
	for v.sameAs[errorID] != "" && !seen[errorID] {
		seen[errorID] = true
		errorID = v.sameAs[errorID]
	}
	if seen[errorID] {
		return slices.Sorted(mapKeys(seen))[0] // cases that are said to be part of each other
	}
	return errorID
}

// groups are the orders, and the cases without one, that the counted events are about.
func (v *view) groups() []string {
	names := map[string]bool{}
	for _, e := range v.counted {
		names[v.groupOf(e)] = true
	}
	return slices.Sorted(mapKeys(names))
}

// groupOf is "order …" or "case …"; "" for what is about neither.
func (v *view) groupOf(e *event) string {
	if o := v.orderFor(e); o != "" {
		return "order " + o
	}
	if e.named() != "" {
		return "case " + v.caseOf(e.named())
	}
	return ""
}

// orderFor is the event's order, or that of its case.
func (v *view) orderFor(e *event) string {
	if e.order() != "" {
		return e.order()
	}
	return v.orderOf[v.caseOf(e.named())]
}
