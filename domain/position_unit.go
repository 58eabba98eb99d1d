package domain

import (
	"cmp"
	"slices"
)

// statement is an event of a unit, with the names that it uses as numbers.
type statement struct {
	*Event
	given                    int32 // its number among the events as they were given
	epoch                    int
	at                       Position
	rates                    Position // from where it looks for its rates, see Terms.PricedFrom
	kept                     *Recorded
	order                    name
	errorID, currency, store name

	target  int32 // of a void or a decision: the statement that it is about; none
	void    int32 // the first void of it; none
	verdict int32 // the first decision on it; none
	next    int32 // of a void or a decision: the next one of its target; none
	fact    int32 // number of the group that may be one business fact; none
	thread  int32 // number of the redelivery, voucher, dispute or claim that it is of; none
}

const none = -1

// unit is what Settle is given, made ready: copies left out, in the sequence.
type unit struct {
	terms      *Terms
	given      []Recorded
	statements []statement // in the sequence
	byTime     []int32     // the statements' numbers by occurred_at, source, id
	names      names
	facts      [][]int32          // statements that may be one fact, by number; only groups of several are looked at
	turns      []turn             // by number of a fact
	wholes     []int32            // cancellations that name neither lines nor a change
	byIdentity map[identity]int32 // only where voids or decisions ask for it

	voids, decisions, merges, mixed, severalOrders, severalSales, severalCurrencies bool

	rated []bool // by number as given

	orders []name        // those that others than decisions name
	homes  map[name]name // by error_id, of several orders: see findHomes
}

// turn is when a fact's statements are compared.
type turn uint8

const (
	ofOthers turn = iota
	ofOrders
	ofDispatches // which failed trips tell apart
)

func turnOf(kind Type) turn {
	switch kind {
	case TypeOrderPlaced:
		return ofOrders
	case TypeRedeliveryDispatched:
		return ofDispatches
	}
	return ofOthers
}

// thread is what several events of a unit tell the story of.
type thread uint8

const (
	aRedelivery thread = iota + 1
	aVoucher
	aDispute
	aClaim
)

// key of a business fact (kind) or of a thread.
type key struct {
	kind   Type
	thread thread
	id     string
}

// newUnit sorts out the events of a unit. Copies of one identity: the first recorded stays.
func newUnit(t *Terms, given []Recorded) *unit {
	u := &unit{terms: t, given: given, statements: make([]statement, 0, len(given)), rated: make([]bool, len(given))}
	for i := range given {
		r := &given[i]
		e := r.Event
		s := statement{
			Event:   e,
			given:   int32(i),
			epoch:   t.Periods.Epoch(r.At),
			at:      r.At,
			target:  none,
			void:    none,
			verdict: none,
			next:    none,
			fact:    none,
			thread:  none,
		}
		if r.Keeps {
			s.kept = r
		}
		u.statements = append(u.statements, s)
	}
	u.leaveOutCopies()
	slices.SortFunc(u.statements, func(a, b statement) int {
		return cmp.Or(cmp.Compare(a.epoch, b.epoch), byTime(&a, &b))
	})
	u.byTime = make([]int32, len(u.statements))
	for i := range u.byTime {
		u.byTime[i] = int32(i)
	}
	slices.SortFunc(u.byTime, func(a, b int32) int { return byTime(&u.statements[a], &u.statements[b]) })
	for i := range u.statements {
		s := &u.statements[i]
		s.rates = t.pricedAt(s.at, s.epoch)
		s.order, s.errorID = u.names.number(s.OrderID), u.names.number(s.ErrorID)
		s.currency, s.store = u.names.number(s.Currency), u.names.number(s.StoreID)
	}
	u.connect()
	return u
}

func byTime(a, b *statement) int {
	return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Source, b.Source), cmp.Compare(a.ID, b.ID))
}

// leaveOutCopies keeps the first recorded of each identity.
func (u *unit) leaveOutCopies() {
	if len(u.statements) < 2 {
		return
	}
	slices.SortFunc(u.statements, func(a, b statement) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.ID, b.ID),
			u.given[a.given].RecordedAt.Compare(u.given[b.given].RecordedAt), cmp.Compare(a.at.Stream, b.at.Stream),
			cmp.Compare(a.at.Partition, b.at.Partition), cmp.Compare(a.at.Offset, b.at.Offset))
	})
	u.statements = slices.CompactFunc(u.statements, func(a, b statement) bool {
		return a.Source == b.Source && a.ID == b.ID
	})
}

// connect finds which statements may be one fact, which are of one thread, and what voids and decisions are about.
func (u *unit) connect() {
	facts, threads := make(map[key]int32, len(u.statements)), map[key]int32{}
	u.findOrders()
	sales := 0
	for i := range u.statements {
		s := &u.statements[i]
		switch d := s.Data.(type) {
		case *EventVoided:
			u.voids = true
			u.aim(int32(i), d.Source, d.ID)
		case *FactDecided:
			u.decisions = true
			u.aim(int32(i), d.Source, d.ID)
		case *ErrorClassified:
			u.names.number(d.SameAs)
		case *RefundIssued:
			u.names.number(d.RefundID)
		case *DisputeOpened:
			u.names.number(d.DisputeID)
		case *DisputeWon:
			u.names.number(d.DisputeID)
		case *DisputeLost:
			u.names.number(d.DisputeID)
		case *OrderPlaced:
			sales++
		case *OrderCancelled:
			if d.ChangeID == "" && len(d.Lines) == 0 {
				u.wholes = append(u.wholes, int32(i))
			}
		}
		if k := factOf(s); k.id != "" {
			n, known := facts[k]
			if !known {
				n = int32(len(u.facts))
				facts[k] = n
				u.facts = append(u.facts, nil)
				u.turns = append(u.turns, turnOf(k.kind))
			}
			u.facts[n] = append(u.facts[n], int32(i))
			s.fact = n
		}
		if k := threadOf(s); k.id != "" {
			n, known := threads[k]
			if !known {
				n = int32(len(threads))
				threads[k] = n
			}
			s.thread = n
		}
	}

	u.severalSales = sales > 1
}

// findOrders tells whether the unit is of several orders or currencies, or has events that name no order.
func (u *unit) findOrders() {
	currency := name(0)
	for i := range u.statements {
		o, c := u.statements[i].order, u.statements[i].currency
		u.severalCurrencies = u.severalCurrencies || c != 0 && currency != 0 && c != currency
		currency = max(c, currency)
		u.mixed = u.mixed || o != u.statements[0].order || o == 0 && u.statements[i].errorID != u.statements[0].errorID
		if o != 0 && !tellsADecision(u.statements[i].Event) && !slices.Contains(u.orders, o) {
			u.orders = append(u.orders, o)
		}
		if d, is := u.statements[i].Data.(*ErrorClassified); is {
			u.merges = u.merges || d.SameAs != ""
		}
	}
	if u.severalOrders = len(u.orders) > 1; u.severalOrders {
		u.findHomes()
	}
}

// tellsADecision reports whether an event is what a person decided, or takes such a decision back: the order that it
// names may be any.
func tellsADecision(e *Event) bool {
	for void, is := e.Data.(*EventVoided); is && void.Original != nil; void, is = e.Data.(*EventVoided) {
		e = void.Original
	}
	_, is := e.Data.(*FactDecided)
	return is
}

// findHomes finds which order each case of several orders was first named under. One that nobody names under any is of
// the order of the case that it is part of, or that is part of it.
func (u *unit) findHomes() {
	u.homes = map[name]name{}
	for i := range u.statements {
		s := &u.statements[i]
		if !tellsADecision(s.Event) && s.order != 0 && s.errorID != 0 && u.homes[s.errorID] == 0 {
			u.homes[s.errorID] = s.order
		}
	}
	for more := u.merges; more; {
		more = false
		for i := range u.statements {
			d, is := u.statements[i].Data.(*ErrorClassified)
			if !is || d.SameAs == "" || u.statements[i].errorID == 0 {
				continue
			}
			part, whole := u.statements[i].errorID, u.names.number(d.SameAs)
			for _, of := range [][2]name{{part, whole}, {whole, part}} {
				if u.homes[of[0]] == 0 && u.homes[of[1]] != 0 {
					u.homes[of[0]], more = u.homes[of[1]], true
				}
			}
		}
	}
}

// ownOrder is the order of a statement, also where only others of its case name it; 0 where all are of one. A decision
// is of the order of what it is about, unless it names another of the unit.
func (u *unit) ownOrder(i int32) name {
	if !u.severalOrders {
		return 0
	}
	return u.orderSaid(i)
}

func (u *unit) orderSaid(i int32) name {
	for range u.statements { // voids may void each other
		s := &u.statements[i]
		if !s.decides(u) || s.target == none || slices.Contains(u.orders, s.order) {
			break
		}
		i = s.target
	}
	return cmp.Or(u.statements[i].order, u.homeOf(u.statements[i].errorID))
}

// homeOf is the order of a case that nobody names under any; where nothing tells, the first of all.
func (u *unit) homeOf(errorID name) name { return cmp.Or(u.homes[errorID], u.orders[0]) }

// home is the order of a statement that names none, or that decides on what is of another one; 0 where it goes without
// saying, or there is none.
func (u *unit) home(i int32) name {
	if s := &u.statements[i]; len(u.orders) == 0 || slices.Contains(u.orders, s.order) {
		return 0
	}
	return u.orderSaid(i)
}

// decides reports whether a statement is what a person decided, or takes such a decision back.
func (s *statement) decides(u *unit) bool {
	for range u.statements {
		if _, is := s.Data.(*FactDecided); is {
			return true
		}
		if _, is := s.Data.(*EventVoided); !is || s.target == none {
			return false
		}
		s = &u.statements[s.target]
	}
	return false
}

// aim finds what a void or a decision is about.
func (u *unit) aim(i int32, source, id string) {
	if u.byIdentity == nil {
		u.byIdentity = make(map[identity]int32, len(u.statements))
		for j := range u.statements {
			u.byIdentity[identity{u.statements[j].Source, u.statements[j].ID}] = int32(j)
		}
	}
	target, is := u.byIdentity[identity{source, id}]
	if !is || target == i {
		return
	}
	s := &u.statements[i]
	s.target = target
	if _, is := s.Data.(*EventVoided); is {
		s.next, u.statements[target].void = u.statements[target].void, i
	} else {
		s.next, u.statements[target].verdict = u.statements[target].verdict, i
	}
}

// factOf is the business fact that a statement may share with others of its kind; no id where it is one by itself.
func factOf(s *statement) key {
	kind := TypeOf(s.Data)
	switch d := s.Data.(type) {
	case *OrderPlaced:
		return key{kind: kind, id: s.OrderID}
	case *ErrorReported:
		return key{kind: kind, id: s.ErrorID}
	case fact:
		return key{kind: kind, id: d.businessID()}
	}
	return key{}
}

// threadOf is the redelivery, voucher, dispute or claim that a statement is of.
func threadOf(s *statement) key {
	switch d := s.Data.(type) {
	case *RedeliveryDispatched:
		return key{thread: aRedelivery, id: d.RedeliveryID}
	case *RedeliveryCompleted:
		return key{thread: aRedelivery, id: d.RedeliveryID}
	case *ConcessionGranted:
		if d.Kind == ConcessionVoucher || d.Kind == ConcessionStoreCredit {
			return key{thread: aVoucher, id: d.ConcessionID}
		}
	case *RefundIssued:
		if d.Method == MethodStoreCredit {
			return key{thread: aVoucher, id: d.RefundID}
		}
	case *VoucherRedeemed:
		return key{thread: aVoucher, id: d.ConcessionID}
	case *VoucherExpired:
		return key{thread: aVoucher, id: d.ConcessionID}
	case *DisputeOpened:
		return key{thread: aDispute, id: d.DisputeID}
	case *DisputeWon:
		return key{thread: aDispute, id: d.DisputeID}
	case *DisputeLost:
		return key{thread: aDispute, id: d.DisputeID}
	case *ClaimFiled:
		return key{thread: aClaim, id: d.ClaimID}
	case *ClaimAccepted:
		return key{thread: aClaim, id: d.ClaimID}
	case *ClaimSettled:
		return key{thread: aClaim, id: d.ClaimID}
	case *ClaimClosed:
		return key{thread: aClaim, id: d.ClaimID}
	}
	return key{}
}
