package simulator

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
)

// TestWhatIsToldHoldsTogether checks every event against those before it. What tills tell twice, or not alike, is known
// by its source: the systems beside the tills.
func TestWhatIsToldHoldsTogether(t *testing.T) {
	c := config(3, 30_000)
	told := &telling{T: t, last: c.Start, ids: map[[2]string]domain.Event{}, orders: map[string]*bill{},
		cases: map[string]*dossier{}, refunds: map[string]*domain.Event{}, vouchers: map[string]domain.Decimal{},
		redeemed: map[string]bool{}, disputes: map[string]domain.Decimal{}, claims: map[string]*claim{},
		trips: map[string]int{}, cards: map[string]domain.Decimal{}}
	for n, e := range all(t, c) {
		told.take(n, e)
	}
	unreported := 0
	for _, c := range told.cases {
		if !c.reported {
			unreported++
		}
	}
	if share := float64(unreported) / float64(len(told.cases)); share == 0 || share > 0.05 {
		t.Errorf("%.3f of %d cases were never reported", share, len(told.cases))
	}
	if t.Failed() {
		t.Log("the first of the failures says most")
	}
}

// telling is what has been told so far.
type telling struct {
	*testing.T
	name     string // of the event at hand
	last     time.Time
	ids      map[[2]string]domain.Event
	orders   map[string]*bill
	cases    map[string]*dossier
	refunds  map[string]*domain.Event
	vouchers map[string]domain.Decimal // what is left of each
	redeemed map[string]bool
	disputes map[string]domain.Decimal
	claims   map[string]*claim
	trips    map[string]int // by redelivery: how many dispatches are under way
	cards    map[string]domain.Decimal
}

// bill is what was paid for an order, and what became of it.
type bill struct {
	placed *domain.OrderPlaced
	lines  map[string]domain.OrderLine // as they are now
	paid   domain.Decimal              // tax included, with what was added
	off    domain.Decimal              // taken off, tax included
	back   domain.Decimal              // of that, what refunds said is on its way back
	repaid domain.Decimal              // given back beyond that, tax included
}

type dossier struct {
	order    string
	reported bool
}

type claim struct{ filed, accepted, settled domain.Decimal }

func (b *telling) take(n int, e domain.Event) {
	b.name = fmt.Sprintf("event %d, %s %s %s", n, e.Source, e.ID, e.Type)
	key := [2]string{e.Source, e.ID}
	if _, again := b.ids[key]; again {
		b.Fatalf("%s: this identity was told before", b.name)
	}
	b.ids[key] = e
	if e.Time.Before(b.last) {
		b.Fatalf("%s at %s, after %s", b.name, e.Time, b.last)
	}
	b.last = e.Time
	if e.Type != domain.TypeOrderPlaced && e.OrderID != "" && b.orders[e.OrderID] == nil {
		b.Errorf("%s: order %s was never placed", b.name, e.OrderID)
	}
	if e.ErrorID != "" {
		c := b.cases[e.ErrorID]
		if c == nil {
			c = &dossier{order: e.OrderID}
			b.cases[e.ErrorID] = c
		}
		if c.order != e.OrderID {
			b.Errorf("%s: case %s is of order %q", b.name, e.ErrorID, c.order)
		}
		c.reported = c.reported || e.Type == domain.TypeErrorReported
	}
	if carriesMoney(e.Type) != (e.Currency != "") && e.Type != domain.TypeEventVoided && e.Type != domain.TypeRateSet {
		b.Errorf("%s: currency %q", b.name, e.Currency)
	}
	b.checkNumbers(reflect.ValueOf(e.Data))
	if b.again(&e) {
		return
	}
	switch d := e.Data.(type) {
	case *domain.OrderPlaced, *domain.OrderChanged, *domain.OrderCancelled, *domain.OrderCharged:
		b.takeOrder(&e)
	case *domain.EventVoided:
		if original := b.ids[[2]string{d.Source, d.ID}]; !reflect.DeepEqual(original, *d.Original) {
			b.Errorf("%s voids what was told otherwise", b.name)
		}
	case *domain.FactDecided:
		if original, is := b.ids[[2]string{d.Source, d.ID}]; !is || original.OrderID != d.OrderID || d.Actor == "" {
			b.Errorf("%s decides on what nobody said", b.name)
		}
	default:
		b.takeFix(&e)
	}
}

// again reports whether the event says what was said before: by another system, or keyed twice and soon voided.
func (b *telling) again(e *domain.Event) bool {
	switch d := e.Data.(type) {
	case *domain.OrderPlaced:
		first := b.orders[e.OrderID]
		if first == nil {
			return false
		}
		other, same := *d, *first.placed
		other.EmployeeID, other.Promise, same.EmployeeID, same.Promise = "", domain.Promise{}, "", domain.Promise{}
		if !reflect.DeepEqual(other, same) {
			b.Errorf("%s isn't the order that was told before", b.name)
		}
		return true
	case *domain.RefundIssued:
		first := b.refunds[e.OrderID+d.RefundID]
		if first == nil {
			b.refunds[e.OrderID+d.RefundID] = e
			return false
		}
		r := first.Data.(*domain.RefundIssued)
		if e.Source == first.Source && !reflect.DeepEqual(d, r) {
			b.Errorf("%s: the same till says another refund", b.name)
		}
		if d.Net+d.Tax > r.Net+r.Tax {
			b.Errorf("%s is more than the till said", b.name)
		}
		return true
	}
	return false
}

func (b *telling) takeOrder(e *domain.Event) {
	bill := b.orders[e.OrderID]
	switch d := e.Data.(type) {
	case *domain.OrderPlaced:
		bill = b.placed(e, d)
	case *domain.OrderChanged:
		if len(d.LinesAdded)+len(d.LinesRemoved) == 0 {
			b.Errorf("%s changes nothing", b.name)
		}
		for _, l := range d.LinesRemoved {
			bill.off += b.remove(bill, l)
		}
		for _, l := range d.LinesAdded {
			bill.paid += b.add(bill, l)
		}
	case *domain.OrderCancelled:
		b.cancelled(bill, d)
	case *domain.OrderCharged:
		if d.Amount <= 0 || d.Credit && d.Kind == "commission" && d.Amount > bill.placed.Commission {
			b.Errorf("%s charges %s", b.name, d.Amount)
		}
	}
	if bill.off+bill.repaid > bill.paid {
		b.Errorf("%s: %s taken off and %s given back, of %s", b.name, bill.off, bill.repaid, bill.paid)
	}
}

func (b *telling) placed(e *domain.Event, d *domain.OrderPlaced) *bill {
	bill := &bill{placed: d, lines: map[string]domain.OrderLine{}, paid: d.DeliveryFee + d.DeliveryTax}
	b.orders[e.OrderID] = bill
	for _, l := range d.Lines {
		bill.paid += b.add(bill, l)
		if l.Kind == "gift_card" {
			b.cards[e.Currency] += l.UnitPrice
		}
	}
	var tendered domain.Decimal
	for _, tender := range d.Tenders {
		tendered += tender.Amount
		if tender.Method == "gift_card" {
			if b.cards[e.Currency] -= tender.Amount; b.cards[e.Currency] < 0 {
				b.Errorf("%s is paid with gift cards that nobody bought", b.name)
			}
		}
	}
	if len(d.Tenders) > 0 && tendered != bill.paid {
		b.Errorf("%s: tenders of %s, a total of %s", b.name, tendered, bill.paid)
	}
	if d.Promise.Until.Before(e.Time) {
		b.Errorf("%s promises %s", b.name, d.Promise.Until)
	}
	if bill.paid <= 0 {
		b.Errorf("%s comes to %s", b.name, bill.paid)
	}
	return bill
}

// add puts a line on an order and returns what it adds to the total.
func (b *telling) add(bill *bill, l domain.OrderLine) domain.Decimal {
	if _, is := bill.lines[l.LineID]; is || l.LineID == "" {
		b.Errorf("%s: line %q is there already", b.name, l.LineID)
	}
	if l.UnitCost.Set != (l.Kind == "") {
		b.Errorf("%s: line %s of kind %q has a cost of %v", b.name, l.LineID, l.Kind, l.UnitCost)
	}
	if l.Discount > 0 && l.Discount > l.Quantity/one*l.UnitPrice {
		b.Errorf("%s: line %s is discounted by %s", b.name, l.LineID, l.Discount)
	}
	bill.lines[l.LineID] = l
	net, tax, _ := worth(&l)
	return net + tax
}

// remove takes a line off in proportion and returns what that is worth.
func (b *telling) remove(bill *bill, r domain.RemovedLine) domain.Decimal {
	id := r.LineID
	for _, l := range bill.lines {
		if id == "" && l.SKU == r.SKU {
			id = l.LineID
		}
	}
	l, is := bill.lines[id]
	if !is || r.Quantity <= 0 || r.Quantity > l.Quantity || r.LineID != "" && r.SKU != "" {
		b.Errorf("%s removes %s of line %q %q", b.name, r.Quantity, r.LineID, r.SKU)
		return 0
	}
	net, tax, _ := worth(&l)
	if r.Quantity == l.Quantity {
		delete(bill.lines, id)
		return net + tax
	}
	off := (net + tax) * (r.Quantity / one) / (l.Quantity / one) // to the millionth: near enough to compare cents with
	l.Discount = l.Discount * ((l.Quantity - r.Quantity) / one) / (l.Quantity / one)
	l.Tax = l.Tax * ((l.Quantity - r.Quantity) / one) / (l.Quantity / one)
	l.Quantity -= r.Quantity
	bill.lines[id] = l
	return off
}

func (b *telling) cancelled(bill *bill, d *domain.OrderCancelled) {
	lines := d.Lines
	var off, net, tax, cost domain.Decimal
	if len(lines) == 0 {
		off = bill.placed.DeliveryFee + bill.placed.DeliveryTax
		net, tax = bill.placed.DeliveryFee, bill.placed.DeliveryTax
		for id, l := range bill.lines {
			lines = append(lines, domain.RemovedLine{LineID: id, Quantity: l.Quantity})
		}
	}
	for _, r := range lines {
		for _, l := range bill.lines {
			if l.LineID == r.LineID || r.LineID == "" && l.SKU == r.SKU {
				n, t, c := worth(&l)
				net, tax, cost = net+n, tax+t, cost+c
			}
		}
		if r.Quantity < 0 { // empties
			l := bill.lines[r.LineID]
			n, t, _ := worth(&l)
			delete(bill.lines, r.LineID)
			off += n + t
			continue
		}
		off += b.remove(bill, r)
	}
	if d.Net.Set && (d.Net.Value != net || d.Tax.Value != tax || d.Cost.Set && d.Cost.Value != cost) {
		b.Errorf("%s takes back %s, %s tax, %s cost instead of %s, %s, %s", b.name, d.Net.Value, d.Tax.Value, d.Cost.Value,
			net, tax, cost)
	}
	bill.off += off
}

// checkNumbers holds every number to the contract: nothing below zero but empties, 6 decimals for prices, costs and
// rates, 4 for the others.
func (b *telling) checkNumbers(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() && v.Type() != reflect.TypeFor[*domain.Event]() {
			b.checkNumbers(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			b.checkNumbers(v.Index(i))
		}
	case reflect.Struct:
		if l, is := v.Interface().(domain.OrderLine); is && l.Kind == "deposit" {
			return
		}
		for i := range v.NumField() {
			field, f := v.Type().Field(i), v.Field(i)
			if f.Type() == reflect.TypeFor[domain.Optional]() {
				f = f.Field(0)
			}
			if f.Type() != reflect.TypeFor[domain.Decimal]() {
				if f.Type() != reflect.TypeFor[time.Time]() {
					b.checkNumbers(f)
				}
				continue
			}
			fine := slices.Contains([]string{"UnitPrice", "UnitCost", "ReceivedUnitCost", "Value"}, field.Name)
			if n := f.Int(); n < 0 || !fine && n%100 != 0 {
				b.Errorf("%s: %s is %s", b.name, field.Name, domain.Decimal(n))
			}
		}
	}
}
