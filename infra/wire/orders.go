package wire

import (
	"time"

	"github.com/makegood/makegood/domain"
)

// The stream orders, as in the contract's §3.

var orderLine = object(
	id("line_id", required, func(l *domain.OrderLine) *string { return &l.LineID }),
	id("sku", required, func(l *domain.OrderLine) *string { return &l.SKU }),
	id("vendor_id", optional, func(l *domain.OrderLine) *string { return &l.VendorID }),
	amount("quantity", required, func(l *domain.OrderLine) *domain.Decimal { return &l.Quantity }),
	unit("unit_price", required, func(l *domain.OrderLine) *domain.Decimal { return &l.UnitPrice }),
	amount("discount", optional, func(l *domain.OrderLine) *domain.Decimal { return &l.Discount }),
	amount("tax", optional, func(l *domain.OrderLine) *domain.Decimal { return &l.Tax }),
	maybe("unit_cost", unitDecimals, func(l *domain.OrderLine) *domain.Optional { return &l.UnitCost }),
)

var promise = object(
	moment("from", optional, timesOnly, func(p *domain.Promise) *time.Time { return &p.From }),
	moment("until", optional, timesOnly, func(p *domain.Promise) *time.Time { return &p.Until }),
)

var orderPlaced = object(
	orderID[domain.OrderPlaced](required),
	storeID[domain.OrderPlaced](required),
	id("customer_id", optional, func(o *domain.OrderPlaced) *string { return &o.CustomerID }),
	text("channel", optional, func(o *domain.OrderPlaced) *string { return &o.Channel }),
	id("employee_id", optional, func(o *domain.OrderPlaced) *string { return &o.EmployeeID }),
	currency[domain.OrderPlaced](required),
	list("lines", required, orderLine,
		func(o *domain.OrderPlaced) *[]domain.OrderLine { return &o.Lines },
		func(s *store) *[]domain.OrderLine { return &s.orderLines }),
	amount("delivery_fee", optional, func(o *domain.OrderPlaced) *domain.Decimal { return &o.DeliveryFee }),
	amount("delivery_tax", optional, func(o *domain.OrderPlaced) *domain.Decimal { return &o.DeliveryTax }),
	amount("payment_fee", optional, func(o *domain.OrderPlaced) *domain.Decimal { return &o.PaymentFee }),
	nested("promise", optional, promise, func(o *domain.OrderPlaced) *domain.Promise { return &o.Promise }),
).checked(orderBound[domain.OrderPlaced])

var promiseChanged = object(
	orderID[domain.PromiseChanged](required),
	storeID[domain.PromiseChanged](required),
	nested("promise", required, promise, func(p *domain.PromiseChanged) *domain.Promise { return &p.Promise }),
	flag("agreed_with_customer", func(p *domain.PromiseChanged) *bool { return &p.AgreedWithCustomer }),
).checked(orderBound[domain.PromiseChanged])

var deliveredLine = object(
	id("sku", required, func(l *domain.DeliveredLine) *string { return &l.SKU }),
	amount("quantity", required, func(l *domain.DeliveredLine) *domain.Decimal { return &l.Quantity }),
	condition,
)

// condition is good where it isn't said.
var condition = field[domain.DeliveredLine]{
	name: "condition",
	read: func(d *Decoder, l *domain.DeliveredLine) uint64 {
		s := d.word(conditions)
		if l.Damaged = s == damaged; !l.Damaged {
			return 0
		}
		return hashText(s)
	},
	write: func(b []byte, _ *domain.Event, l *domain.DeliveredLine) []byte {
		if !l.Damaged {
			return b
		}
		return appendString(b, damaged)
	},
}

const damaged = "damaged"

var deliveredAt = func(o *domain.OrderDelivered) *time.Time { return &o.DeliveredAt }

var orderDelivered = object(
	orderID[domain.OrderDelivered](required),
	storeID[domain.OrderDelivered](required),
	moment("delivered_at", optional, timesOnly, deliveredAt).exceptTimeOfEvent(deliveredAt),
	list("lines", optional, deliveredLine,
		func(o *domain.OrderDelivered) *[]domain.DeliveredLine { return &o.Lines },
		func(s *store) *[]domain.DeliveredLine { return &s.deliveredLines }),
	truth("documents_ok", func(o *domain.OrderDelivered) *domain.Truth { return &o.DocumentsOK }),
).checked(orderBound[domain.OrderDelivered])

// exceptTimeOfEvent lets a moment count for the content only where it isn't what it is when left out: the event's time.
func (f field[T]) exceptTimeOfEvent(at func(*T) *time.Time) field[T] {
	read := f.read
	f.read = func(d *Decoder, t *T) uint64 {
		hash := read(d, t)
		if at(t).Equal(d.envelope.Event.Time) {
			return 0
		}
		return hash
	}
	return f
}

var orderCancelled = object(
	orderID[domain.OrderCancelled](required),
	storeID[domain.OrderCancelled](required),
	word("by", required, cancellers, func(o *domain.OrderCancelled) *string { return &o.By }),
	text("reason", optional, func(o *domain.OrderCancelled) *string { return &o.Reason }),
	currency[domain.OrderCancelled](required),
	maybe("net", amountDecimals, func(o *domain.OrderCancelled) *domain.Optional { return &o.Net }),
	maybe("tax", amountDecimals, func(o *domain.OrderCancelled) *domain.Optional { return &o.Tax }),
	maybe("cost", amountDecimals, func(o *domain.OrderCancelled) *domain.Optional { return &o.Cost }),
).checked(orderBound[domain.OrderCancelled])

var feedbackReceived = object(
	orderID[domain.FeedbackReceived](required),
	storeID[domain.FeedbackReceived](required),
	rating,
	flag("public", func(f *domain.FeedbackReceived) *bool { return &f.Public }),
	text("channel", optional, func(f *domain.FeedbackReceived) *string { return &f.Channel }),
	id("customer_id", optional, func(f *domain.FeedbackReceived) *string { return &f.CustomerID }),
).checked(orderBound[domain.FeedbackReceived])

var rating = field[domain.FeedbackReceived]{
	name: "rating", need: required,
	read: func(d *Decoder, f *domain.FeedbackReceived) uint64 {
		const worst, best = 1, 5
		n := d.whole(worst, best)
		f.Rating = int(n)
		return hashNumber(domain.Decimal(n) * millionths)
	},
	write: func(b []byte, _ *domain.Event, f *domain.FeedbackReceived) []byte {
		return domain.Decimal(int64(f.Rating) * int64(millionths)).Append(b)
	},
}

// orderBound: the subject of what belongs to an order is the order.
func orderBound[T any](d *Decoder, _ *T) { d.checkSubject(d.envelope.Event.OrderID, "order_id") }

var (
	conditions = []string{"good", damaged}
	cancellers = []string{"customer", "business"}
)
