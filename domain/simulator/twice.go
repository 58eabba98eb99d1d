package simulator

import (
	"time"

	"github.com/makegood/makegood/domain"
)

// What is said twice: by a clerk who keys it again, by two systems that both know of it, and now and then not alike.

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

// toldAgain is the same fact from another system, which may know more of it or less.
func (s *Simulation) toldAgain(e *domain.Event, by *till, after int64, d domain.Data) *domain.Event {
	again := *e
	again.Source, again.ID, again.Data = by.source, by.nextID(), d
	s.tell(e.Time.UnixNano()+after, &again)
	return &again
}

// placedTwice is an order that the till and the shop both tell. The shop doesn't know who picks it.
func (s *Simulation) placedTwice(o *order, e *domain.Event) {
	d := *o.placed
	d.EmployeeID = ""
	if s.chance(50) {
		d.Promise = domain.Promise{}
	}
	s.toldAgain(e, s.world.shop, s.between(time.Second, time.Minute), &d)
}

// refundTwice is a refund that the till tells, and the payment system too: there without a case, or without knowing
// what of it is tax. Which of them comes first is chance.
func (s *Simulation) refundTwice(e *domain.Event, d *domain.RefundIssued) {
	other := *d
	withoutTax := e.ErrorID == "" || s.chance(50)
	if withoutTax {
		other.Net, other.Tax = d.Net+d.Tax, 0
	}
	again := s.toldAgain(e, s.world.payments, s.between(time.Second, 30*time.Minute), &other)
	if !withoutTax {
		again.ErrorID = ""
	}
}

// refundContradicted is a refund of which the payment system says another amount. A person looks into most of them,
// days later: one of the two is right, or they are two refunds under one number.
func (s *Simulation) refundContradicted(o *order, e *domain.Event, d *domain.RefundIssued) {
	other := *d
	other.Net = max(d.Net-fromCents(50+s.random.Int64N(500)), fromCents(1))
	if other.Net == d.Net {
		return
	}
	again := s.toldAgain(e, s.world.payments, s.between(time.Minute, 30*time.Minute), &other)
	if s.chance(30) {
		return // nobody has got round to it
	}
	decided := &domain.FactDecided{
		Source: again.Source, ID: again.ID, OrderID: e.OrderID, ErrorID: e.ErrorID,
		Actor: "finance", Reason: "bank statement",
	}
	switch n := s.random.Uint32N(10); {
	case n < 5 && 3*(d.Net+d.Tax) < o.total():
		decided.Separate = true
	case n < 7:
		decided.Counts = domain.No
	default:
		decided.Counts = domain.Yes
	}
	s.tell(again.Time.UnixNano()+s.between(24*time.Hour, 10*24*time.Hour), &domain.Event{
		Source: s.books.till.source, ID: s.books.till.nextID(), Type: domain.TypeFactDecided, Data: decided,
	})
}

// moneyWithoutCase is money that somebody at a till gives back. No case was opened, so the refund becomes one.
func (s *Simulation) moneyWithoutCase(o *order) {
	net, tax, _ := worth(&o.lines[0])
	percent := 5 + s.random.Int64N(20)
	d := &domain.RefundIssued{
		RefundID: o.id + "-f0", Net: share(net, percent), Tax: share(tax, percent), Method: oneOf(s, "cash", "card"),
	}
	e := s.tellOf(o, o.arrived+s.between(time.Hour, 5*24*time.Hour), "", domain.TypeRefundIssued, d)
	if s.chance(10) {
		s.refundTwice(e, d)
	}
}
