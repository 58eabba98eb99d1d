package wire

import "github.com/makegood/makegood/domain"

// The stream errors, as in the contract's §3.

var errorLine = object(
	id("sku", required, func(l *domain.ErrorLine) *string { return &l.SKU }),
	amount("quantity", required, func(l *domain.ErrorLine) *domain.Decimal { return &l.Quantity }),
	maybe("unit_cost", unitDecimals, func(l *domain.ErrorLine) *domain.Optional { return &l.UnitCost }),
	id("received_sku", optional, func(l *domain.ErrorLine) *string { return &l.ReceivedSKU }),
	maybe("received_quantity", amountDecimals, func(l *domain.ErrorLine) *domain.Optional { return &l.ReceivedQuantity }),
	maybe("received_unit_cost", unitDecimals, func(l *domain.ErrorLine) *domain.Optional { return &l.ReceivedUnitCost }),
)

var experiment = object(
	id("name", required, func(e *domain.Experiment) *string { return &e.Name }),
	id("arm", required, func(e *domain.Experiment) *string { return &e.Arm }),
)

var _ = event(object(
	orderID[domain.ErrorReported](optional),
	storeID[domain.ErrorReported](optional),
	errorID[domain.ErrorReported](required),
	word("kind", required, domain.Kinds(), func(r *domain.ErrorReported) *string { return &r.Kind }),
	word("found", required, domain.FoundWhen(), func(r *domain.ErrorReported) *string { return &r.Found }),
	word("detected_by", required, domain.Detectors(), func(r *domain.ErrorReported) *string { return &r.DetectedBy }),
	word("party_at_fault", optional, domain.Parties(), func(r *domain.ErrorReported) *string { return &r.PartyAtFault }),
	id("vendor_id", optional, func(r *domain.ErrorReported) *string { return &r.VendorID }),
	person("employee_id", Employee, func(r *domain.ErrorReported) *string { return &r.EmployeeID }),
	word("root_cause", optional, domain.RootCauses(), func(r *domain.ErrorReported) *string { return &r.RootCause }),
	truth("avoidable", func(r *domain.ErrorReported) *domain.Truth { return &r.Avoidable }),
	word("severity", optional, domain.Severities(), func(r *domain.ErrorReported) *string { return &r.Severity }),
	currency[domain.ErrorReported](optional),
	list("lines", optional, errorLine,
		func(r *domain.ErrorReported) *[]domain.ErrorLine { return &r.Lines },
		func(s *store) *[]domain.ErrorLine { return &s.errorLines }),
	nested("experiment", optional, experiment, func(r *domain.ErrorReported) *domain.Experiment { return &r.Experiment }),
).checked(func(d *Decoder, r *domain.ErrorReported) {
	d.checkCase()
	e := &d.envelope.Event
	if e.OrderID == "" && r.Found != domain.FoundBeforeDelivery {
		d.failAt("order_id", CodeRequired, "order_id is required: only a case found %s can be without an order",
			domain.FoundBeforeDelivery)
	}
	if e.Currency != "" {
		return
	}
	for i := range r.Lines {
		if l := &r.Lines[i]; l.UnitCost.Set || l.ReceivedUnitCost.Set {
			d.failAt("currency", CodeRequired, "currency is required where a line has a cost")
			return
		}
	}
}, ofStore, when(is("found", domain.FoundAfterDelivery), said("order_id")), when(hasCost, said("currency"))))

// hasCost is a list with a line that says what it cost.
var hasCost = JSON{"required": []string{"lines"}, "properties": JSON{"lines": JSON{
	"type": "array", "contains": JSON{"anyOf": []any{said("unit_cost"), said("received_unit_cost")}},
}}}

var _ = event(object(
	orderID[domain.ErrorClassified](optional),
	storeID[domain.ErrorClassified](optional),
	errorID[domain.ErrorClassified](required),
	word("kind", optional, domain.Kinds(), func(c *domain.ErrorClassified) *string { return &c.Kind }),
	word("root_cause", optional, domain.RootCauses(), func(c *domain.ErrorClassified) *string { return &c.RootCause }),
	word("party_at_fault", optional, domain.Parties(), func(c *domain.ErrorClassified) *string { return &c.PartyAtFault }),
	id("vendor_id", optional, func(c *domain.ErrorClassified) *string { return &c.VendorID }),
	person("employee_id", Employee, func(c *domain.ErrorClassified) *string { return &c.EmployeeID }),
	truth("avoidable", func(c *domain.ErrorClassified) *domain.Truth { return &c.Avoidable }),
	word("severity", optional, domain.Severities(), func(c *domain.ErrorClassified) *string { return &c.Severity }),
	id("same_as", optional, func(c *domain.ErrorClassified) *string { return &c.SameAs }).
		described("The error_id of another case, which this one is a part of."),
).checked(func(d *Decoder, c *domain.ErrorClassified) {
	d.checkCase()
	if c.SameAs == d.envelope.Event.ErrorID {
		d.failAt("same_as", CodeNotAllowed, "same_as names another case, and this is %s itself", quote(c.SameAs))
	}
}, ofStore))

var _ = event(object(
	orderID[domain.ErrorRejected](optional),
	storeID[domain.ErrorRejected](optional),
	errorID[domain.ErrorRejected](required),
	text("reason", required, func(r *domain.ErrorRejected) *string { return &r.Reason }),
).checked(caseBound[domain.ErrorRejected], ofStore))

var goodsLine = object(
	id("sku", required, func(l *domain.GoodsLine) *string { return &l.SKU }),
	amount("quantity", required, func(l *domain.GoodsLine) *domain.Decimal { return &l.Quantity }),
	maybe("unit_cost", unitDecimals, func(l *domain.GoodsLine) *domain.Optional { return &l.UnitCost }),
)

var _ = event(object(
	orderID[domain.GoodsScrapped](optional),
	storeID[domain.GoodsScrapped](optional),
	errorID[domain.GoodsScrapped](required),
	id("scrap_id", optional, func(g *domain.GoodsScrapped) *string { return &g.ScrapID }),
	currency[domain.GoodsScrapped](required),
	text("reason", optional, func(g *domain.GoodsScrapped) *string { return &g.Reason }),
	list("lines", required, goodsLine,
		func(g *domain.GoodsScrapped) *[]domain.GoodsLine { return &g.Lines },
		func(s *store) *[]domain.GoodsLine { return &s.goodsLines }),
).checked(caseBound[domain.GoodsScrapped], ofStore))

// ofStore: what has an order says which store's.
var ofStore = when(said("order_id"), said("store_id"))

// ofOrderOrCase: what names no order names a case.
var ofOrderOrCase = either(said("order_id"), said("store_id"), said("error_id"))

func caseBound[T any](d *Decoder, _ *T) { d.checkCase() }

// checkCase: what is about a fix belongs to an order and says which store's, except for a case that was found in the
// stockroom before there was any order: then its subject is the case.
func (d *Decoder) checkCase() {
	e := &d.envelope.Event
	switch {
	case e.OrderID == "" && e.ErrorID == "":
		d.failAt("order_id", CodeRequired, "order_id is required where there is no error_id")
	case e.OrderID == "" && e.ErrorID == d.subject:
	case e.OrderID == "":
		d.failAt("order_id", CodeRequired, "order_id is required where subject isn't the error_id of a case without an order")
	case e.StoreID == "":
		d.failAt("store_id", CodeRequired, "store_id is required")
	default:
		d.checkSubject(e.OrderID, "order_id")
	}
}
