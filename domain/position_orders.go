package domain

import "slices"

// This file says of which order a case is, and what waits because two orders name one case, or two stores placed one
// order. See domain/README.md, "What counts".

// underOrders finds the order of each case: the one that its first statement with an order names, or that a person
// chose. Statements of the case under another order wait, or are discarded where somebody chose.
func (v *view) underOrders() {
	several := v.u.severalOrders
	for i := range v.n {
		s, st := &v.u.statements[i], &v.stances[i]
		if s.errorID == 0 || s.order == 0 || st.standing != Counts || !s.speaks() {
			continue
		}
		if v.openers[s.errorID] == none {
			v.openers[s.errorID] = int32(i)
		}
		if several && st.verdict == decidedSeparate {
			v.apart = append(v.apart, pair{s.order, s.errorID})
		}
	}
	if several && v.u.decisions {
		v.chooseOrders()
	}
	for i := range v.n {
		s, st := &v.u.statements[i], &v.stances[i]
		if s.errorID == 0 || v.openers[s.errorID] == none {
			continue
		}
		opener := v.openers[s.errorID]
		order := v.u.statements[opener].order
		if s.order == 0 {
			st.order = order
		}
		if !several || st.standing != Counts || s.order == 0 || s.order == order || v.isApart(s.order, s.errorID) ||
			!s.speaks() {
			continue
		}
		if st.of = opener; v.chosen[s.errorID] {
			st.standing = Discarded
			continue
		}
		st.standing = Waits
		v.flag(CaseUnderTwoOrders, int32(i), v.u.names.text(s.errorID), 0, 0)
	}
	if several && v.u.merges {
		v.acrossOrders()
	}
}

// chooseOrders takes for the order of a case that of the event which a person decided for, by the last such
// decision by time.
func (v *view) chooseOrders() {
	last := v.group[:0]
	for i := range v.n {
		s, st := &v.u.statements[i], &v.stances[i]
		if s.errorID == 0 || s.order == 0 || st.standing != Counts || !s.speaks() || st.verdict != decidedFor {
			continue
		}
		n := slices.IndexFunc(last, func(j int32) bool { return v.u.statements[j].errorID == s.errorID })
		if n < 0 {
			last = append(last, int32(i))
		} else if v.decidedLater(int32(i), last[n]) {
			last[n] = int32(i)
		}
	}
	for _, i := range last {
		s := &v.u.statements[i]
		if opener := &v.openers[s.errorID]; v.u.statements[*opener].order != s.order {
			*opener, v.chosen[s.errorID] = i, true
		}
	}
	v.group = last[:0]
}

// acrossOrders lets wait what says that a case is a part of one that another order has: that names the other case under
// a second order.
func (v *view) acrossOrders() {
	for i := range v.n {
		st := &v.stances[i]
		d, is := v.u.statements[i].Data.(*ErrorClassified)
		if !is || st.standing != Counts || v.sameOrder(int32(i), d) {
			continue
		}
		if st.verdict != decidedFor && st.verdict != decidedSeparate {
			st.standing, st.of = Waits, v.openers[v.u.names.number(d.SameAs)]
			v.flag(CaseUnderTwoOrders, int32(i), d.SameAs, 0, 0)
		}
	}
}

// sameOrder reports whether the case that a classification makes its own a part of is of the same order, as far as
// orders are known.
func (v *view) sameOrder(i int32, d *ErrorClassified) bool {
	if d.SameAs == "" || v.stances[i].order == 0 {
		return true
	}
	opener := v.openers[v.u.names.number(d.SameAs)]
	return opener == none || v.u.statements[opener].order == v.stances[i].order
}

func (v *view) isApart(order, errorID name) bool {
	for _, p := range v.apart {
		if p.order == order && p.errorID == errorID {
			return true
		}
	}
	return false
}

// fromStores lets wait what the source of a second order.placed sends for an order that another store placed first.
func (v *view) fromStores() {
	for _, members := range v.u.facts {
		if _, is := v.u.statements[members[0]].Data.(*OrderPlaced); !is || len(members) < 2 {
			continue
		}
		first := int32(none)
		for _, i := range members {
			st := &v.stances[i]
			if int(i) >= v.n || st.standing != Counts || st.verdict == decidedSeparate {
				continue
			}
			if first == none || v.decidedLater(i, first) {
				first = i
			}
		}
		if first == none {
			continue
		}
		for _, standing := range []Standing{Counts, Discarded} { // what waits is still open, whatever else is discarded
			for _, i := range members {
				st := &v.stances[i]
				if int(i) < v.n && i != first && v.u.statements[i].store != v.u.statements[first].store &&
					st.verdict != decidedSeparate && st.standing == standing {
					v.follow(i, first)
				}
			}
		}
	}
}

// follow gives all that comes from the source of a second sale the standing of that sale. Where one source sent both
// sales, nothing tells which one the rest is of: it counts.
func (v *view) follow(second, first int32) {
	a, b := &v.u.statements[first], &v.u.statements[second]
	st := &v.stances[second]
	if st.standing == Counts {
		st.standing, st.of = Waits, first
		if v.stances[first].verdict == decidedFor {
			st.standing = Discarded
		}
	}
	if a.Source == b.Source {
		return
	}
	for i := range v.n {
		s, is := &v.u.statements[i], &v.stances[i]
		if is.order != b.order || is.standing != Counts || int32(i) == first || !s.speaks() ||
			s.Source != b.Source || is.verdict == decidedFor ||
			is.verdict == decidedSeparate {
			continue
		}
		is.standing, is.of = st.standing, second
	}
}
