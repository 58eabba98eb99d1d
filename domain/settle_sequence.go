package domain

import "slices"

// Settle makes the entries of one unit: an order with its cases, a case without an order, or several orders where one
// case is named under them. It is a function of the events, their places in the log, and the terms: of nothing else,
// and in whatever order they are given.
//
// The events stand in the sequence: by epoch (Periods.Epoch), occurred_at, source, id. The entry of an event is the
// position of the events up to it less the position of those before it.
func (t *Terms) Settle(events []Recorded) (*Settlement, error) {
	u := newUnit(t, events)
	n := len(u.statements)
	settled := &Settlement{Events: make([]SettledEvent, len(events)), Sequence: make([]int, n)}
	v := &view{u: u, settled: settled}
	var before position
	var booked *position // where that isn't the position
	var repricing *statement
	var facts []CaseFacts
	for i := range u.statements {
		s := &u.statements[i]
		e := &settled.Events[s.given]
		settled.Sequence[i] = int(s.given)
		if d, is := s.Data.(*BooksRebuilt); is && d.ClosedPeriods {
			repricing = s
		}
		last := i == n-1
		if !last && s.isSilent() {
			continue
		}
		if last {
			v.final = true
		}
		if last || !v.extend(int32(i)) {
			v.take(i+1, repricing)
		}
		if v.err != nil {
			return nil, v.err
		}
		own := u.ownOrder(int32(i))
		u.enter(e, s, own, &v.position, &before, &booked)
		facts = v.news(e, own, facts)
	}
	v.conclude(facts)
	return settled, nil
}

// take makes the view the position of the first n statements.
func (v *view) take(n int, repricing *statement) {
	v.reset(n, repricing)
	v.count()
	v.gather()
	v.sales()
	v.refunds()
	v.disputes()
	v.redeliver()
	v.goodsOfCases()
	v.credits()
	for i := range n {
		if v.stances[i].standing == Counts {
			v.byEvent(int32(i))
		}
	}
	if v.final {
		v.overRefunded()
	}
}

// extend adds the next statement to the position where that is all it does: it posts by itself, is one fact, of a case
// that is known already. Else it does nothing, and says so. It keeps units of thousands of such events quick.
func (v *view) extend(i int32) bool {
	u, s := v.u, &v.u.statements[i]
	if i == 0 || int(i) != v.n || !s.isApart() || s.void != none || u.decisions || u.merges || u.severalOrders ||
		u.severalSales ||
		s.fact != none && len(u.facts[s.fact]) > 1 {
		return false
	}
	st := u.said(i)
	if s.errorID != 0 {
		n := v.byName[s.errorID]
		if n == none || v.openers[s.errorID] == none || v.incidents[n].first == none ||
			v.compareTimes(i, v.incidents[n].first) < 0 {
			return false
		}
		st.incident, st.order = n, v.incidents[n].order
	}
	v.stances[i] = st
	v.n++
	v.byEvent(i)
	return true
}

// isApart reports whether what a statement posts depends on no other, and no other's on it.
func (s *statement) isApart() bool {
	switch s.Data.(type) {
	case *LabourSpent, *GoodsScrapped, *SalvageSold, *MarketplaceCharged, *OrderCharged:
		return true
	}
	return false
}

// enter writes the entry of a statement: what the position changed by. What is kept stays as it is; a rebuild that
// prices closed epochs brings the books to the position.
func (u *unit) enter(e *SettledEvent, s *statement, own name, after, before *position, booked **position) {
	rebuilds := false
	if d, is := s.Data.(*BooksRebuilt); is {
		rebuilds = d.ClosedPeriods
	}
	switch {
	case s.kept != nil:
		e.Lines = s.kept.Kept
		u.keep(s, own, before, booked)
	case rebuilds && *booked != nil:
		e.Lines = u.lines(after, *booked, own)
		*booked = nil
	default:
		e.Lines = u.lines(after, before, own)
		if *booked != nil {
			u.add(*booked, e.Lines, own)
		}
	}
	before.become(after)
}

// keep books lines that other rules posted: from then on what is booked isn't the position.
func (u *unit) keep(s *statement, own name, before *position, booked **position) {
	if *booked == nil {
		*booked = &position{}
		(*booked).become(before)
	}
	lines := make([]Line, len(s.kept.Kept))
	for i, l := range s.kept.Kept {
		if l.Currency == "" {
			l.Currency, l.Store, l.Case, l.Step = s.Currency, s.StoreID, s.ErrorID, stepOf(s.Event)
		}
		lines[i] = l
	}
	u.add(*booked, lines, own)
}

func (u *unit) add(to *position, lines []Line, own name) {
	for i := range lines {
		k := u.slot(&lines[i], own)
		*to.at(&k) += lines[i].Amount
	}
}

// stepOf is the step of an event that posts by itself.
func stepOf(e *Event) Step {
	switch d := e.Data.(type) {
	case *OrderPlaced, *OrderCharged:
		return Perfect
	case *OrderChanged, *OrderCancelled:
		return Change
	case *EventVoided:
		if d.Original != nil {
			return stepOf(d.Original)
		}
	}
	return Fix
}

// isSilent reports whether an event changes no position, whatever the others are, and no fact of a case.
func (s *statement) isSilent() bool {
	switch s.Data.(type) {
	case *PromiseChanged, *OrderDelivered, *FeedbackReceived:
		return s.errorID == 0 && s.void == none
	}
	return false
}

// news are the facts of the cases that changed with an event, and of those that it leaves nothing of, or that went from
// one order to another. It returns those of all cases that are left.
func (v *view) news(e *SettledEvent, own name, known []CaseFacts) []CaseFacts {
	all := v.caseFacts()
	for _, f := range all {
		if !slices.Contains(known, f) {
			e.Cases = append(e.Cases, f)
		}
	}
	for _, k := range known {
		if !slices.ContainsFunc(all, func(f CaseFacts) bool { return f.Case == k.Case && f.Order == k.Order }) {
			k.Gone, k.Reported = true, false // the books write one or the other
			e.Cases = append(e.Cases, k)
		}
	}
	for i, order := 0, v.u.names.text(own); i < len(e.Cases); i++ {
		if f := &e.Cases[i]; f.Order == order {
			f.Order = ""
		}
	}
	return all
}

// caseFacts are what is known of the cases of the set. What is said of a case makes none where nobody reported it and
// nothing was done about it.
func (v *view) caseFacts() []CaseFacts {
	all := make([]CaseFacts, 0, len(v.incidents))
	for n := range v.incidents {
		c := &v.incidents[n]
		if !c.is {
			continue
		}
		f := c.facts
		if f.VendorID == "" {
			f.VendorID = v.vendorOf(int32(n))
		}
		f.Order = v.u.names.text(v.orderOfCase(c))
		all = append(all, f)
	}
	return all
}

// vendorOf is the vendor of a case's goods on its order, if they name one: of those that its report names, else of
// those that were sent or came back.
func (v *view) vendorOf(n int32) string {
	c := &v.incidents[n]
	o := v.orderOf(c.order)
	if o == nil || len(o.articles) == 0 {
		return ""
	}
	vendor, several := "", false
	of := func(sku string) {
		if a := o.article(sku); a != nil && a.vendors > 0 {
			several = several || a.vendors > 1 || vendor != "" && vendor != a.vendor
			vendor = a.vendor
		}
	}
	if c.report != none {
		d := v.u.statements[c.report].Data.(*ErrorReported)
		for l := range d.Lines {
			of(d.Lines[l].SKU)
		}
		if len(d.Lines) > 0 {
			if several {
				return ""
			}
			return vendor
		}
	}
	for i := range v.n {
		if v.stances[i].incident != n || v.stances[i].standing != Counts {
			continue
		}
		switch d := v.u.statements[i].Data.(type) {
		case *RedeliveryDispatched:
			for l := range d.Lines {
				of(d.Lines[l].SKU)
			}
		case *ReturnReceived:
			for l := range d.Lines {
				of(d.Lines[l].SKU)
			}
		}
	}
	if several {
		return ""
	}
	return vendor
}

// conclude writes what all events together say: their standings, the cases as they are, what asked for a rate.
func (v *view) conclude(facts []CaseFacts) {
	u := v.u
	v.settled.Cases = facts
	for i := range v.settled.Events {
		v.settled.Events[i].Standing = Copied
		v.settled.Events[i].Rated = u.rated[i]
	}
	for i := range u.statements {
		e, st := &v.settled.Events[u.statements[i].given], &v.stances[i]
		e.Standing, e.Of, e.Home = st.standing, Identity{}, u.names.text(u.home(int32(i)))
		if st.of != none {
			e.Of = Identity{u.statements[st.of].Source, u.statements[st.of].ID}
		}
	}
}
