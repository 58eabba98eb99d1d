package simulator

import (
	"testing"

	"github.com/makegood/makegood/domain"
)

type tally struct{ orders, cases float64 }

// visible: the bad one of a kind errs more than twice as often as any other.
func visible(t *testing.T, what, bad string, all map[string]*tally) {
	t.Helper()
	rate := func(key string) float64 {
		if all[key] == nil || all[key].orders == 0 {
			return 0
		}
		return all[key].cases / all[key].orders
	}
	for key := range all {
		if key != bad && rate(key)*2 > rate(bad) {
			t.Errorf("%s %s errs at %.4f, %s at %.4f: that isn't visible", what, bad, rate(bad), key, rate(key))
		}
	}
}

func TestTheStoryIsInTheNumbers(t *testing.T) {
	var placed, wrong float64
	pickers, vendors, stores := map[string]*tally{}, map[string]*tally{}, map[string]*tally{}
	at := func(m map[string]*tally, key string) *tally {
		if m[key] == nil {
			m[key] = &tally{}
		}
		return m[key]
	}
	orders := map[string]*domain.OrderPlaced{}
	burned, customers := map[string]bool{}, map[string]int{}
	var back, stayed tally // of those burned, of the others: how many order again
	for _, e := range all(t, config(5, 60_000)) {
		switch d := e.Data.(type) {
		case *domain.OrderPlaced:
			if orders[e.OrderID] != nil {
				continue
			}
			orders[e.OrderID] = d
			placed++
			customers[d.CustomerID]++
			at(pickers, d.EmployeeID).orders++
			at(vendors, d.Lines[0].VendorID).orders++
			at(stores, e.StoreID).orders++
		case *domain.ErrorReported:
			o := orders[e.OrderID]
			if o == nil {
				continue
			}
			wrong++
			if customers[o.CustomerID] == 1 {
				burned[o.CustomerID] = true
			}
			switch {
			case d.EmployeeID != "":
				at(pickers, d.EmployeeID).cases++
			case d.RootCause == "supplier_quality":
				at(vendors, d.VendorID).cases++
			case d.RootCause == "overpromise":
				at(stores, e.StoreID).cases++
			}
		}
	}
	if share := wrong / placed; share < 0.04 || share > 0.06 {
		t.Errorf("%.2f %% of orders go wrong", 100*share)
	}
	visible(t, "picker", "emp-203", pickers)
	visible(t, "vendor", "vendor-kestrel", vendors)
	visible(t, "store", "store-3", stores)
	for id, n := range customers {
		group := &stayed
		if burned[id] {
			group = &back
		}
		group.orders++
		if n > 1 {
			group.cases++
		}
	}
	if b, s := back.cases/back.orders, stayed.cases/stayed.orders; b > 0.9*s {
		t.Errorf("%.3f of those whose first order went wrong come back, %.3f of the others", b, s)
	}
}

// TestShares: how many of all orders are in trouble, and in which.
func TestShares(t *testing.T) {
	orders := map[string]map[string]bool{} // by what befell them
	mark := func(what, order string) {
		if orders[what] == nil {
			orders[what] = map[string]bool{}
		}
		if order != "" {
			orders[what][order] = true
		}
	}
	first := map[string]*domain.Event{}
	for _, e := range all(t, config(17, 60_000)) {
		key := ""
		switch d := e.Data.(type) {
		case *domain.OrderPlaced:
			mark("placed", e.OrderID)
			key = "placed " + e.OrderID
		case *domain.PromiseChanged, *domain.OrderDelivered, *domain.FeedbackReceived:
			continue
		case *domain.OrderChanged:
			mark("edited", e.OrderID)
		case *domain.OrderCancelled:
			if len(d.Lines) > 0 {
				mark("edited", e.OrderID)
			} else {
				mark("cancelled", e.OrderID)
			}
		case *domain.OrderCharged:
			mark("charged", e.OrderID)
		case *domain.ErrorReported:
			mark("reported", e.OrderID)
		case *domain.RefundIssued:
			if key = e.OrderID + d.RefundID; first[key] != nil {
				if r := first[key].Data.(*domain.RefundIssued); r.Net+r.Tax != d.Net+d.Tax {
					mark("contradicted", e.OrderID)
				}
			}
		}
		if e.Type != domain.TypeOrderPlaced || first[key] != nil {
			mark("in trouble", e.OrderID)
		}
		if key != "" && first[key] != nil && first[key].Source != e.Source {
			mark("told twice", e.OrderID)
		}
		if key != "" && first[key] == nil {
			first[key] = &e
		}
	}
	placed := float64(len(orders["placed"]))
	for what, c := range map[string][2]float64{
		"in trouble": {0.085, 0.125}, "edited": {0.017, 0.025}, "cancelled": {0.009, 0.014}, "charged": {0.017, 0.023},
		"reported": {0.04, 0.06}, "told twice": {0.006, 0.013}, "contradicted": {0.00005, 0.001},
	} {
		share := float64(len(orders[what])) / placed
		t.Logf("%s: %.4f of the orders", what, share)
		if share < c[0] || share > c[1] {
			t.Errorf("%.4f of the orders are %s, not between %g and %g", share, what, c[0], c[1])
		}
	}
}
