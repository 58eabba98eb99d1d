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
	items    [4]int // of its lines, in the world's list
	customer int    // where the world remembers them
	until    int64  // what was promised
	arrived  int64
}

// The lines of an order are numbered; an order has at most as many as this has.
var lineIDs = [...]string{"1", "2", "3", "4"}

// order places one and decides its fate.
func (s *Simulation) order(at int64) {
	r := s.random
	w := s.world
	o := order{store: &w.stores[r.IntN(len(w.stores))], carrier: &w.carriers[r.IntN(len(w.carriers))]}
	o.till = o.store.tills[r.IntN(len(o.store.tills))]
	o.picker = &o.store.pickers[r.IntN(len(o.store.pickers))]
	o.id = "o" + s.tag + "-" + strconv.Itoa(s.orders+1)
	s.fill(&o, at)
	e := s.tellOf(&o, at, "", domain.TypeOrderPlaced, o.placed)
	if r.Uint32N(1000) == 0 {
		s.keyedTwice(&o, e)
	}

	if s.chance(1) { // the customer thinks better of it before anything is picked
		s.cancelledByCustomer(&o, at)
		return
	}
	if r.Uint32N(1000) < 30 {
		s.promiseMoved(&o, at)
	}
	if s.config.ErrorRate > 0 {
		if r.Uint32N(70) == 0 {
			s.stockCase(at)
		}
		if source, wrong := s.goesWrong(&o); wrong {
			w.customers.recent[o.customer].burned = true
			s.fail(&o, source, at)
			return
		}
	}
	s.delivered(&o)
}

// fill draws what is ordered, by whom, at what price and for when.
func (s *Simulation) fill(o *order, at int64) {
	r := s.random
	slot, customer := s.world.customers.pick(r)
	o.customer = slot
	d := &domain.OrderPlaced{CustomerID: customer, EmployeeID: o.picker.id}
	count := [10]int{1, 1, 1, 1, 1, 1, 2, 2, 3, 4}[r.IntN(10)]
	d.Lines = make([]domain.OrderLine, count)
	var net domain.Decimal
	for i := range d.Lines {
		x := r.Float64()
		n := int(x * x * float64(len(s.world.items))) // some parts are asked for much more often
		it := &s.world.items[n]
		o.items[i] = n
		quantity := domain.Decimal([8]int64{1, 1, 1, 1, 1, 2, 2, 4}[r.IntN(8)])
		l := &d.Lines[i]
		*l = domain.OrderLine{
			LineID: lineIDs[i], SKU: it.sku, VendorID: s.world.vendors[it.vendor].id, Quantity: quantity * one,
			UnitPrice: it.price, UnitCost: domain.Some(it.cost),
		}
		if r.Uint32N(20) == 0 {
			l.Discount = share(quantity*it.price, 10)
		}
		worth := quantity*it.price - l.Discount
		l.Tax = share(worth, taxPercent)
		net += worth + l.Tax
	}
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
	if d.Channel != "counter" {
		if r.Uint32N(3) == 0 {
			d.DeliveryFee, d.DeliveryTax = 7_500_000, 600_000
			net += 8_100_000
		}
		d.PaymentFee = domain.Decimal((int64(net)/10_000*29+500)/1000)*10_000 + 300_000 // 2.9 % and 0.30
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
	o.placed = d
}

const taxPercent = 8

// delivered ends an order that went well, or nearly so: some come late or short and nobody complains.
func (s *Simulation) delivered(o *order) {
	d := s.delivery(o)
	switch n := s.random.Uint32N(1000); {
	case n < 8:
		o.arrived = o.until + s.between(20*time.Minute, 20*time.Hour)
	case n < 11 && d.Lines[0].Quantity > one:
		d.Lines[0].Quantity -= one
	}
	s.tellOf(o, o.arrived, "", domain.TypeOrderDelivered, d)
	if s.random.Uint32N(16) == 0 {
		s.feedback(o, o.arrived+s.between(time.Hour, 72*time.Hour), 5-s.random.IntN(2))
	}
}

// delivery is an order arriving as it should.
func (s *Simulation) delivery(o *order) *domain.OrderDelivered {
	d := &domain.OrderDelivered{Lines: make([]domain.DeliveredLine, 0, len(o.placed.Lines)), DocumentsOK: domain.Yes}
lines:
	for i := range o.placed.Lines {
		l := &o.placed.Lines[i]
		for k := range d.Lines {
			if d.Lines[k].SKU == l.SKU {
				d.Lines[k].Quantity += l.Quantity
				continue lines
			}
		}
		d.Lines = append(d.Lines, domain.DeliveredLine{SKU: l.SKU, Quantity: l.Quantity})
	}
	return d
}

func (s *Simulation) feedback(o *order, at int64, rating int) {
	s.tellOf(o, at, "", domain.TypeFeedbackReceived, &domain.FeedbackReceived{
		Rating: rating, Public: s.chance(30), Channel: "web", CustomerID: o.placed.CustomerID,
	})
}

func (s *Simulation) cancelledByCustomer(o *order, at int64) {
	d := o.whole()
	d.By, d.Reason = "customer", "no longer needed"
	s.tellOf(o, at+s.between(time.Minute, 20*time.Minute), "", domain.TypeOrderCancelled, d)
}

// whole is all of an order, to be taken back.
func (o *order) whole() *domain.OrderCancelled {
	net, tax, cost := o.placed.DeliveryFee, o.placed.DeliveryTax, domain.Decimal(0)
	for i := range o.placed.Lines {
		n, t, c := worth(&o.placed.Lines[i])
		net, tax, cost = net+n, tax+t, cost+c
	}
	return &domain.OrderCancelled{Net: domain.Some(net), Tax: domain.Some(tax), Cost: domain.Some(cost)}
}

// worth is what a line was sold for and cost.
func worth(l *domain.OrderLine) (net, tax, cost domain.Decimal) {
	quantity := l.Quantity / one
	return quantity*l.UnitPrice - l.Discount, l.Tax, quantity * l.UnitCost.Value
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

// keyedTwice is a clerk who keys an event again, under another number, and takes that back when it is noticed.
func (s *Simulation) keyedTwice(o *order, e *domain.Event) {
	again := *e
	again.ID = o.till.nextID()
	at := e.Time.UnixNano() + s.between(time.Second, 2*time.Minute)
	s.tell(at, &again)
	void := s.tellOf(o, at+s.between(time.Minute, 5*time.Hour), e.ErrorID, domain.TypeEventVoided,
		&domain.EventVoided{Source: again.Source, ID: again.ID, Reason: "keyed twice", Original: &again})
	void.Currency = again.Currency
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
		domain.TypeErrorRejected, domain.TypePeriodClosed, domain.TypePeriodReopened, domain.TypeEventVoided:
		return false
	}
	return true
}
