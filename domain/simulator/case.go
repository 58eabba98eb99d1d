package simulator

import (
	"strconv"
	"time"

	"github.com/makegood/makegood/domain"
)

// fix is a case and the moment it has come to.
type fix struct {
	*Simulation
	*order
	errorID string
	at      int64
	parts   int
	kind    string
	cause   cause
	line    *domain.OrderLine // the line that is wrong; nil in the stockroom
	item    int
}

// fail lets an order go wrong and makes it good.
func (s *Simulation) fail(o *order, c cause, placed int64) {
	f := s.open(o, c)
	if c == picking && s.chance(12) {
		f.foundInTime(placed)
		return
	}
	d := s.delivery(o)
	arrives := f.kind != "not_delivered"
	switch f.kind {
	case "wrong_item", "missing_item":
		d.Lines[0].Quantity -= f.wrongQuantity()
		if d.Lines[0].Quantity == 0 {
			if d.Lines = d.Lines[1:]; len(d.Lines) == 0 {
				// Nothing of the order came, but something did: an empty list would say that it isn't known what.
				d.Lines = []domain.DeliveredLine{{SKU: f.received().sku, Quantity: f.wrongQuantity()}}
			}
		}
	case "damaged", "defective":
		d.Lines[0].Damaged = f.kind == "damaged"
	case "late":
		o.arrived = o.until + s.between(time.Hour, 60*time.Hour)
	case "document_error":
		d.DocumentsOK = domain.No
	}
	if arrives {
		s.tellOf(o, o.arrived, "", domain.TypeOrderDelivered, d)
	}
	f.at = max(o.arrived, o.until) + s.between(20*time.Minute, 36*time.Hour)
	if f.kind == "late" {
		f.at = o.until + s.between(10*time.Minute, 50*time.Minute) // nobody waits for it to come to complain
	}
	f.report("after_delivery")
	f.remedy()
	if s.chance(35) {
		s.feedback(o, f.at+s.between(time.Hour, 96*time.Hour), 1+s.random.IntN(4))
	}
}

func (s *Simulation) open(o *order, c cause) *fix {
	s.cases++
	f := &fix{Simulation: s, order: o, cause: c, kind: s.kindOf(c),
		errorID: "e" + s.tag + "-" + strconv.FormatUint(s.cases, 10)}
	if o.placed != nil {
		f.line, f.item = &o.placed.Lines[0], o.items[0]
	}
	return f
}

// part names the next thing that is done for the case.
func (f *fix) part(what string) string {
	f.parts++
	return f.errorID + "-" + what + strconv.Itoa(f.parts)
}

func (f *fix) later(low, high time.Duration) { f.at += f.between(low, high) }

func (f *fix) say(t domain.Type, d domain.Data) *domain.Event {
	return f.tellOf(f.order, f.at, f.errorID, t, d)
}

// received is what came instead: the part in another size.
func (f *fix) received() *item {
	family := f.item / sizesPerFamily * sizesPerFamily
	return &f.world.items[family+(f.item-family+1)%sizesPerFamily]
}

// wrongQuantity is how many of the line are wrong: mostly all of them.
func (f *fix) wrongQuantity() domain.Decimal {
	if f.line.Quantity > 2*one {
		return one
	}
	return f.line.Quantity
}

// goods is what is wrong, as it was sold.
func (f *fix) goods() domain.GoodsLine {
	return domain.GoodsLine{SKU: f.line.SKU, Quantity: f.wrongQuantity(), UnitCost: f.line.UnitCost}
}

// report opens the case. Where it isn't said at once what was behind it, that is found out days later.
func (f *fix) report(found string) {
	known := f.classify(f.cause, f.order)
	d := &domain.ErrorReported{
		Classification: domain.Classification{Kind: f.kind, Severity: known.Severity},
		Found:          found, DetectedBy: oneOf(f.Simulation, "customer", "customer", "customer", "employee", "system"),
	}
	if f.cause == carriage {
		d.DetectedBy = oneOf(f.Simulation, "customer", "carrier")
	}
	if found == "before_delivery" {
		d.DetectedBy = "employee"
	}
	atOnce := f.chance(60)
	if atOnce {
		d.Classification = known
		d.Kind = f.kind
	}
	switch f.kind {
	case "wrong_item", "missing_item", "damaged", "defective", "not_as_described":
		l := domain.ErrorLine{SKU: f.line.SKU, Quantity: f.wrongQuantity(), UnitCost: f.line.UnitCost}
		if f.kind == "wrong_item" {
			it := f.received()
			l.ReceivedSKU, l.ReceivedQuantity, l.ReceivedUnitCost = it.sku, domain.Some(l.Quantity), domain.Some(it.cost)
		}
		d.Lines = []domain.ErrorLine{l}
	}
	f.say(domain.TypeErrorReported, d)
	if !atOnce {
		if f.kind == "unspecified" && f.chance(60) {
			known.Kind = oneOf(f.Simulation, "defective", "not_as_described", "service_conduct")
		}
		f.tellOf(f.order, f.at+f.between(3*time.Hour, 96*time.Hour), f.errorID, domain.TypeErrorClassified,
			&domain.ErrorClassified{Classification: known})
	}
}

// foundInTime is an order whose mistake is seen in the warehouse: cheap, or the end of the order.
func (f *fix) foundInTime(placed int64) {
	f.at = placed + f.between(time.Minute, 20*time.Minute)
	f.kind = "wrong_item"
	// The goods haven't left the house, so there is nothing to post for them: no lines.
	known := f.classify(f.cause, f.order)
	known.Kind = f.kind
	f.say(domain.TypeErrorReported,
		&domain.ErrorReported{Classification: known, Found: "before_delivery", DetectedBy: "employee"})
	f.work(rolePicker, "picked again")
	if f.chance(70) {
		f.delivered(f.order)
		return
	}
	f.later(10*time.Minute, 2*time.Hour)
	d := f.whole()
	d.By, d.Reason = "business", "out of stock: the count was wrong"
	f.tellOf(f.order, f.at, "", domain.TypeOrderCancelled, d)
	f.sorry()
}

// stockCase is stock that turns out to be unfit before anybody ordered it.
func (s *Simulation) stockCase(at int64) {
	shop := &s.world.stores[s.random.IntN(len(s.world.stores))]
	n := s.random.IntN(len(s.world.items))
	it := &s.world.items[n]
	// The bad vendor's goods are found more often.
	for range 2 {
		if it.vendor != badVendor {
			n = s.random.IntN(len(s.world.items))
			it = &s.world.items[n]
		}
	}
	f := s.open(&order{store: shop, till: shop.tills[0]}, supplier)
	f.at = at + s.between(time.Minute, time.Hour)
	f.kind = oneOf(s, "damaged", "defective")
	d := &domain.ErrorReported{Found: "before_delivery", DetectedBy: "employee"}
	d.Kind, d.Severity = f.kind, "minor"
	d.PartyAtFault, d.RootCause = "own", "preparation"
	bought := f.kind == "defective"
	if bought {
		d.PartyAtFault, d.RootCause, d.VendorID = "supplier", "supplier_quality", s.world.vendors[it.vendor].id
	}
	f.say(domain.TypeErrorReported, d)
	f.later(time.Minute, 3*time.Hour)
	lost := domain.GoodsLine{SKU: it.sku, Quantity: domain.Decimal(1+s.random.IntN(4)) * one,
		UnitCost: domain.Some(it.cost)}
	f.say(domain.TypeGoodsScrapped, &domain.GoodsScrapped{Reason: f.kind + " in stock", Lines: []domain.GoodsLine{lost}})
	if bought && s.chance(50) {
		f.claim("supplier", d.VendorID, share(lost.Quantity/one*it.cost, 60))
	}
}
