package domain

import "cmp"

// This file says what a case is: of which order, of what kind, founded or not, part of another one, reported or not.
// See domain/README.md, "What counts".

// incident is a case of the set.
type incident struct {
	name, order name
	is          bool  // it was reported, a fix is of it, or a case is part of it
	own         bool  // a refund or dispute that is a case of its own makes it
	report      int32 // the statement that reported it; none
	first       int32 // its first fix by time; none
	heard       int32 // the first statement by time that names it; none
	root        int32 // the case that it is part of, itself where it is none
	rejected    bool
	sentWrong   bool // a returned line says that it was sent wrongly
	soldBack    bool // goods came back that are on the order still
	facts       CaseFacts

	refunded, lost []money // what refunds and lost disputes gave back, net, by currency
	replaces       bool    // a refund says that it replaces the goods
	pays           bool    // a refund posts, or a dispute is lost
}

// money is an amount of a currency, and of how many that aren't zero it is the sum.
type money struct {
	currency name
	amount   Amount
	of       int
}

func addMoney(to []money, currency name, a Amount) []money {
	if a == 0 {
		return to
	}
	for i := range to {
		if to[i].currency == currency {
			to[i].amount += a
			to[i].of++
			return to
		}
	}
	return append(to, money{currency, a, 1})
}

func moneyIn(all []money, currency name) money {
	for _, m := range all {
		if m.currency == currency {
			return m
		}
	}
	return money{}
}

// founded reports whether the case is a failure: nobody rejected it, and the customer didn't just change their mind.
func (c *incident) founded() bool { return !c.rejected && IsFailure(c.facts.Kind) }

// merge reads which cases are part of others: as last said, by time. None is a part of one that another order has.
func (v *view) merge() {
	for _, i := range v.u.byTime {
		if int(i) >= v.n || v.stances[i].standing != Counts {
			continue
		}
		if d, is := v.u.statements[i].Data.(*ErrorClassified); is && d.SameAs != "" && v.u.statements[i].errorID != 0 &&
			v.sameOrder(i, d) {
			v.sameAs[v.u.statements[i].errorID] = v.u.names.number(d.SameAs)
		}
	}
}

// root is the case that a case is part of in the end. Cases that are part of one another are the one whose name comes
// first.
func (v *view) root(c name) name {
	if !v.u.merges {
		return c
	}
	slow, fast := c, c
	for v.sameAs[fast] != 0 {
		if fast = v.sameAs[fast]; v.sameAs[fast] == 0 {
			break
		}
		slow, fast = v.sameAs[slow], v.sameAs[fast]
		if slow != fast {
			continue
		}
		least := slow // a circle
		for at := v.sameAs[slow]; at != slow; at = v.sameAs[at] {
			if v.u.names.text(at) < v.u.names.text(least) {
				least = at
			}
		}
		return least
	}
	return fast
}

// caseOf is the number of a case, made where there is none yet.
func (v *view) caseOf(order, errorID name) int32 {
	apart := errorID == 0 || len(v.apart) > 0 && v.isApart(order, errorID)
	if !apart {
		if n := v.byName[errorID]; n != none {
			return n
		}
	} else {
		for n := range v.incidents {
			if c := &v.incidents[n]; c.name == errorID && c.order == order {
				return int32(n)
			}
		}
	}
	n := int32(len(v.incidents))
	if cap(v.incidents) > int(n) {
		v.incidents = v.incidents[:n+1]
	} else {
		v.incidents = append(v.incidents, incident{})
	}
	c := &v.incidents[n]
	*c = incident{
		name:     errorID,
		order:    order,
		report:   none,
		first:    none,
		heard:    none,
		root:     n,
		refunded: c.refunded[:0],
		lost:     c.lost[:0],
	}
	c.facts.Case = v.u.names.text(errorID)
	if !apart {
		v.byName[errorID] = n
	}
	return n
}

// wholeOf is the number of the case that a case of an order is part of, itself where it is part of none. A case that
// nobody names under an order is part of a case of its home order.
func (v *view) wholeOf(order, errorID name) int32 {
	root := v.root(errorID)
	if order == 0 && root != errorID && v.u.severalOrders {
		order = v.u.homeOf(errorID)
	}
	return v.caseOf(order, root)
}

// gather finds the cases of the set, and what is known of them: by time, wherever a close put it in the log.
func (v *view) gather() {
	for _, i := range v.u.byTime {
		if int(i) >= v.n {
			continue
		}
		s, st := &v.u.statements[i], &v.stances[i]
		if st.standing == Counts && s.thread != none {
			n := v.threadOf(i, s)
			v.threads[n] = append(v.threads[n], i)
		}
		if st.standing != Counts || !s.speaks() || st.errorID == 0 && !s.movesGoods() {
			continue
		}
		st.incident = v.caseOf(st.order, st.errorID)
		c := &v.incidents[st.incident]
		if c.heard == none {
			c.heard = i
		}
		switch d := s.Data.(type) {
		case *ErrorReported:
			c.reportedBy(i, d)
		case *ErrorClassified:
		case *ErrorRejected:
			c.rejected = true
		default:
			c.is = c.name != 0
			v.fixes(st, i, s)
		}
	}
	for _, i := range v.u.byTime {
		if int(i) >= v.n || v.stances[i].standing != Counts || v.stances[i].incident == none {
			continue
		}
		if d, is := v.u.statements[i].Data.(*ErrorClassified); is {
			v.incidents[v.stances[i].incident].facts.classify(&d.Classification)
		}
	}
	for n := range v.incidents {
		if root := v.root(v.incidents[n].name); root != v.incidents[n].name {
			r := v.wholeOf(v.incidents[n].order, v.incidents[n].name)
			v.incidents[n].root = r
			v.incidents[r].is = v.incidents[r].is || v.incidents[n].is
		}
	}
	for n := range v.incidents {
		v.incidents[n].conclude()
		if root := v.incidents[n].root; root != int32(n) {
			v.incidents[n].facts.SameAs, v.incidents[n].facts.Founded = v.incidents[root].facts.Case, false
		}
	}
}

// threadOf is the number of the redelivery, voucher, dispute or claim of a statement, made where there is none yet.
func (v *view) threadOf(i int32, s *statement) int {
	k := threadKey{thread: s.thread}
	if v.u.mixed {
		k.scope = v.scope(i)
	}
	for n := range v.threadKeys {
		if v.threadKeys[n] == k {
			return n
		}
	}
	v.threadKeys = append(v.threadKeys, k)
	n := len(v.threads)
	if n < cap(v.threads) {
		v.threads = v.threads[:n+1]
		v.threads[n] = v.threads[n][:0]
	} else {
		v.threads = append(v.threads, nil)
	}
	return n
}

// movesGoods reports whether a statement sends or takes back goods: that is counted by case even where no case is
// named.
func (s *statement) movesGoods() bool {
	switch s.Data.(type) {
	case *RedeliveryDispatched, *ReturnReceived:
		return true
	}
	return false
}

// fixes makes a statement one of the case that its own is part of.
func (v *view) fixes(st *stance, i int32, s *statement) {
	if v.u.merges {
		st.incident = v.wholeOf(st.order, st.errorID)
	}
	c := &v.incidents[st.incident]
	c.is = c.name != 0
	v.fixedBy(c, i)
	if d, is := s.Data.(*ReturnReceived); is {
		for l := range d.Lines {
			c.sentWrong = c.sentWrong || d.Lines[l].Was == WasWrongItem
		}
	}
}

// fixedBy notes a fix of a case. Those that name none are found to be of it when the others are known already.
func (v *view) fixedBy(c *incident, i int32) {
	c.first = v.earlier(c.first, i)
}

// earlier is the earlier of two statements by time; none is no statement.
func (v *view) earlier(i, j int32) int32 {
	if i == none || j != none && v.compareTimes(j, i) < 0 {
		return j
	}
	return i
}

// later is the later of two statements by time; none is no statement.
func (v *view) later(i, j int32) int32 {
	if i == none || j != none && v.compareTimes(j, i) > 0 {
		return j
	}
	return i
}

func (c *incident) reportedBy(i int32, d *ErrorReported) {
	c.report, c.is = i, true
	c.facts.Reported, c.facts.Internal = true, d.Found == FoundBeforeDelivery
	c.facts.Kind, c.facts.RootCause, c.facts.PartyAtFault, c.facts.VendorID = d.Kind, d.RootCause, d.PartyAtFault,
		d.VendorID
	c.facts.EmployeeID, c.facts.Severity, c.facts.Avoidable = d.EmployeeID, d.Severity, d.Avoidable
}

// classify takes what a later event knows better.
func (f *CaseFacts) classify(c *Classification) {
	for _, w := range []struct {
		known *string
		said  string
	}{{&f.Kind, c.Kind}, {&f.RootCause, c.RootCause}, {&f.PartyAtFault, c.PartyAtFault}, {&f.VendorID, c.VendorID},
		{&f.EmployeeID, c.EmployeeID}, {&f.Severity, c.Severity}} {
		if w.said != "" {
			*w.known = w.said
		}
	}
	if c.Avoidable != Unknown {
		f.Avoidable = c.Avoidable
	}
}

// conclude says what the case is in the end: what nobody knows better was a wrong item where one came back.
func (c *incident) conclude() {
	if c.name != 0 && c.sentWrong && (c.facts.Kind == "" || c.facts.Kind == KindUnspecified) {
		c.facts.Kind = KindWrongItem
	}
	c.facts.Founded = c.founded()
}

// ownCase is the case that a refund or a dispute without error_id belongs to: the order's, if it has exactly one,
// else one of its own, which may be said to be a part of another.
func (v *view) ownCase(order name, i int32, id string) int32 {
	if order != 0 {
		found, several := int32(none), false
		for n := range v.incidents {
			if c := &v.incidents[n]; c.is && c.order == order && !c.own && c.root == int32(n) {
				several = several || found != none
				found = int32(n)
			}
		}
		if found != none && !several {
			v.fixedBy(&v.incidents[found], i)
			return found
		}
	}
	part := v.caseOf(order, v.u.names.number(id))
	n := v.incidents[part].root
	c := &v.incidents[n]
	if !c.is {
		c.own, c.facts.Founded = true, c.founded()
	}
	c.is, v.incidents[part].is = true, true
	v.fixedBy(c, i)
	return n
}

// ofCase is where amounts of a statement of a case are posted to.
func (v *view) ofCase(step Step, i int32) on {
	s := &v.u.statements[i]
	return on{step, v.caseName(v.stances[i].incident), s.currency, s.store, v.inOrder(i)}
}

// inOrder is the order that the amounts of a statement are of; 0 where all are of one.
func (v *view) inOrder(i int32) name {
	if !v.u.severalOrders {
		return 0
	}
	st := &v.stances[i]
	if st.order == 0 && st.incident != none {
		return v.orderOfCase(&v.incidents[st.incident])
	}
	return cmp.Or(st.order, v.u.ownOrder(i))
}

// orderOfCase is the order that the amounts of a case are of; 0 where all are of one. What is posted before anybody
// names its order is of that order already: nothing moves when somebody does.
func (v *view) orderOfCase(c *incident) name {
	if !v.u.severalOrders {
		return 0
	}
	return cmp.Or(c.order, v.u.homeOf(c.name))
}

func (v *view) caseName(n int32) name {
	if n == none {
		return 0
	}
	return v.incidents[v.incidents[n].root].name
}
