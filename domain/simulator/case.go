package simulator

import (
	"strconv"
	"time"

	"github.com/makegood/makegood/domain"
)

// fix is a case and the moment it has come to.
type fix struct {
	*Simulation
	*order  // as those know it who fix it: they may be another store
	sold    *order
	errorID string
	at      int64
	parts   int
	kind    string // what it is; a report may say less
	cause   cause
	line    *domain.OrderLine // the line that is wrong, as it was then; nil in the stockroom
	item    int
	alone   bool  // the order has no other case
	since   int64 // when it was found
}

// fail lets an order go wrong and makes it good.
func (s *Simulation) fail(o *order, c cause, placed int64) {
	f := s.open(o, c)
	o.failed = c != customer
	if c == picking && s.chance(12) {
		f.foundInTime(placed)
		return
	}
	if f.kind != "not_delivered" {
		d := s.delivery(o)
		f.spoil(d)
		s.tellOf(o, o.arrived, "", domain.TypeOrderDelivered, d)
	}
	f.at = max(o.arrived, o.until) + s.between(20*time.Minute, 36*time.Hour)
	if f.kind == "late" {
		f.at = o.until + s.between(10*time.Minute, 50*time.Minute) // nobody waits for it to come to complain
	}
	if s.chance(3) {
		f.anotherStore()
	}
	if s.chance(98) { // the others are only fixed: nobody writes down why
		f.report("after_delivery")
	}
	if s.chance(3) {
		f.reportedAgain()
	}
	if s.plot != nil && s.chance(10) {
		s.feedback(o, f.at+s.between(time.Minute, 5*time.Minute), s.rating(ratedFailed, 0))
	}
	f.since = f.at
	f.remedy()
	if s.chance(35) {
		s.feedback(o, f.at+s.between(time.Hour, 96*time.Hour), s.rating(ratedFixed, 1+s.random.IntN(4)))
	}
}

// spoil makes of a good delivery what the case is about.
func (f *fix) spoil(d *domain.OrderDelivered) {
	switch f.kind {
	case "wrong_item", "missing_item":
		d.Lines[0].Quantity -= f.wrongQuantity()
		if d.Lines[0].Quantity == 0 {
			if d.Lines = d.Lines[1:]; len(d.Lines) == 0 {
				// Nothing of the order came, but something did: an empty list would say that it isn't known what.
				d.Lines = []domain.DeliveredLine{{SKU: f.received().sku, Quantity: f.wrongQuantity()}}
			}
		}
	case "over_shipped":
		d.Lines[0].Quantity += f.wrongQuantity()
	case "damaged", "defective":
		d.Lines[0].Damaged = f.kind == "damaged"
	case "late":
		f.sold.arrived = f.sold.until + f.between(time.Hour, 60*time.Hour)
	case "document_error":
		d.DocumentsOK = domain.No
	}
}

func (s *Simulation) open(o *order, c cause) *fix {
	s.cases++
	f := &fix{Simulation: s, order: o, sold: o, cause: c, kind: s.kindOf(c), alone: true,
		errorID: "e" + s.tag + "-" + strconv.FormatUint(s.cases, 10)}
	if o.placed != nil {
		line := o.lines[0]
		f.line, f.item = &line, o.item
	}
	return f
}

// anotherStore is the customer going to the next shop: it fixes what it didn't sell.
func (f *fix) anotherStore() {
	shops := f.world.stores
	other := *f.sold
	other.store = &shops[f.random.IntN(len(shops))]
	if other.store.currency != f.sold.store.currency {
		return
	}
	other.till = other.store.tills[f.random.IntN(len(other.store.tills))]
	f.order = &other
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

// tellOf is that of the simulation; a story counts the days since the failure was found.
func (f *fix) tellOf(o *order, at int64, errorID string, t domain.Type, d domain.Data) *domain.Event {
	if f.plot != nil && f.since > 0 {
		addTo(f.plot.told.lags, t, float64(at-f.since)/float64(24*time.Hour))
	}
	return f.Simulation.tellOf(o, at, errorID, t, d)
}

// received is what came instead: the part in another size.
func (f *fix) received() *item { return &f.world.items[otherSize(f.item)] }

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

// expected is what the customer should have had, and what came.
func (f *fix) expected() []domain.ErrorLine {
	l := domain.ErrorLine{SKU: f.line.SKU, Quantity: f.wrongQuantity(), UnitCost: f.line.UnitCost}
	switch f.kind {
	case "wrong_item":
		it := f.received()
		l.ReceivedSKU, l.ReceivedQuantity, l.ReceivedUnitCost = it.sku, domain.Some(l.Quantity), domain.Some(it.cost)
	case "over_shipped": // so many came that were not expected at all
		l.ReceivedSKU, l.ReceivedQuantity, l.ReceivedUnitCost = l.SKU, domain.Some(l.Quantity), l.UnitCost
		l.Quantity = 0
	case "missing_item", "damaged", "defective", "not_as_described":
	default:
		return nil
	}
	return []domain.ErrorLine{l}
}

// report opens the case. Where it isn't said at once what was behind it, that is found out days later.
func (f *fix) report(found string) {
	known := f.classify(f.cause, f.sold)
	d := &domain.ErrorReported{
		Classification: domain.Classification{Kind: f.kind, Severity: known.Severity},
		Found:          found, DetectedBy: f.detector(), Lines: f.expected(),
	}
	unsaid := f.unsaid()
	if unsaid {
		d.Kind = "unspecified"
	}
	atOnce := !unsaid && f.chance(60)
	if atOnce {
		d.Classification = known
		d.Kind = f.kind
	}
	call := f.draw(d)
	f.say(domain.TypeErrorReported, d)
	if call > 0 {
		f.tellOf(f.order, f.at+int64(time.Hour), f.errorID, domain.TypeLabourSpent, &domain.LabourSpent{
			LabourID: f.errorID + "-call", Role: roleAgent, Minutes: call, Activity: "call, as lot says"})
	}
	switch {
	case atOnce:
		return
	case unsaid && f.kind == "wrong_item" && f.chance(40):
		return // what comes back says that it was the wrong item
	case unsaid:
		known.Kind = f.kind
	case f.kind == "unspecified" && f.chance(60):
		known.Kind = oneOf(f.Simulation, "defective", "not_as_described", "service_conduct")
	}
	f.tellOf(f.order, f.at+f.between(3*time.Hour, 96*time.Hour), f.errorID, domain.TypeErrorClassified,
		&domain.ErrorClassified{Classification: known})
}

// draw lets lot decide how the customer is treated, where the story has an experiment: it returns how long the call
// takes that comes of it.
func (f *fix) draw(d *domain.ErrorReported) domain.Decimal {
	if f.plot == nil || f.plot.Experiment.Name == "" {
		return 0
	}
	arm, call := f.plot.deal(f.sold)
	d.Experiment = domain.Experiment{Name: f.plot.Experiment.Name, Arm: arm}
	f.sold.dealt, f.sold.called = f.at, call > 0
	return call
}

// unsaid is a mix-up that the till doesn't call one.
func (f *fix) unsaid() bool {
	return (f.kind == "wrong_item" || f.kind == "missing_item") && f.chance(8)
}

func (f *fix) detector() string {
	if f.cause == carriage {
		return oneOf(f.Simulation, "customer", "carrier")
	}
	return oneOf(f.Simulation, "customer", "customer", "customer", "employee", "system")
}

// reportedAgain is the customer calling twice: a second case is opened, and found to be the first.
func (f *fix) reportedAgain() {
	f.alone = false
	second := *f
	f.cases++
	second.errorID, second.parts = "e"+f.tag+"-"+strconv.FormatUint(f.cases, 10), 0
	second.later(10*time.Minute, 30*time.Hour)
	d := &domain.ErrorReported{Found: "after_delivery", DetectedBy: "customer"}
	d.Kind = f.kind
	if f.chance(50) {
		d.Lines = f.expected()
	}
	second.say(domain.TypeErrorReported, d)
	second.work(roleAgent, "second call with the customer")
	second.later(time.Hour, 48*time.Hour)
	second.say(domain.TypeErrorClassified, &domain.ErrorClassified{SameAs: f.errorID})
}

// foundInTime is an order whose mistake is seen in the warehouse: cheap, or the end of the order.
func (f *fix) foundInTime(placed int64) {
	o := f.sold
	f.at = max(placed, o.edited) + f.between(time.Minute, 20*time.Minute)
	f.kind, o.failed = "wrong_item", false
	known := f.classify(f.cause, o)
	known.Kind = f.kind
	d := &domain.ErrorReported{Classification: known, Found: "before_delivery", DetectedBy: "employee"}
	if f.chance(50) {
		d.Lines = f.expected()
	}
	f.say(domain.TypeErrorReported, d)
	f.work(rolePicker, "picked again")
	switch n := f.random.Uint32N(100); {
	case n < 55:
		f.delivered(o)
	case n < 70: // the van has left: the right part goes after it
		f.sendAgain()
		o.arrived = max(f.at, o.arrived)
		f.delivered(o)
	default:
		f.later(10*time.Minute, 2*time.Hour)
		d := o.whole()
		net, tax := d.Net.Value, d.Tax.Value
		d.By, d.Reason = "business", "out of stock: the count was wrong"
		f.tellOf(o, f.at, "", domain.TypeOrderCancelled, d)
		o.changed = true
		if f.chance(50) {
			f.giveBack(&domain.RefundIssued{RefundID: f.part("f"), Net: net, Tax: tax, Method: "card"})
		}
		f.sorry()
	}
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
	if s.plot != nil && s.plot.prevents(s, d.RootCause, shop.id, at) {
		return
	}
	f.say(domain.TypeErrorReported, d)
	f.later(time.Minute, 3*time.Hour)
	lost := domain.GoodsLine{SKU: it.sku, Quantity: domain.Decimal(1+s.random.IntN(4)) * one,
		UnitCost: domain.Some(it.cost)}
	f.say(domain.TypeGoodsScrapped, &domain.GoodsScrapped{
		ScrapID: f.part("w"), Reason: f.kind + " in stock", Lines: []domain.GoodsLine{lost},
	})
	if bought && s.chance(50) {
		f.claim("supplier", d.VendorID, share(lost.Quantity/one*it.cost, 60))
	}
}
