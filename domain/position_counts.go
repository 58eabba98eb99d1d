package domain

// This file says what of a set of events counts: voids, business facts with their doubles and contradictions, and
// what people decided. Domain/README.md, "What counts".

// verdict is what a person said of an event.
type verdict uint8

const (
	undecided verdict = iota
	decidedFor
	decidedAgainst
	decidedSeparate
)

// stance is how a statement stands in a set of them, with what its doubles add to it.
type stance struct {
	standing Standing
	of       int32 // the statement that counts in its place, or that it contradicts; none
	verdict  verdict
	decision int32 // the statement of the verdict
	life     life  // whether nothing takes it out

	order    name // the one that it belongs to, 0 where it has none
	errorID  name // as said, by itself or by a double
	currency name // as said, or that of the order where a person decided that
	net, tax Decimal
	incident int32 // number of its case, none
	whole    bool  // a cancellation of the whole order

	given     Amount // by a refund, in all
	givesBack bool   // and that only gives back what was taken off the order
}

// life is whether a statement is taken out of its set. While that is being asked, it lives.
type life uint8

const (
	notAsked life = iota
	living
	dead
)

// view is the position of the first n statements of a unit.
type view struct {
	u         *unit
	n         int
	repricing *statement // the rebuild that prices closed epochs, nil where there is none
	final     bool       // all statements are in it: flags and missing rates are noted
	silent    bool       // but for now they aren't
	settled   *Settlement
	stances   []stance
	position  position
	err       error

	openers []int32 // by name of an error_id: the statement that names its order first; none
	chosen  []bool  // by name of an error_id: a person chose another order for it
	sameAs  []name  // by name of an error_id: the case that it is part of
	byName  []int32 // by name of an error_id: number of its case; none
	apart   []pair
	group   []int32

	incidents  []incident
	orders     []order
	threads    [][]int32   // the statements that count of each redelivery, voucher, dispute and claim, by time
	threadKeys []threadKey // what each is of
	outs       []out
	turns      []int32 // the cases in the order in which they are owed goods
	met        []met
	goods      []goods // by number of a case
}

// threadKey is a number of what a statement is of, and where that is told apart.
type threadKey struct {
	thread int32
	scope  name
}

// pair is a case under an order.
type pair struct{ order, errorID name }

// reset makes the view one of the first n statements.
func (v *view) reset(n int, repricing *statement) {
	u := v.u
	v.n, v.repricing, v.err = n, repricing, nil
	if v.stances == nil {
		v.stances = make([]stance, len(u.statements))
		many := len(u.names.list) + 1
		v.openers, v.byName = make([]int32, many), make([]int32, many)
		v.chosen, v.sameAs = make([]bool, many), make([]name, many)
	}
	for i := range n {
		v.stances[i] = u.said(int32(i))
	}
	v.position.clear()
	for i := range v.openers {
		v.openers[i], v.chosen[i], v.sameAs[i], v.byName[i] = none, false, 0, none
	}
	v.threads, v.threadKeys = v.threads[:0], v.threadKeys[:0]
	v.apart, v.incidents, v.orders, v.outs = v.apart[:0], v.incidents[:0], v.orders[:0], v.outs[:0]
}

// said is the stance of a statement before anything else is known.
func (u *unit) said(i int32) stance {
	s := &u.statements[i]
	st := stance{of: none, decision: none, order: s.order, errorID: s.errorID, incident: none,
		currency: s.currency}
	if d, is := s.Data.(taxed); is {
		st.tax = d.saidTax()
	}
	if d, is := s.Data.(*RefundIssued); is {
		st.net = d.Net
	}
	return st
}

// count finds out which statements count.
func (v *view) count() {
	if v.u.voids || v.u.decisions {
		v.void()
	}
	if v.u.severalSales {
		v.fromStores()
	}
	v.underOrders() // what waits with its order.placed opens no case
	if v.u.merges {
		v.merge()
	}
	// Orders first, which say in what currency they are changed. Dispatches last: failed trips tell their facts apart.
	for _, of := range []turn{ofOrders, ofOthers, ofDispatches} {
		for n, members := range v.u.facts {
			if len(members) > 1 && members[1] < int32(v.n) && v.u.turns[n] == of {
				v.facts(members, of == ofDispatches)
			}
		}
		if of == ofOrders && v.u.severalCurrencies {
			v.inOtherCurrencies()
		}
	}
}

// inOtherCurrencies lets wait what changes an order in another currency than its own. Where a person decided that it
// counts, its amounts are of the order's currency.
func (v *view) inOtherCurrencies() {
	for i := range v.n {
		s, st := &v.u.statements[i], &v.stances[i]
		switch s.Data.(type) {
		case *OrderChanged, *OrderCancelled:
		default:
			continue
		}
		sale := v.saleOf(st.order)
		if st.standing != Counts || sale == none || s.currency == 0 || s.currency == v.u.statements[sale].currency {
			continue
		}
		if st.verdict == decidedFor || st.verdict == decidedSeparate {
			st.currency = v.u.statements[sale].currency
			continue
		}
		st.standing, st.of = Waits, sale
		v.flag(OtherCurrency, int32(i), "", s.currency, 0)
	}
}

// saleOf is the first statement by time that placed an order, as it counts; none where nobody said so.
func (v *view) saleOf(order name) int32 {
	for _, i := range v.u.byTime {
		if _, is := v.u.statements[i].Data.(*OrderPlaced); is && int(i) < v.n && v.stances[i].standing == Counts &&
			v.u.statements[i].order == order {
			return i
		}
	}
	return none
}

// judge reads what people decided of a statement. Of two decisions the later one by time holds, wherever a close put
// them in the log; one that was taken back, or decided against, says nothing.
func (v *view) judge(i int32) {
	st := &v.stances[i]
	for j := v.u.statements[i].verdict; j != none; j = v.u.statements[j].next {
		if int(j) < v.n && v.lives(j) {
			st.decision = v.later(st.decision, j)
		}
	}
	if st.decision == none {
		return
	}
	switch d := v.u.statements[st.decision].Data.(*FactDecided); {
	case d.Separate:
		st.verdict = decidedSeparate
	case d.Counts == Yes:
		st.verdict = decidedFor
	case d.Counts == No:
		st.verdict = decidedAgainst
	}
}

// decidedLater reports whether a person decided for a statement, and not before deciding for another one.
func (v *view) decidedLater(i, than int32) bool {
	st, other := &v.stances[i], &v.stances[than]
	return st.verdict == decidedFor &&
		(other.verdict != decidedFor || v.compareTimes(st.decision, other.decision) > 0)
}

// void gives voids, and what they take out, their standing. Of several voids of one statement the one that a person
// decided for takes it out, else the first by time.
func (v *view) void() {
	for i := range v.n {
		s, st := &v.u.statements[i], &v.stances[i]
		alive := v.lives(int32(i))
		for j := s.void; j != none; j = v.u.statements[j].next {
			if int(j) < v.n && v.lives(j) && (st.of == none || v.isBefore(j, st.of)) {
				st.standing, st.of = Voided, j
			}
		}
		if st.of != none && (st.verdict == decidedAgainst || !alive) {
			continue
		}
		st.standing, st.of = Counts, none
		if st.verdict == decidedAgainst {
			st.standing, st.of = Discarded, st.decision
		} else if _, is := s.Data.(*EventVoided); is && (s.target == none || int(s.target) >= v.n) {
			st.standing = VoidsNothing
		}
	}
}

// lives reports whether no void takes a statement out of the set, and nobody decided against it. Of voids that void
// each other the first one holds.
func (v *view) lives(i int32) bool {
	st := &v.stances[i]
	if st.life == notAsked {
		st.life = living
		v.judge(i)
		if st.verdict == decidedAgainst || v.isVoided(i) {
			st.life = dead
		}
	}
	return st.life == living
}

// isBefore reports whether one void goes before another one of the same statement.
func (v *view) isBefore(i, j int32) bool {
	a, b := v.stances[i].verdict == decidedFor, v.stances[j].verdict == decidedFor
	if a != b {
		return a
	}
	return v.compareTimes(i, j) < 0
}

// isVoided reports whether a void that lives takes a statement out.
func (v *view) isVoided(i int32) bool {
	for j := v.u.statements[i].void; j != none; j = v.u.statements[j].next {
		if int(j) < v.n && v.lives(j) {
			return true
		}
	}
	return false
}

// speaks reports whether a statement says something of its order or case.
func (s *statement) speaks() bool {
	switch s.Data.(type) {
	case *EventVoided, *FactDecided, *BooksRebuilt:
		return false
	}
	return true
}

// facts tells doubles and contradictions apart among statements that may be one fact: those of one order, and of one
// attempt where they are dispatches.
func (v *view) facts(members []int32, dispatches bool) {
	for n, i := range members {
		if int(i) >= v.n {
			return
		}
		if (v.u.mixed || dispatches) && v.anySame(members[:n], i, dispatches) {
			continue // dealt with
		}
		v.group = append(v.group[:0], i)
		for _, j := range members[n+1:] {
			if int(j) < v.n && v.sameFact(i, j, dispatches) {
				v.group = append(v.group, j)
			}
		}
		if len(v.group) > 1 {
			v.choose(v.group)
		}
		if !v.u.mixed && !dispatches {
			return
		}
	}
}

func (v *view) anySame(before []int32, i int32, dispatches bool) bool {
	for _, j := range before {
		if v.sameFact(i, j, dispatches) {
			return true
		}
	}
	return false
}

func (v *view) sameFact(i, j int32, dispatches bool) bool {
	return v.scope(i) == v.scope(j) && (!dispatches || v.failedBefore(i) == v.failedBefore(j))
}

// scope is what the ids of a statement are told apart by: its order, else its case, whose numbers are below zero.
func (v *view) scope(i int32) name {
	if st := &v.stances[i]; st.order != 0 {
		return st.order
	}
	return -v.u.statements[i].errorID
}

// failedBefore is how many failed trips of its redelivery came before a dispatch.
func (v *view) failedBefore(i int32) int {
	s, failed := &v.u.statements[i], 0
	for j := range v.n {
		t := &v.u.statements[j]
		d, is := t.Data.(*RedeliveryCompleted)
		if is && !d.Succeeded && t.thread == s.thread && v.scope(int32(j)) == v.scope(i) &&
			v.stances[j].standing == Counts &&
			byTime(t, s) < 0 {
			failed++
		}
	}
	return failed
}

// choose deals with the statements of one fact, in the sequence. The first one leads; those that agree with it, and
// with one another, are its doubles, the others contradict it. Of the doubles within its epoch the one that says the
// most counts, and takes from the others what it leaves out.
func (v *view) choose(group []int32) {
	v.sayStill(group)
	lead, decided := int32(none), int32(none)
	for _, i := range group {
		st := &v.stances[i]
		if st.standing != Counts || st.verdict == decidedSeparate {
			continue
		}
		if lead == none {
			lead = i
		}
		if st.verdict == decidedFor && (decided == none || v.decidedLater(i, decided)) {
			decided = i
		}
	}
	if lead == none {
		return
	}
	if decided != none {
		lead = decided
	}
	core := []int32{lead}
	counts := lead
	for _, i := range group {
		st := &v.stances[i]
		if i == lead || st.standing != Counts || st.verdict == decidedSeparate {
			continue
		}
		agrees := true
		for _, j := range core {
			agrees = agrees && v.agree(i, j)
		}
		if agrees {
			core = append(core, i)
			if decided == none && v.u.statements[i].epoch == v.u.statements[lead].epoch && v.saysMore(i, counts) {
				counts = i
			}
			continue
		}
		st.standing, st.of = Waits, lead
		if decided != none {
			st.standing = Discarded
		}
	}
	for _, i := range core {
		if i != counts {
			v.stances[i].standing, v.stances[i].of = Double, counts
			v.complete(counts, i)
		}
	}
	for _, i := range group {
		if st := &v.stances[i]; st.of == lead && (st.standing == Waits || st.standing == Discarded) {
			st.of = counts
		}
	}
	v.voidedStill(group, counts)
}

// complete takes from a double what the statement that counts leaves out.
func (v *view) complete(counts, double int32) {
	to, from := &v.stances[counts], &v.stances[double]
	if to.errorID == 0 {
		to.errorID = from.errorID
	}
	if to.order == 0 {
		to.order = from.order
	}
	if to.tax == 0 && from.tax != 0 {
		to.tax = from.tax
		if _, is := v.u.statements[counts].Data.(*RefundIssued); is {
			to.net = from.net
		}
	}
}

// sayStill discards what is still said of a fact where a person decided for the void of another statement of it, and
// not for that later.
func (v *view) sayStill(group []int32) {
	if !v.u.voids {
		return
	}
	for _, i := range group {
		st := &v.stances[i]
		if st.standing != Voided || st.of == none || v.stances[st.of].verdict != decidedFor {
			continue
		}
		void := &v.u.statements[st.of]
		for _, j := range group {
			if s := &v.stances[j]; s.standing == Counts && s.verdict != decidedSeparate &&
				v.u.statements[j].Source != void.Source && !v.decidedLater(j, st.of) {
				s.standing, s.of = Discarded, st.of
			}
		}
	}
}

// voidedStill lets a void wait that takes back what another source still says.
func (v *view) voidedStill(group []int32, counts int32) {
	if !v.u.voids || v.stances[counts].verdict == decidedFor {
		return
	}
	for _, i := range group {
		st := &v.stances[i]
		if st.standing != Voided || st.of == none || v.stances[st.of].verdict != undecided {
			continue
		}
		if v.u.statements[st.of].Source != v.u.statements[counts].Source {
			v.stances[st.of].standing, v.stances[st.of].of = Waits, counts
		}
	}
}
