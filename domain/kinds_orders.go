package domain

import (
	"slices"
	"time"
)

// The stream orders: what a customer was promised, and how the order went.

const (
	TypeOrderPlaced Type = iota + firstOrders
	TypePromiseChanged
	TypeOrderDelivered
	TypeOrderCancelled
	TypeOrderChanged
	TypeOrderCharged
	TypeFeedbackReceived
)

var orderKinds = []kind{
	{TypeOrderPlaced, "order.placed", Orders, PostsAlone, []Data{
		&OrderPlaced{Lines: probeLines[:1], DeliveryFee: probeB, DeliveryTax: 410_000, PaymentFee: probeC},
		&OrderPlaced{Lines: probeLines},
		&OrderPlaced{Lines: probeKinds, DeliveryCost: probeA, Commission: probeB,
			Tenders: []Tender{{Method: MethodGiftCard, Amount: probeC}}},
	}},
	{TypePromiseChanged, "order.promise_changed", Orders, PostsNothing, []Data{
		&PromiseChanged{AgreedWithCustomer: true},
	}},
	{TypeOrderDelivered, "order.delivered", Orders, PostsNothing, []Data{
		&OrderDelivered{Lines: []DeliveredLine{{SKU: "known", Quantity: probeB, Damaged: true}}},
	}},
	{TypeOrderCancelled, "order.cancelled", Orders, PostsSettled, []Data{
		&OrderCancelled{By: ByCustomer, Net: Some(probeA), Tax: Some(probeB), Cost: Some(probeC)},
		&OrderCancelled{By: ByBusiness, Net: Some(probeA), Tax: Some(probeB), Cost: Some(probeC)},
		&OrderCancelled{By: ByBusiness, Lines: probeRemoved},
	}},
	{TypeOrderChanged, "order.changed", Orders, PostsSettled, []Data{
		&OrderChanged{By: ByCustomer, LinesAdded: probeLines, LinesRemoved: probeRemoved},
		&OrderChanged{By: ByBusiness, LinesAdded: probeLines, LinesRemoved: probeRemoved},
	}},
	{TypeOrderCharged, "order.charged", Orders, PostsSettled, slices.Concat(
		[]Data{
			&OrderCharged{ChargeID: "credit", Kind: ChargeDelivery, Amount: probeA, Credit: true},
		},
		probeEach(ChargeKinds(), func(kind string) Data { return &OrderCharged{ChargeID: kind, Kind: kind, Amount: probeA} }),
	)},
	{TypeFeedbackReceived, "feedback.received", Orders, PostsNothing, []Data{
		&FeedbackReceived{Rating: 1},
	}},
}

// OrderPlaced is what a customer was promised, at a price, by a time.
type OrderPlaced struct {
	CustomerID, Channel, EmployeeID      string
	Lines                                []OrderLine
	DeliveryFee, DeliveryTax, PaymentFee Decimal
	DeliveryCost                         Decimal // what the carrier of the first delivery bills
	Commission                           Decimal // what a marketplace keeps
	Tenders                              []Tender
	Promise                              Promise
}

func (*OrderPlaced) data() Type { return TypeOrderPlaced }

// Tender is one way in which an order was paid: Method is card, cash, gift_card, invoice or other. The tenders of an
// order sum to its total, tax included.
type Tender struct {
	Method string
	Amount Decimal
}

// OrderLine is one line of an order. UnitPrice and Discount (whole line) are net of tax; Tax is for the whole line.
// Kind is goods, service, gift_card, tip or deposit; empty is goods. Only goods have a cost, only a deposit may have a
// quantity below zero (empties brought back).
type OrderLine struct {
	LineID, SKU, VendorID, Kind        string
	Quantity, UnitPrice, Discount, Tax Decimal
	UnitCost                           Optional
	Components                         []Component // of a kit; a delivery of all of them delivers the line
}

// Component is how many pieces of a sku are in one piece of a kit.
type Component struct {
	SKU      string
	Quantity Decimal
}

// PromiseChanged moves the promise; it binds only where the customer agreed.
type PromiseChanged struct {
	Promise            Promise
	AgreedWithCustomer bool
}

func (*PromiseChanged) data() Type { return TypePromiseChanged }

// OrderDelivered says when and what arrived. Zero DeliveredAt: at the event's time.
type OrderDelivered struct {
	DeliveredAt time.Time
	Lines       []DeliveredLine
	DocumentsOK Truth
}

func (*OrderDelivered) data() Type { return TypeOrderDelivered }

// DeliveredLine is what arrived of one sku.
type DeliveredLine struct {
	SKU      string
	Quantity Decimal
	Damaged  bool
}

// OrderCancelled undoes (part of) a sale, by "customer" or "business". With Lines it cancels those. Net and Tax are
// what the customer gets back, Cost what the goods cost that stay; what is not said is as the order booked it.
type OrderCancelled struct {
	ChangeID, By, Reason string
	Net, Tax, Cost       Optional
	Lines                []RemovedLine
}

func (*OrderCancelled) data() Type           { return TypeOrderCancelled }
func (d *OrderCancelled) businessID() string { return d.ChangeID }
func (d *OrderCancelled) saidTax() Decimal   { return d.Tax.Value }

// OrderChanged edits an order, by "customer" or "business". A zero Promise leaves the promise as it is.
type OrderChanged struct {
	ChangeID, By, Reason string
	LinesAdded           []OrderLine
	LinesRemoved         []RemovedLine
	Promise              Promise
}

func (*OrderChanged) data() Type           { return TypeOrderChanged }
func (d *OrderChanged) businessID() string { return d.ChangeID }

// RemovedLine takes some of a line off an order. The line is named by its LineID, else by its SKU.
type RemovedLine struct {
	LineID, SKU string
	Quantity    Decimal
}

// OrderCharged is what an order costs beside its goods: Kind delivery, commission, payment_fee, packaging or other.
// Credit: it is given back.
type OrderCharged struct {
	ChargeID, Kind string
	Amount         Decimal
	Credit         bool
}

func (*OrderCharged) data() Type           { return TypeOrderCharged }
func (d *OrderCharged) businessID() string { return d.ChargeID }

func (d *OrderCharged) post(v *view, i int32) { v.charged(i, d) }

// FeedbackReceived is what the customer said, 1 to 5.
type FeedbackReceived struct {
	Rating              int
	Public              bool
	Channel, CustomerID string
}

func (*FeedbackReceived) data() Type { return TypeFeedbackReceived }
