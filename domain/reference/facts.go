package reference

import (
	"iter"
	"maps"
	"slices"
	"sort"
)

func mapKeys[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }

func byTime(events []*event) []*event {
	events = slices.Clone(events)
	sort.SliceStable(events, func(i, j int) bool { return events[i].earlier(events[j]) })
	return events
}

// decision is the last that a person said of an event: "Of two decisions on one event the later one by time holds,
// wherever they stand in the log."
type decision struct {
	counts   string // true, false or ""
	separate bool
	by       *event
}

func (v *view) decided(e *event) decision { return v.decidedUnless(e, nil) }

// decidedUnless leaves out what "a void of a decision takes back", and what a person decided against. Asked are the
// events of which it is being asked whether they hold.
func (v *view) decidedUnless(e *event, asked []*event) (d decision) {
	for _, o := range v.on[e.Identity] {
		if o.kind == "fact.decided" && (d.by == nil || !o.earlier(d.by)) && v.holds(o, asked) {
			d = decision{o.data.boolText("counts"), o.data.boolText("separate") == "true", o}
		}
	}
	return d
}

// holds: no void takes an event back, and nobody decided against it: "One against the void undoes the void."
func (v *view) holds(e *event, asked []*event) bool {
	if slices.Contains(asked, e) {
		return true // voids that void each other
	}
	asked = append(slices.Clone(asked), e)
	return v.decidedUnless(e, asked).counts != "false" && !v.isTaken(e, asked)
}

// separateOrders: "one order_id from two stores (then all that comes from the second one's source for it waits)".
func (v *view) separateOrders() {
	for _, e := range v.set {
		if v.speaks(e) && v.decided(e).counts == "false" {
			v.stands(e, discarded, nil)
		}
	}
	placed := make(map[string][]*event)
	against := make(map[string][]*event) // a person decided against it: what its source sends goes with it
	for _, e := range v.set {
		switch {
		case e.kind != "order.placed" || v.decided(e).separate:
		case v.speaks(e):
			placed[e.order()] = append(placed[e.order()], e)
		case v.standing[e.Identity] == discarded:
			against[e.order()] = append(against[e.order()], e)
		}
	}
	for order, all := range placed {
		first, decided := v.founder(all)
		for _, other := range slices.Concat(all, against[order]) {
			if other.store() == first.store() {
				continue
			}
			standing := otherwise(decided)
			if v.standing[other.Identity] == discarded {
				standing = discarded
			}
			v.stands(other, standing, first)
			for _, e := range v.set {
				d := v.decided(e)
				if e.Source == other.Source && other.Source != first.Source && e.order() == order && d.counts != "true" &&
					!d.separate && e.kind != "event.voided" && e.kind != "fact.decided" && v.speaks(e) {
					v.stands(e, standing, first)
				}
			}
		}
	}
}

// founder is the event of a fact that the others are held against, and the decision that made it that: "the first in
// the sequence counts, the other posts nothing and waits for a person. counts: true puts the event in the place of the
// one that counted, which then no longer waits": the last one by time that was decided for.
func (v *view) founder(all []*event) (first, decided *event) {
	first = all[0]
	for _, e := range all {
		if d := v.decided(e); d.counts == "true" && (decided == nil || decided.earlier(d.by)) {
			first, decided = e, d.by
		}
	}
	return first, decided
}

// otherwise is the standing of an event that does not agree with the founder.
func otherwise(decided *event) string {
	if decided == nil {
		return waits
	}
	return discarded
}

// oneOrderPerCase: "an error_id that is used under a second order" is a contradiction too. It is the error_id that is
// used: what waits doesn't say of which other case its own is a part. "counts: true puts the event in the place of the
// one that counted", so its order is that of the case, and "what contradicts the event that a person decided for is
// discarded". "separate: true says that they are two": all of the case under that order.
func (v *view) oneOrderPerCase() {
	v.orderOf = make(map[string]string)
	first := make(map[string]*event)
	chosen, apart := make(map[string]decision), make(map[[2]string]bool)
	var all []*event
	for _, e := range v.set {
		if e.named() == "" || e.order() == "" || !v.speaks(e) || e.kind == "event.voided" || e.kind == "fact.decided" {
			continue
		}
		all = append(all, e)
		if id := e.named(); v.orderOf[id] == "" {
			v.orderOf[id], first[id] = e.order(), e
		}
	}
	opened := maps.Clone(v.orderOf)
	for _, e := range all {
		id, d := e.named(), v.decided(e)
		if d.separate {
			apart[[2]string{e.order(), id}] = true
		}
		if d.counts == "true" && (chosen[id].by == nil || chosen[id].by.earlier(d.by)) {
			chosen[id], v.orderOf[id] = d, e.order()
			if e.order() != opened[id] {
				first[id] = e
			}
		}
	}
	for _, e := range all {
		id := e.named()
		switch {
		case e.order() == v.orderOf[id] || apart[[2]string{e.order(), id}]:
		case v.orderOf[id] != opened[id]:
			v.stands(e, discarded, first[id])
		default:
			v.stands(e, waits, first[id])
			v.flag("case_under_two_orders", e, id, "", nil)
		}
	}
	for _, e := range v.set {
		if d := v.decided(e); v.speaks(e) && v.isAcross(e) && d.counts != "true" && !d.separate {
			v.stands(e, waits, first[e.data.str("same_as")])
			v.flag("case_under_two_orders", e, e.data.str("same_as"), "", nil)
		}
	}
}

// isAcross: "one that makes a case a part of a case of another order names that one under a second order".
func (v *view) isAcross(e *event) bool {
	same := e.data.str("same_as")
	own := e.order()
	if own == "" {
		own = v.orderOf[e.named()]
	}
	return e.kind == "error.classified" && same != "" && own != "" && v.orderOf[same] != "" && v.orderOf[same] != own
}

// fact is "(type, order_id or error_id, business id)".
type fact struct{ kind, about, id, trips string }

func (v *view) factOf(e *event) (fact, bool) {
	id := e.data.str(kindOf(e.kind).id)
	if id == "" {
		return fact{}, false
	}
	return fact{kind: e.kind, about: v.about(e), id: id}, true
}

// about is the order_id of an event, or that of its case, else its case.
func (v *view) about(e *event) string {
	if o := v.orderFor(e); o != "" {
		return o
	}
	return v.caseOf(e.named())
}

// oneEventPerFact finds doubles and contradictions, and leaves in counted what counts.
func (v *view) oneEventPerFact() {
	lent := make(map[Identity]*event) // what counts, with what its doubles lend it
	v.settleFacts(lent, func(e *event) (fact, bool) {
		f, is := v.factOf(e)
		return f, is && e.kind == "order.placed"
	})
	v.oneCurrencyPerOrder()
	v.settleFacts(lent, func(e *event) (fact, bool) {
		f, is := v.factOf(e)
		return f, is && e.kind != "redelivery.dispatched" && e.kind != "order.placed"
	})
	v.settleFacts(lent, func(e *event) (fact, bool) {
		f, is := v.sentOut(e)
		return f, is && e.kind == "redelivery.dispatched"
	})
	v.count(lent)
	v.whole = v.wholeCancellations()
	v.settleFacts(lent, func(e *event) (fact, bool) {
		_, byID := v.factOf(e)
		return fact{kind: "order.cancelled", about: v.about(e), id: "whole"}, v.whole[e.Identity] && !byID
	})
	v.count(lent)
	v.voidedAndSaid()
}

// oneCurrencyPerOrder: "What changes or cancels an order in another currency than its own waits, and is flagged. Where
// a person decides that it counts, its amounts are of the order's currency."
func (v *view) oneCurrencyPerOrder() {
	v.takenAs = make(map[Identity]string)
	for _, e := range v.set {
		if e.kind != "order.changed" && e.kind != "order.cancelled" || !v.speaks(e) || e.currency() == "" {
			continue
		}
		sale := v.saleOf(e.order())
		if sale == nil || sale.currency() == e.currency() {
			continue
		}
		if d := v.decided(e); d.counts == "true" || d.separate {
			v.takenAs[e.Identity] = sale.currency()
			continue
		}
		v.stands(e, waits, sale)
		v.flag("other_currency", e, "", e.currency(), nil)
	}
}

// saleOf is the first order.placed of an order by time that counts.
func (v *view) saleOf(order string) *event {
	for _, e := range byTime(v.set) {
		if e.kind == "order.placed" && e.order() == order && v.stillSaid(e) {
			return e
		}
	}
	return nil
}

// stillSaid: it counts, or is of no fact and has a say.
func (v *view) stillSaid(e *event) bool { return v.speaks(e) || v.standing[e.Identity] == counts }

// sentOut is the fact of an event: of a dispatch, "redelivery_id and how many failed trips of it came before".
func (v *view) sentOut(e *event) (fact, bool) {
	f, is := v.factOf(e)
	for _, c := range v.set {
		if e.kind == "redelivery.dispatched" && c.kind == "redelivery.completed" && v.stillSaid(c) &&
			c.data.boolText("succeeded") == "false" && c.data.str("redelivery_id") == f.id && v.about(c) == f.about &&
			c.earlier(e) {
			f.trips += "|"
		}
	}
	return f, is
}

// count leaves in counted every event that has a say and is no double.
func (v *view) count(lent map[Identity]*event) {
	v.counted = nil
	for _, e := range v.set {
		if !v.stillSaid(e) || e.kind == "event.voided" || e.kind == "fact.decided" {
			continue
		}
		if lent[e.Identity] != nil {
			e = lent[e.Identity]
		}
		if c := v.takenAs[e.Identity]; c != "" {
			copied := *e
			copied.data = maps.Clone(e.data)
			copied.data["currency"] = c
			e = &copied
		}
		v.counted = append(v.counted, e)
	}
}

// settleFacts takes the facts that of finds.
func (v *view) settleFacts(lent map[Identity]*event, of func(*event) (fact, bool)) {
	groups := make(map[fact][]*event)
	for _, e := range v.set {
		f, is := of(e)
		if !is || !v.speaks(e) || v.decided(e).separate {
			continue
		}
		if void := v.givenUp(e, f, of); void != nil {
			v.stands(e, discarded, void)
			continue
		}
		groups[f] = append(groups[f], e)
	}
	for _, all := range groups {
		founder, decided := v.founder(all)
		agreed := []*event{founder}
		for _, e := range all {
			if e == founder {
				continue
			}
			if slices.ContainsFunc(agreed, func(o *event) bool { return !v.agree(o, e) }) {
				v.stands(e, otherwise(decided), founder)
			} else {
				agreed = append(agreed, e)
			}
		}
		sort.Slice(agreed, func(i, j int) bool { return agreed[i].before(agreed[j]) })
		best := v.sayingMost(agreed, founder, decided)
		for _, e := range agreed {
			v.stands(e, double, best)
		}
		v.stands(best, counts, nil)
		delete(v.instead, best.Identity)
		lent[best.Identity] = v.withLoans(best, agreed)
	}
}

// givenUp is a void that a person decided for, and that takes back what e still says: "One for the void discards what
// is still said", unless somebody decided for that later.
func (v *view) givenUp(e *event, f fact, of func(*event) (fact, bool)) *event {
	for _, void := range v.voidsThatHold() {
		d, other := v.decided(void), v.decided(e)
		if d.counts != "true" || void.Source == e.Source || other.counts == "true" && d.by.earlier(other.by) {
			continue
		}
		if g, is := of(v.inSet[voided(void)]); is && g == f {
			return void
		}
	}
	return nil
}

// voidsThatHold are the voids that take something out: one of each event, the one that a person decided for, else the
// first by time.
func (v *view) voidsThatHold() []*event {
	var all []*event
	for _, void := range byTime(v.set) {
		gone := v.inSet[voided(void)]
		if void.kind != "event.voided" || gone == nil || v.standing[gone.Identity] != taken || !v.holds(void, nil) {
			continue
		}
		at := slices.IndexFunc(all, func(o *event) bool { return voided(o) == gone.Identity })
		switch {
		case at < 0:
			all = append(all, void)
		case v.decided(all[at]).counts != "true" && v.decided(void).counts == "true":
			all[at] = void
		}
	}
	return all
}

// sayingMost: "the one that says the most counts (case, then tax, then number of fields), else the first in the
// sequence. Within an epoch only: what a close saw keeps counting." Where a person said which one counts, that one
// does.
func (v *view) sayingMost(agreed []*event, founder, decided *event) *event {
	if decided != nil {
		return founder
	}
	best := agreed[0]
	for _, e := range agreed {
		if e.epoch == agreed[0].epoch && slices.Compare(says(e), says(best)) > 0 {
			best = e
		}
	}
	return best
}

func says(e *event) []int {
	n := []int{0, 0, 0}
	if e.named() != "" {
		n[0] = 1
	}
	if e.data.dec("tax").Sign() != 0 {
		n[1] = 1
	}
	for name, value := range e.data {
		if !slices.Contains([]string{"order_id", "store_id", "error_id", "currency"}, name) { // which every event has
			n[2] += members(name, value)
		}
	}
	return n
}

// members counts what is said in a value, in its lines too. What is zero, empty or no says nothing, but for a no to the
// question whether a case was avoidable. What says the default says nothing: stops, which count for nothing whatever
// they are, and the kind goods of a line.
func members(name string, value any) int {
	n := 0
	switch v := value.(type) {
	case map[string]any:
		for name, value := range v {
			n += members(name, value)
		}
		return n
	case []any:
		for _, value := range v {
			n += members(name, value)
		}
		return n
	}
	nothing := value == nil || value == "" || value == false && name != "avoidable" || name == "stops" ||
		name == "kind" && value == "goods"
	if d := asDecimal(name, value); nothing || d != nil && d.Sign() == 0 {
		return 0
	}
	return 1
}

// withLoans: "what it leaves out (case, tax split) is taken from its doubles": what a close saw keeps counting,
// and what a double adds later is posted later.
func (v *view) withLoans(best *event, agreed []*event) *event {
	copied := *best
	copied.data = maps.Clone(best.data)
	for _, e := range agreed {
		if copied.named() == "" && e.named() != "" {
			copied.data["error_id"] = e.named()
		}
		if copied.data.dec("tax").Sign() == 0 && e.data.dec("tax").Sign() != 0 {
			copied.data["tax"] = e.data["tax"]
			if copied.kind == "refund.issued" {
				copied.data["net"] = e.data["net"]
			}
		}
	}
	return &copied
}

// voidedAndSaid: "a fact voided by one source and still said by another". What is still said counts while the void
// waits for a person; what it voided stays voided.
func (v *view) voidedAndSaid() {
	for _, e := range v.set {
		f, is := v.sentOut(e)
		if d := v.decided(e); !is || v.standing[e.Identity] != counts || d.counts == "true" || d.separate {
			continue
		}
		for _, void := range v.voidsThatHold() {
			said := v.decided(void)
			if said.counts != "" || said.separate || void.Source == e.Source {
				continue
			}
			if g, same := v.sentOut(v.inSet[voided(void)]); same && g == f {
				v.stands(void, waits, e)
			}
		}
	}
}
