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
	lineKind,
	signedAmount("quantity", required, func(l *domain.OrderLine) *domain.Decimal { return &l.Quantity }).
		described("Below zero only of a deposit: empties brought back."),
	unit("unit_price", required, func(l *domain.OrderLine) *domain.Decimal { return &l.UnitPrice }).
		described("Net of tax."),
	amount("discount", optional, func(l *domain.OrderLine) *domain.Decimal { return &l.Discount }).
		described("Net, for the whole line, and not above it."),
	signedAmount("tax", optional, func(l *domain.OrderLine) *domain.Decimal { return &l.Tax }).
		described("For the whole line. Below zero where the quantity is."),
	maybe("unit_cost", unitDecimals, func(l *domain.OrderLine) *domain.Optional { return &l.UnitCost }),
	sublist("components", component,
		func(l *domain.OrderLine) *[]domain.Component { return &l.Components },
		func(s *store) *[]domain.Component { return &s.components }).
		described("What is in one piece of a kit."),
).checked(func(d *Decoder, l *domain.OrderLine) {
	isGoods := l.Kind == ""
	switch {
	case l.Quantity < 0 && l.Kind != domain.LineDeposit:
		d.failAt("quantity", CodeNegative, "%s is below zero: only a %s brings something back", l.Quantity,
			domain.LineDeposit)
	case l.Tax < 0 && l.Quantity >= 0:
		d.failAt("tax", CodeNegative, "%s is below zero, and the quantity isn't", l.Tax)
	case !isGoods && l.UnitCost.Set:
		d.failAt("unit_cost", CodeNotAllowed, "a %s has no cost: only goods have", l.Kind)
	case !isGoods && len(l.Components) > 0:
		d.failAt("components", CodeNotAllowed, "a %s has no components: only goods have", l.Kind)
	case l.DiscountAboveLine():
		d.failAt("discount", CodeDiscountAboveLine, "%s is more than the line's %s × %s", l.Discount, l.Quantity,
			l.UnitPrice)
	}
},
	either(is("kind", domain.LineDeposit), JSON{}, each(JSON{"quantity": ref("amount"), "tax": orNull(ref("amount"))})),
	either(each(JSON{"kind": oneOrNone(domain.LineGoods)}), JSON{}, each(JSON{
		"unit_cost": JSON{"type": "null"}, "components": JSON{"type": []string{"array", "null"}, "maxItems": 0},
	})),
)

var component = object(
	id("sku", required, func(c *domain.Component) *string { return &c.SKU }),
	amount("quantity", required, func(c *domain.Component) *domain.Decimal { return &c.Quantity }),
)

// lineKind is goods where it isn't said, and goods are kept as if it weren't.
var lineKind = field[domain.OrderLine]{
	name: "kind", schema: oneOf(lineKinds),
	read: func(d *Decoder, l *domain.OrderLine) uint64 {
		if l.Kind = d.word(lineKinds); l.Kind == domain.LineGoods {
			l.Kind = ""
		}
		return hashText(l.Kind)
	},
	write: writeString(optional, func(l *domain.OrderLine) *string { return &l.Kind }),
}

var tender = object(
	word("method", required, domain.TenderMethods(), func(t *domain.Tender) *string { return &t.Method }),
	amount("amount", required, func(t *domain.Tender) *domain.Decimal { return &t.Amount }),
)

var removedLine = object(
	id("line_id", optional, func(l *domain.RemovedLine) *string { return &l.LineID }),
	id("sku", optional, func(l *domain.RemovedLine) *string { return &l.SKU }),
	amount("quantity", required, func(l *domain.RemovedLine) *domain.Decimal { return &l.Quantity }),
).checked(func(d *Decoder, l *domain.RemovedLine) {
	if l.LineID == "" && l.SKU == "" {
		d.failAt("line_id", CodeRequired, "line_id is required, or else sku: which line is it?")
	}
}, JSON{"anyOf": []any{said("line_id"), said("sku")}})

var promise = object(
	moment("from", optional, timesOnly, func(p *domain.Promise) *time.Time { return &p.From }),
	moment("until", optional, timesOnly, func(p *domain.Promise) *time.Time { return &p.Until }),
)

var _ = event(object(
	orderID[domain.OrderPlaced](required),
	storeID[domain.OrderPlaced](required),
	person("customer_id", Customer, func(o *domain.OrderPlaced) *string { return &o.CustomerID }),
	text("channel", optional, func(o *domain.OrderPlaced) *string { return &o.Channel }),
	person("employee_id", Employee, func(o *domain.OrderPlaced) *string { return &o.EmployeeID }),
	currency[domain.OrderPlaced](required),
	list("lines", required, orderLine,
		func(o *domain.OrderPlaced) *[]domain.OrderLine { return &o.Lines },
		func(s *store) *[]domain.OrderLine { return &s.orderLines }),
	amount("delivery_fee", optional, func(o *domain.OrderPlaced) *domain.Decimal { return &o.DeliveryFee }),
	amount("delivery_tax", optional, func(o *domain.OrderPlaced) *domain.Decimal { return &o.DeliveryTax }),
	amount("payment_fee", optional, func(o *domain.OrderPlaced) *domain.Decimal { return &o.PaymentFee }),
	amount("delivery_cost", optional, func(o *domain.OrderPlaced) *domain.Decimal { return &o.DeliveryCost }).
		described("What the carrier of the first delivery bills."),
	amount("commission", optional, func(o *domain.OrderPlaced) *domain.Decimal { return &o.Commission }).
		described("What a marketplace keeps."),
	list("tenders", optional, tender,
		func(o *domain.OrderPlaced) *[]domain.Tender { return &o.Tenders },
		func(s *store) *[]domain.Tender { return &s.tenders }).
		described("How it was paid. They sum to the order's total, tax included."),
	nested("promise", optional, promise, func(o *domain.OrderPlaced) *domain.Promise { return &o.Promise }),
).checked(func(d *Decoder, o *domain.OrderPlaced) {
	orderBound(d, o)
	d.checkTenders(o)
}))

// checkTenders holds what was paid against the order's total, tax included. Prices net of tax have more decimals than
// money has: where the total isn't whole in the currency's smallest unit, tenders may be the total rounded to that.
func (d *Decoder) checkTenders(o *domain.OrderPlaced) {
	if len(o.Tenders) == 0 {
		return
	}
	var paid domain.Decimal
	for _, t := range o.Tenders {
		if paid += t.Amount; paid > domain.MaxDecimal {
			d.failAt("tenders", CodeTooLarge, "together they are above %s", domain.MaxDecimal)
			return
		}
	}
	total, err := o.Total()
	if err != nil {
		d.failAt("tenders", CodeTooLarge, "%v", err)
		return
	}
	off := domain.Amount(paid/perAmount) - total
	if unit := domain.SmallestUnit(d.envelope.Event.Currency); off != 0 &&
		(domain.Amount(paid/perAmount)%unit != 0 || 2*max(off, -off) > unit) {
		d.failAt("tenders", CodeTendersMismatch, "they sum to %s, and the order's total is %s", paid, total)
	}
}

// perAmount is how many millionths an Amount counts.
const perAmount = 100

var _ = event(object(
	orderID[domain.PromiseChanged](required),
	storeID[domain.PromiseChanged](required),
	nested("promise", required, promise, func(p *domain.PromiseChanged) *domain.Promise { return &p.Promise }),
	flag("agreed_with_customer", func(p *domain.PromiseChanged) *bool { return &p.AgreedWithCustomer }),
).checked(orderBound[domain.PromiseChanged]))

var deliveredLine = object(
	id("sku", required, func(l *domain.DeliveredLine) *string { return &l.SKU }),
	amount("quantity", required, func(l *domain.DeliveredLine) *domain.Decimal { return &l.Quantity }),
	condition,
)

// condition is good where it isn't said.
var condition = field[domain.DeliveredLine]{
	name: "condition", schema: oneOf(conditions),
	read: func(d *Decoder, l *domain.DeliveredLine) uint64 {
		s := d.word(conditions)
		if l.Damaged = s == domain.ConditionDamaged; !l.Damaged {
			return 0
		}
		return hashText(s)
	},
	write: func(b []byte, _ *domain.Event, l *domain.DeliveredLine) []byte {
		if !l.Damaged {
			return b
		}
		return appendString(b, domain.ConditionDamaged)
	},
}

var deliveredAt = func(o *domain.OrderDelivered) *time.Time { return &o.DeliveredAt }

var _ = event(object(
	orderID[domain.OrderDelivered](required),
	storeID[domain.OrderDelivered](required),
	moment("delivered_at", optional, timesOnly, deliveredAt).exceptTimeOfEvent(deliveredAt).
		described("Where it isn't the event's time."),
	list("lines", optional, deliveredLine,
		func(o *domain.OrderDelivered) *[]domain.DeliveredLine { return &o.Lines },
		func(s *store) *[]domain.DeliveredLine { return &s.deliveredLines }),
	truth("documents_ok", func(o *domain.OrderDelivered) *domain.Truth { return &o.DocumentsOK }),
).checked(orderBound[domain.OrderDelivered]))

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

var _ = event(object(
	orderID[domain.OrderCancelled](required),
	storeID[domain.OrderCancelled](required),
	id("change_id", optional, func(o *domain.OrderCancelled) *string { return &o.ChangeID }),
	word("by", required, domain.Changers(), func(o *domain.OrderCancelled) *string { return &o.By }),
	text("reason", optional, func(o *domain.OrderCancelled) *string { return &o.Reason }),
	currency[domain.OrderCancelled](required),
	maybe("net", amountDecimals, func(o *domain.OrderCancelled) *domain.Optional { return &o.Net }),
	maybe("tax", amountDecimals, func(o *domain.OrderCancelled) *domain.Optional { return &o.Tax }),
	maybe("cost", amountDecimals, func(o *domain.OrderCancelled) *domain.Optional { return &o.Cost }),
	list("lines", optional, removedLine,
		func(o *domain.OrderCancelled) *[]domain.RemovedLine { return &o.Lines },
		func(s *store) *[]domain.RemovedLine { return &s.removedLines }),
).checked(orderBound[domain.OrderCancelled]))

var _ = event(object(
	orderID[domain.OrderChanged](required),
	storeID[domain.OrderChanged](required),
	id("change_id", optional, func(o *domain.OrderChanged) *string { return &o.ChangeID }),
	word("by", required, domain.Changers(), func(o *domain.OrderChanged) *string { return &o.By }),
	text("reason", optional, func(o *domain.OrderChanged) *string { return &o.Reason }),
	currency[domain.OrderChanged](required),
	list("lines_added", optional, orderLine,
		func(o *domain.OrderChanged) *[]domain.OrderLine { return &o.LinesAdded },
		func(s *store) *[]domain.OrderLine { return &s.orderLines }),
	list("lines_removed", optional, removedLine,
		func(o *domain.OrderChanged) *[]domain.RemovedLine { return &o.LinesRemoved },
		func(s *store) *[]domain.RemovedLine { return &s.removedLines }),
	nested("promise", optional, promise, func(o *domain.OrderChanged) *domain.Promise { return &o.Promise }),
).checked(orderBound[domain.OrderChanged]))

var _ = event(object(
	orderID[domain.OrderCharged](required),
	storeID[domain.OrderCharged](required),
	id("charge_id", required, func(o *domain.OrderCharged) *string { return &o.ChargeID }),
	word("kind", required, domain.ChargeKinds(), func(o *domain.OrderCharged) *string { return &o.Kind }),
	currency[domain.OrderCharged](required),
	amount("amount", required, func(o *domain.OrderCharged) *domain.Decimal { return &o.Amount }),
	perhaps("credit", func(o *domain.OrderCharged) *bool { return &o.Credit }).described("It is given back."),
).checked(orderBound[domain.OrderCharged]))

var _ = event(object(
	orderID[domain.FeedbackReceived](required),
	storeID[domain.FeedbackReceived](required),
	rating,
	flag("public", func(f *domain.FeedbackReceived) *bool { return &f.Public }),
	text("channel", optional, func(f *domain.FeedbackReceived) *string { return &f.Channel }),
	person("customer_id", Customer, func(f *domain.FeedbackReceived) *string { return &f.CustomerID }),
).checked(orderBound[domain.FeedbackReceived]))

var rating = field[domain.FeedbackReceived]{
	name: "rating", need: required, schema: JSON{"anyOf": []any{
		JSON{"type": "integer", "minimum": 1, "maximum": 5}, JSON{"type": "string", "pattern": "^[1-5]$"},
	}},
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

// Words of members that every order has: asked for once.
var (
	conditions = domain.Conditions()
	lineKinds  = domain.LineKinds()
)
