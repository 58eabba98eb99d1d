package simulator

import (
	"math"

	"github.com/makegood/makegood/domain"
)

// cause is where an error comes from.
type cause uint8

const (
	picking cause = iota
	supplier
	carriage
	overpromise
	office
	customer
	causeCount
)

// The share of each cause where everybody is as good as the usual one.
var causeWeights = [causeCount]float64{picking: 0.30, supplier: 0.22, carriage: 0.20, overpromise: 0.05, office: 0.15,
	customer: 0.07}

// Overpromising stores break their promises so many times as often.
const overpromising = 8

// troubles is how likely each cause is for this order, in units of the company's error rate.
func (s *Simulation) troubles(o *order) (t [causeCount]float64, sum float64) {
	t = causeWeights
	vendor := &s.world.vendors[s.world.items[o.item].vendor]
	t[picking] *= o.picker.trouble * s.plot.pickers()
	t[supplier] *= vendor.trouble * s.plot.worse(vendor.id, o.at)
	t[carriage] *= o.carrier.trouble * s.plot.worse(o.carrier.id, o.at)
	if o.store.overpromises {
		t[overpromise] *= overpromising
	}
	if o.placed.Channel == "counter" {
		t[carriage], t[overpromise] = 0, 0 // the customer carries it home
	}
	for _, x := range t {
		sum += x
	}
	return t, sum
}

// goesWrong draws once for an order that goes well, which most do.
func (s *Simulation) goesWrong(o *order) (cause, bool) {
	t, sum := s.troubles(o)
	x := s.random.Float64() * s.world.usualTrouble / s.config.ErrorRate
	if s.plot != nil {
		x /= s.plot.laden(o) * s.plot.shocked(o.at)
	}
	if x >= sum {
		return 0, false
	}
	drawn := office
	for c, weight := range t {
		if x -= weight; x < 0 {
			drawn = cause(c)
			break
		}
	}
	if s.plot != nil { // a story can prevent it
		o.root = s.rootOf(drawn)
		return drawn, !s.plot.prevents(s, o.root, o.store.id, o.at)
	}
	return drawn, true
}

// meanTrouble is the mean of what troubles sums up to, so that the error rate is the one configured.
func (w *world) meanTrouble() float64 {
	var pickers, stores, suppliers, carriers float64
	for n := range w.stores {
		for _, p := range w.stores[n].pickers {
			pickers += p.trouble / pickersPerStore
		}
		if w.stores[n].overpromises {
			stores += overpromising
		} else {
			stores++
		}
	}
	for _, c := range w.carriers {
		carriers += c.trouble / float64(len(w.carriers))
	}
	// An item's share of the orders is that of the square root, see fill.
	total := float64(len(w.items))
	for i := range w.items {
		asked := math.Sqrt(float64(i+1)/total) - math.Sqrt(float64(i)/total)
		suppliers += asked * w.vendors[w.items[i].vendor].trouble
	}
	const carried = 0.7 // the share of orders that aren't handed over the counter
	return causeWeights[picking]*pickers/float64(len(w.stores)) + causeWeights[supplier]*suppliers +
		carried*(causeWeights[carriage]*carriers+causeWeights[overpromise]*stores/float64(len(w.stores))) +
		causeWeights[office] + causeWeights[customer]
}

// kindOf draws what the error looks like from outside.
func (s *Simulation) kindOf(c cause) string {
	if s.chance(6) && c != customer {
		return "unspecified" // the till doesn't say
	}
	switch c {
	case picking:
		return oneOf(s, "wrong_item", "wrong_item", "wrong_item", "wrong_item", "missing_item", "missing_item",
			"over_shipped")
	case supplier:
		return oneOf(s, "defective", "defective", "defective", "damaged", "not_as_described")
	case carriage:
		return oneOf(s, "late", "late", "damaged", "not_delivered")
	case overpromise:
		return "late"
	case customer:
		return "changed_mind"
	}
	return oneOf(s, "billing_error", "billing_error", "billing_error", "credit_not_processed", "document_error",
		"document_error",
		"service_conduct", "wrong_address", "wrong_address")
}

// rootOf draws what an investigation finds behind a cause.
func (s *Simulation) rootOf(c cause) string {
	switch c {
	case picking:
		return oneOf(s, "pick_pack", "pick_pack", "pick_pack", "pick_pack", "inventory_accuracy", "training", "preparation")
	case supplier:
		return "supplier_quality"
	case carriage:
		return "carrier"
	case overpromise:
		return "overpromise"
	case customer:
		return "customer"
	}
	return oneOf(s, "order_capture", "order_capture", "catalog_data", "dispatch", "billing_system", "billing_system",
		"training", "unknown")
}

// classify says what an investigation finds.
func (s *Simulation) classify(c cause, o *order) domain.Classification {
	k := domain.Classification{
		PartyAtFault: "own", Avoidable: domain.Yes,
		Severity: oneOf(s, "minor", "minor", "minor", "major", "major", "critical"),
	}
	if k.RootCause = o.root; k.RootCause == "" {
		k.RootCause = s.rootOf(c)
	}
	switch c {
	case picking:
		k.EmployeeID = o.picker.id
	case supplier:
		k.PartyAtFault = "supplier"
		k.VendorID = o.lines[0].VendorID
		k.Avoidable = oneOf(s, domain.No, domain.No, domain.Unknown, domain.Yes)
	case carriage:
		k.PartyAtFault, k.VendorID = "carrier", o.carrier.id
		k.Avoidable = oneOf(s, domain.No, domain.Unknown)
	case overpromise:
	case customer:
		k.PartyAtFault, k.Avoidable = "customer", domain.No
	default:
		if o.placed.Channel == "marketplace" {
			k.PartyAtFault = oneOf(s, "own", "marketplace", "unknown")
		}
	}
	return k
}
