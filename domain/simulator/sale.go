package simulator

import (
	"time"

	"github.com/makegood/makegood/domain"
)

// What an order is made of and how it is paid.

const taxPercent = 8

// Of a thousand orders, so many have a line that isn't an ordinary part, and of so many it is said how they were paid.
const (
	extras  = 80
	tenders = 30
)

// The lines of an order are numbered; an order has at most as many as this has.
var lineIDs = [...]string{"1", "2", "3", "4", "5", "6", "7", "8"}

// fillGoods draws the goods and returns what they come to, tax included.
func (s *Simulation) fillGoods(o *order, d *domain.OrderPlaced) (total domain.Decimal) {
	r := s.random
	var count int
	if s.plot == nil {
		count = [10]int{1, 1, 1, 1, 1, 1, 2, 2, 3, 4}[r.IntN(10)]
	} else {
		count = s.plot.drawLines(s, o.visit.fond)
	}
	d.Lines = make([]domain.OrderLine, count)
	for i := range d.Lines {
		n := s.drawItem(o)
		if i == 0 {
			o.item = n
		}
		quantity := domain.Decimal([8]int64{1, 1, 1, 1, 1, 2, 2, 4}[r.IntN(8)])
		l := &d.Lines[i]
		s.goodsLine(l, lineIDs[i], n, quantity)
		if r.Uint32N(20) == 0 {
			l.Discount = share(quantity*l.UnitPrice, 10)
			l.Tax = share(quantity*l.UnitPrice-l.Discount, taxPercent)
		}
		total += quantity*l.UnitPrice - l.Discount + l.Tax
	}
	return total
}

// drawItem is what a line is of: some parts are asked for much more often.
func (s *Simulation) drawItem(o *order) int {
	if s.plot != nil {
		return s.plot.drawItem(s, o.visit.fond)
	}
	x := s.random.Float64()
	return int(x * x * float64(len(s.world.items)))
}

// goodsLine is a line of some pieces of an item at its price, with the tax on it.
func (s *Simulation) goodsLine(l *domain.OrderLine, id string, item int, pieces domain.Decimal) {
	it := &s.world.items[item]
	*l = domain.OrderLine{
		LineID: id, SKU: it.sku, VendorID: s.world.vendors[it.vendor].id, Quantity: pieces * one,
		UnitPrice: it.price, Tax: share(pieces*it.price, taxPercent), UnitCost: domain.Some(it.cost),
	}
}

// fillExtra adds a line that few orders have, and returns what the order then comes to. n is below extras.
func (s *Simulation) fillExtra(d *domain.OrderPlaced, n uint32, total domain.Decimal) domain.Decimal {
	l := domain.OrderLine{LineID: lineIDs[len(d.Lines)], Quantity: one}
	switch {
	case n < 12:
		l.Kind, l.SKU = "gift_card", "gift-card" // no tax: it is due when the card is used
		l.UnitPrice = fromCents(2500 * (1 + s.random.Int64N(4)))
	case n < 22:
		if d.Channel != "counter" {
			return total
		}
		l.Kind, l.SKU, l.UnitPrice = "tip", "tip", fromCents(100+s.random.Int64N(900))
	case n < 37: // an exchange part: its worn core is worth a deposit, and comes back now or later
		l.Kind, l.SKU, l.UnitPrice = "deposit", "core-deposit", fromCents(300+300*s.random.Int64N(4))
		net, tax, _ := worth(&d.Lines[0])
		if s.chance(60) && total-net-tax >= l.UnitPrice { // else a refund of the first line would be more than was paid
			l.Quantity = -one
		}
	case n < 57:
		l.Kind, l.SKU, l.UnitPrice = "service", "fitting", fromCents(2000+s.random.Int64N(6000))
		l.Tax = share(l.UnitPrice, taxPercent)
	default:
		s.kitLine(&l)
	}
	d.Lines = append(d.Lines, l)
	return total + l.Quantity/one*l.UnitPrice + l.Tax
}

// kitLine is two parts sold as one, for a little less than both.
func (s *Simulation) kitLine(l *domain.OrderLine) {
	n := s.random.IntN(len(s.world.items) - 1)
	a, b := &s.world.items[n], &s.world.items[n+1]
	l.SKU, l.VendorID = "KIT-"+a.sku, s.world.vendors[a.vendor].id
	l.Components = []domain.Component{{SKU: a.sku, Quantity: one}, {SKU: b.sku, Quantity: 2 * one}}
	l.UnitPrice = share(a.price+2*b.price, 95)
	l.UnitCost = domain.Some(a.cost + 2*b.cost)
	l.Tax = share(l.UnitPrice, taxPercent)
}

// fillFees adds what comes with an order that isn't handed over the counter, and returns what it then comes to.
func (s *Simulation) fillFees(d *domain.OrderPlaced, total domain.Decimal) domain.Decimal {
	if s.random.Uint32N(3) == 0 {
		d.DeliveryFee, d.DeliveryTax = 7_500_000, 600_000
		total += d.DeliveryFee + d.DeliveryTax
	}
	d.PaymentFee = domain.Decimal((int64(total)/10_000*29+500)/1000)*10_000 + 300_000 // 2.9 % and 0.30
	switch d.Channel {
	case "marketplace":
		d.Commission = share(total, 9)
		d.DeliveryCost = fromCents(390) + share(total, 1)
	case "web":
		d.DeliveryCost = fromCents(450) + share(total, 1)
	}
	return total
}

// fillTenders says how an order was paid, where it wasn't by one card: the tenders sum to its total. n is below
// tenders.
func (s *Simulation) fillTenders(o *order, d *domain.OrderPlaced, n uint32, total domain.Decimal) {
	card := "card"
	if d.Channel == "phone" {
		card = "invoice"
	}
	left := s.world.giftCards[o.store.currency]
	switch {
	case n < 12 && left > 0:
		part := min(left, share(total, 20+s.random.Int64N(81)))
		s.world.giftCards[o.store.currency] = left - part
		d.Tenders = append(make([]domain.Tender, 0, 2), domain.Tender{Method: "gift_card", Amount: part})
		if total > part {
			d.Tenders = append(d.Tenders, domain.Tender{Method: card, Amount: total - part})
		}
	case n < 22 && d.Channel == "counter":
		part := share(total, 10+s.random.Int64N(80))
		d.Tenders = []domain.Tender{{Method: "cash", Amount: part}, {Method: card, Amount: total - part}}
	default:
		d.Tenders = []domain.Tender{{Method: card, Amount: total}}
	}
}

// giftCardSold lets a card pay for later orders.
func (s *Simulation) giftCardSold(o *order, l *domain.OrderLine) {
	if l.Kind == "gift_card" {
		s.world.giftCards[o.store.currency] += l.UnitPrice
	}
}

// charged is what an order costs beside its goods, told by whoever bills it, days later.
func (s *Simulation) charged(o *order) {
	at := o.until + s.between(time.Hour, 12*24*time.Hour)
	d := &domain.OrderCharged{ChargeID: o.id + "-q1"}
	switch n := s.random.Uint32N(20); {
	case n < 8:
		d.Kind, d.Amount = "delivery", fromCents(400+s.random.Int64N(1500))
	case n < 12:
		d.Kind, d.Amount = "packaging", fromCents(80+s.random.Int64N(400))
	case n < 16:
		d.Kind, d.Amount = "commission", fromCents(100+s.random.Int64N(600))
		// The marketplace gives some of its commission back.
		d.Credit = o.placed.Commission > d.Amount
	case n < 18:
		d.Kind, d.Amount = "payment_fee", fromCents(20+s.random.Int64N(80))
		d.Credit = o.placed.PaymentFee > d.Amount
	default:
		d.Kind, d.Amount = "other", fromCents(100+s.random.Int64N(900))
	}
	e := s.tellOf(o, at, "", domain.TypeOrderCharged, d)
	if s.chance(5) { // the bill is read from the post, and from a file
		s.toldAgain(e, s.world.payments, s.between(time.Hour, 24*time.Hour), d)
	}
}

// worth is what a line was sold for and cost.
func worth(l *domain.OrderLine) (net, tax, cost domain.Decimal) {
	quantity := l.Quantity / one
	return quantity*l.UnitPrice - l.Discount, l.Tax, quantity * l.UnitCost.Value
}
