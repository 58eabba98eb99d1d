package simulator

import (
	"strconv"
	"time"

	"github.com/makegood/makegood/domain"
)

// order is one on its way: what its deliveries and its case need to know.
type order struct {
	id       string
	store    *store
	till     *till
	picker   *picker
	carrier  *carrier
	placed   *domain.OrderPlaced
	lines    []domain.OrderLine // as they are now, of all kinds; the first is goods as long as there is one
	item     int                // of the first line, in the world's list
	customer int                // where the world remembers them
	until    int64              // what was promised
	arrived  int64
	edited   int64  // when the order was last edited before it was delivered; 0 where it was not
	changed  bool   // something was taken off
	at       int64  // when it was placed
	visit    visit  // of a story: who orders
	root     string // of a story: the root cause of what goes wrong
	failed   bool   // a founded case came of it that the customer met
	dealt    int64  // of an experiment: when lot dealt the customer; 0 where it didn't
	called   bool   // of an experiment: lot says that the customer is called
}

// order places one and decides its fate.
func (s *Simulation) order(at int64) {
	r := s.random
	w := s.world
	o := order{store: &w.stores[r.IntN(len(w.stores))], carrier: &w.carriers[r.IntN(len(w.carriers))]}
	o.till = o.store.tills[r.IntN(len(o.store.tills))]
	o.picker = &o.store.pickers[r.IntN(len(o.store.pickers))]
	o.id = "o" + s.tag + "-" + strconv.Itoa(s.orders+1)
	o.at = at
	s.fill(&o, at)
	if s.plot != nil {
		defer func() { s.plot.comesBack(s, &o, at) }()
	}
	e := s.tellOf(&o, at, "", domain.TypeOrderPlaced, o.placed)
	if s.afterwards(&o, at, e) {
		return
	}
	if s.config.ErrorRate > 0 {
		if r.Uint32N(70) == 0 {
			s.stockCase(at)
		}
		if source, wrong := s.goesWrong(&o); wrong {
			if s.plot == nil {
				w.customers.recent[o.customer].burned = true
			}
			s.fail(&o, source, at)
			return
		}
	}
	s.delivered(&o)
}

// afterwards is what happens to an order before it is delivered. True where it ends there.
func (s *Simulation) afterwards(o *order, at int64, placed *domain.Event) bool {
	switch n := s.random.Uint32N(1000); {
	case n < 10: // the customer thinks better of it before anything is picked
		s.cancelledByCustomer(o, at)
		return true
	case n < 22:
		s.editedByCustomer(o, at)
	case n < 26:
		s.editedByBusiness(o, at)
	case n < 30:
		s.partCancelled(o, at)
	case n < 50:
		s.charged(o)
	case n < 56:
		s.placedTwice(o, placed)
	case n < 57:
		s.keyedTwice(o, placed)
	case n < 87:
		s.promiseMoved(o, at)
	}
	return false
}

// fill draws what is ordered, by whom, at what price and for when.
func (s *Simulation) fill(o *order, at int64) {
	r := s.random
	var customer string
	if s.plot == nil {
		o.customer, customer = s.world.customers.pick(r)
	} else {
		o.visit = s.plot.who(s, at)
		customer = s.plot.customerID(s, o.visit.number)
	}
	d := &domain.OrderPlaced{CustomerID: customer, EmployeeID: o.picker.id}
	total := s.fillGoods(o, d)
	var lead int64
	switch n := r.Uint32N(20); {
	case n < 6:
		d.Channel, lead = "counter", int64(30*time.Minute)
	case n < 10:
		d.Channel, lead = "phone", int64(4*time.Hour)
	case n < 17:
		d.Channel, lead = "web", int64(24*time.Hour)
	default:
		d.Channel, lead = "marketplace", int64(48*time.Hour)
	}
	special := r.Uint32N(1000)
	if special < extras {
		total = s.fillExtra(d, special, total)
	}
	if d.Channel != "counter" {
		total = s.fillFees(d, total)
	}
	if special >= extras && special < extras+tenders {
		s.fillTenders(o, d, special-extras, total)
	}
	o.until = at + lead
	d.Promise.Until = time.Unix(0, o.until-o.until%int64(time.Minute)).In(s.zone)
	if d.Channel != "counter" {
		d.Promise.From = d.Promise.Until.Add(-2 * time.Hour)
	}
	o.until = d.Promise.Until.UnixNano()
	// Most arrive well before the promise ends, at the earliest a few minutes after the order.
	o.arrived = max(o.until-lead/8-s.random.Int64N(lead/2), at+int64(2*time.Minute))
	o.arrived = min(o.arrived, max(o.until, at))
	o.placed, o.lines = d, d.Lines
}

// delivered ends an order that went well, or nearly so: some come late or short and nobody complains, and now and then
// somebody at a till gives money back without a word why.
func (s *Simulation) delivered(o *order) {
	d := s.delivery(o)
	n := s.random.Uint32N(1000)
	switch {
	case n < 8:
		o.arrived = o.until + s.between(20*time.Minute, 20*time.Hour)
	case n < 11 && d.Lines[0].Quantity > one:
		d.Lines[0].Quantity -= one
	}
	s.tellOf(o, o.arrived, "", domain.TypeOrderDelivered, d)
	if n >= 998 && s.config.ErrorRate > 0 && !o.changed {
		s.moneyWithoutCase(o)
		o.failed = true
	}
	if s.random.Uint32N(16) == 0 {
		what := ratedKept
		if o.arrived > o.until {
			what = ratedLate
		}
		s.feedback(o, o.arrived+s.between(time.Hour, 72*time.Hour), s.rating(what, 5-s.random.IntN(2)))
	}
}

// delivery is an order arriving as it should. Only goods arrive; of a kit, its components. What gift cards were sold
// can then be paid with.
func (s *Simulation) delivery(o *order) *domain.OrderDelivered {
	d := &domain.OrderDelivered{Lines: make([]domain.DeliveredLine, 0, len(o.lines)), DocumentsOK: domain.Yes}
	for i := range o.lines {
		l := &o.lines[i]
		if l.Kind != "" {
			s.giftCardSold(o, l)
			continue
		}
		for _, c := range l.Components {
			addDelivered(d, c.SKU, c.Quantity/one*l.Quantity)
		}
		if len(l.Components) == 0 {
			addDelivered(d, l.SKU, l.Quantity)
		}
	}
	return d
}

func addDelivered(d *domain.OrderDelivered, sku string, quantity domain.Decimal) {
	for k := range d.Lines {
		if d.Lines[k].SKU == sku {
			d.Lines[k].Quantity += quantity
			return
		}
	}
	d.Lines = append(d.Lines, domain.DeliveredLine{SKU: sku, Quantity: quantity})
}

// rating is usual, or what a story has.
func (s *Simulation) rating(what string, usual int) int {
	if s.plot != nil {
		return s.plot.rated(s, what)
	}
	return usual
}

func (s *Simulation) feedback(o *order, at int64, rating int) {
	s.tellOf(o, at, "", domain.TypeFeedbackReceived, &domain.FeedbackReceived{
		Rating: rating, Public: s.chance(30), Channel: "web", CustomerID: o.placed.CustomerID,
	})
}

func (s *Simulation) promiseMoved(o *order, at int64) {
	agreed := s.chance(75)
	moved := s.between(4*time.Hour, 30*time.Hour)
	p := domain.Promise{Until: o.placed.Promise.Until.Add(time.Duration(moved - moved%int64(time.Minute)))}
	s.tellOf(o, at+s.between(time.Minute, 25*time.Minute), "", domain.TypePromiseChanged,
		&domain.PromiseChanged{Promise: p, AgreedWithCustomer: agreed})
	if agreed {
		o.until = p.Until.UnixNano()
	}
	o.arrived = p.Until.UnixNano() - s.between(10*time.Minute, 2*time.Hour) // too late, where nobody agreed
}

// tellOf queues an event of an order, and of a case where one is named.
func (s *Simulation) tellOf(o *order, at int64, errorID string, t domain.Type, d domain.Data) *domain.Event {
	e := &domain.Event{
		Source: o.till.source, ID: o.till.nextID(), Type: t, OrderID: o.id, StoreID: o.store.id, ErrorID: errorID, Data: d,
	}
	if carriesMoney(t) {
		e.Currency = o.store.currency
	}
	s.tell(at, e)
	return e
}

func carriesMoney(t domain.Type) bool {
	switch t {
	case domain.TypePromiseChanged, domain.TypeOrderDelivered, domain.TypeFeedbackReceived, domain.TypeErrorClassified,
		domain.TypeErrorRejected, domain.TypeClaimClosed, domain.TypePeriodClosed, domain.TypePeriodReopened,
		domain.TypeFactDecided, domain.TypeVendorTerms, domain.TypeEventVoided:
		return false
	}
	return true
}
