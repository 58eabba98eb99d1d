package simulator

import (
	"slices"
	"strconv"
	"time"

	"github.com/makegood/makegood/domain"
)

// What becomes of an order that is changed or cancelled, whole or in part.

// cancelledByCustomer takes the whole order off. Some tills leave the cost to the order; some tell the money's way back
// as well.
func (s *Simulation) cancelledByCustomer(o *order, at int64) {
	d := o.whole()
	net, tax := d.Net.Value, d.Tax.Value
	if s.chance(40) {
		d.Cost = domain.Optional{}
	}
	d.By, d.Reason = "customer", "no longer needed"
	at += s.between(time.Minute, 20*time.Minute)
	s.tellOf(o, at, "", domain.TypeOrderCancelled, d)
	if s.chance(40) {
		s.moneyBack(o, at, net, tax)
	}
}

// whole is all of an order, to be taken back.
func (o *order) whole() *domain.OrderCancelled {
	net, tax, cost := o.placed.DeliveryFee, o.placed.DeliveryTax, domain.Decimal(0)
	for i := range o.lines {
		n, t, c := worth(&o.lines[i])
		net, tax, cost = net+n, tax+t, cost+c
	}
	return &domain.OrderCancelled{Net: domain.Some(net), Tax: domain.Some(tax), Cost: domain.Some(cost)}
}

// moneyBack is the refund of what was taken off an order. It names no case: there is none.
func (s *Simulation) moneyBack(o *order, at int64, net, tax domain.Decimal) {
	d := &domain.RefundIssued{
		RefundID: o.id + "-f" + strconv.FormatUint(o.till.events, 10), Net: net, Tax: tax,
		Method: oneOf(s, "card", "card", "card", "card", "card", "account", "gift_card", "store_credit"),
	}
	if d.Method == "card" && o.placed.PaymentFee > 0 && s.chance(30) {
		total, all := o.total(), net+tax
		d.FeeReturned = portion(o.placed.PaymentFee, min(all, total), total)
	}
	at += s.between(time.Minute, 48*time.Hour)
	e := s.tellOf(o, at, "", domain.TypeRefundIssued, d)
	if s.chance(10) {
		s.refundTwice(e, d)
	}
}

// total is what the order was placed for, tax included.
func (o *order) total() domain.Decimal {
	sum := o.placed.DeliveryFee + o.placed.DeliveryTax
	for i := range o.placed.Lines {
		net, tax, _ := worth(&o.placed.Lines[i])
		sum += net + tax
	}
	return sum
}

// edit is a change of an order in the making.
type edit struct {
	*domain.OrderChanged
	order *order
	net   domain.Decimal // what is taken off, less what is added
	tax   domain.Decimal
}

func (s *Simulation) edit(o *order, by, reason string) *edit {
	d := &domain.OrderChanged{By: by, Reason: reason}
	if s.chance(80) {
		d.ChangeID = o.id + "-g" + strconv.FormatUint(o.till.events, 10)
	}
	o.lines = slices.Clone(o.lines) // those that were placed belong to the event
	return &edit{OrderChanged: d, order: o}
}

// add puts a line on the order.
func (c *edit) add(l domain.OrderLine) {
	o := c.order
	c.LinesAdded = append(c.LinesAdded, l)
	o.lines = append(o.lines, l)
	net, tax, _ := worth(&l)
	c.net, c.tax = c.net-net, c.tax-tax
}

// remove takes pieces off a line, and the line away where none is left. A till names the line, or the sku where no
// other line has it.
func (c *edit) remove(s *Simulation, n int, quantity domain.Decimal) {
	o := c.order
	l := &o.lines[n]
	c.LinesRemoved = append(c.LinesRemoved, s.removed(o, n, quantity))
	net, tax := o.takeOff(l, quantity)
	c.net, c.tax = c.net+net, c.tax+tax
	if l.Quantity == 0 {
		o.lines = slices.Delete(o.lines, n, n+1)
	}
}

func (s *Simulation) removed(o *order, n int, quantity domain.Decimal) domain.RemovedLine {
	l := &o.lines[n]
	same := 0
	for i := range o.lines {
		if o.lines[i].SKU == l.SKU {
			same++
		}
	}
	if same == 1 && s.chance(30) {
		return domain.RemovedLine{SKU: l.SKU, Quantity: quantity}
	}
	return domain.RemovedLine{LineID: l.LineID, Quantity: quantity}
}

// takeOff makes a line smaller and returns what it was worth, in whole cents, rounded down. The rest of the line keeps
// no more than there is, so that nobody is ever paid back more than was paid.
func (o *order) takeOff(l *domain.OrderLine, quantity domain.Decimal) (net, tax domain.Decimal) {
	o.changed = true
	if quantity == l.Quantity {
		net, tax, _ = worth(l)
		l.Quantity = 0
		return net, tax
	}
	all, _, _ := worth(l)
	net, tax = portion(all, quantity, l.Quantity), portion(l.Tax, quantity, l.Quantity)
	left := l.Quantity - quantity
	l.Tax = portion(l.Tax, left, l.Quantity)
	l.Discount = left/one*l.UnitPrice - portion(all, left, l.Quantity)
	l.Quantity = left
	return net, tax
}

// lineToTake is a line that can be spared: the last one of goods, but the first only in part. False where there is
// none, and where empties were set off against the goods: those must go on covering them.
func (o *order) lineToTake() (n int, quantity domain.Decimal, some bool) {
	if o.lines[len(o.lines)-1].Quantity < 0 {
		return 0, 0, false
	}
	for n = len(o.lines) - 1; n > 0; n-- {
		if o.lines[n].Kind == "" {
			return n, o.lines[n].Quantity, true
		}
	}
	return 0, one, o.lines[0].Quantity > one
}

// nextLineID is one that no line of the order has had.
func (o *order) nextLineID() string {
	highest := 0
	for i := range o.lines {
		for n, id := range lineIDs {
			if o.lines[i].LineID == id {
				highest = max(highest, n)
			}
		}
	}
	return lineIDs[max(highest+1, len(o.placed.Lines))]
}

// editedByCustomer is somebody who calls before the goods leave: one part less, one more, or another one.
func (s *Simulation) editedByCustomer(o *order, at int64) {
	at += s.between(time.Minute, max(time.Duration(o.arrived-at)/2, 2*time.Minute))
	c := s.edit(o, "customer", oneOf(s, "counted again", "wrong part chosen", "one more"))
	n, quantity, some := o.lineToTake()
	if some && s.chance(70) {
		c.remove(s, n, quantity)
	}
	if len(c.LinesRemoved) == 0 || s.chance(25) {
		var l domain.OrderLine
		s.goodsLine(&l, o.nextLineID(), s.random.IntN(len(s.world.items)), 1)
		c.add(l)
	}
	if s.chance(15) {
		s.movePromise(c, s.between(time.Hour, 24*time.Hour))
	}
	o.edited, o.arrived = at, max(o.arrived, at+int64(time.Minute))
	s.tellEdit(c, at)
}

// movePromise agrees on another time with the customer.
func (s *Simulation) movePromise(c *edit, by int64) {
	o := c.order
	o.until += by - by%int64(time.Minute)
	c.Promise.Until = time.Unix(0, o.until).In(s.zone)
}

// editedByBusiness is an item that isn't there, though the order was taken: another size for it, or less.
func (s *Simulation) editedByBusiness(o *order, at int64) {
	at += s.between(time.Minute, max(time.Duration(o.arrived-at)/2, 2*time.Minute))
	c := s.edit(o, "business", "out of stock")
	n, quantity, some := o.lineToTake()
	if some && s.chance(60) {
		c.remove(s, n, quantity)
	} else { // the other size for all of the first line
		pieces := o.lines[0].Quantity
		id := o.nextLineID()
		c.remove(s, 0, pieces)
		o.item = otherSize(o.item)
		var l domain.OrderLine
		s.goodsLine(&l, id, o.item, pieces/one)
		c.add(l)
		last := len(o.lines) - 1 // it comes first: it is what a case would be about
		o.lines[0], o.lines[last] = o.lines[last], o.lines[0]
	}
	o.edited, o.arrived = at, max(o.arrived, at+int64(time.Minute))
	s.tellEdit(c, at)
}

// tellEdit tells a change, and often the way back of money that is left over.
func (s *Simulation) tellEdit(c *edit, at int64) {
	o := c.order
	s.tellOf(o, at, "", domain.TypeOrderChanged, c.OrderChanged)
	if c.net > 0 && c.tax >= 0 && s.chance(60) {
		s.moneyBack(o, at, c.net, c.tax)
	}
}

// partCancelled cancels a line, or some of it, by order.cancelled: what tills did before they could edit.
func (s *Simulation) partCancelled(o *order, at int64) {
	n, quantity, some := o.lineToTake()
	if !some {
		return
	}
	at += s.between(time.Minute, max(time.Duration(o.arrived-at)/2, 2*time.Minute))
	o.lines = slices.Clone(o.lines)
	l := &o.lines[n]
	d := &domain.OrderCancelled{
		By: oneOf(s, "customer", "customer", "business"), Reason: "line cancelled",
		ChangeID: o.id + "-g" + strconv.FormatUint(o.till.events, 10),
		Lines:    []domain.RemovedLine{s.removed(o, n, quantity)},
	}
	whole := quantity == l.Quantity
	_, _, cost := worth(l)
	net, tax := o.takeOff(l, quantity)
	if whole {
		o.lines = slices.Delete(o.lines, n, n+1)
		if s.chance(50) {
			d.Net, d.Tax, d.Cost = domain.Some(net), domain.Some(tax), domain.Some(cost)
		}
	}
	o.edited, o.arrived = at, max(o.arrived, at+int64(time.Minute))
	s.tellOf(o, at, "", domain.TypeOrderCancelled, d)
	if s.chance(60) {
		s.moneyBack(o, at, net, tax)
	}
}
